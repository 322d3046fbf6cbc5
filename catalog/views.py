"""The shelves: all categories, one category, the search, and a customer's favourites."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.pages import CustomerRequest, PageRequest, customers_only, wants_part
from catalog.directory import Directory, directory
from catalog.favourites import drop_favourite, favourites_among, favourites_of, keep_favourite
from catalog.forms import ShelfQuery
from catalog.keeping import catalog_version, keep, kept, kept_key
from catalog.models import Service
from catalog.page_cache import FAST, kept_page
from catalog.shelves import Shelf, fill_shelf


@kept_page()
@require_safe
def index(request: PageRequest) -> HttpResponse:
    """Show all categories with something on sale."""
    return render(request, "catalog/index.html", {"categories": directory(catalog_version()).on_sale})


@kept_page("sub", "page")
@require_safe
def category(request: PageRequest, pk: int) -> HttpResponse:
    """Show the services of one category, or of one of its subcategories; a merged one leads to where they are."""

    def make(shop: Directory, query: ShelfQuery, user: User | None) -> Shelf:
        shown = shop.category(pk)
        if shown is None:
            raise Http404
        if shown.pk != pk:
            raise _Elsewhere(shown.pk)
        return fill_shelf(request.path, query, directory=shop, user=user, fixed=shown)

    try:
        return _shelf_page(request, make, "")
    except _Elsewhere as elsewhere:
        return redirect(reverse("catalog:category", args=[elsewhere.category_id], query=request.GET))


@kept_page("page")
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """Search and browse everything on sale; htmx asks for the results alone while the words are typed."""

    def make(shop: Directory, query: ShelfQuery, user: User | None) -> Shelf:
        return fill_shelf(request.path, query, directory=shop, user=user)

    return _shelf_page(request, make, _("Search"))


@customers_only
@require_safe
def favourites(request: CustomerRequest) -> HttpResponse:
    """Show the services that the customer has kept, with the filters of every shelf."""

    def make(shop: Directory, query: ShelfQuery, user: User | None) -> Shelf:
        return fill_shelf(request.path, query, directory=shop, user=user, among=favourites_of(request.user))

    return _shelf_page(request, make, _("Favourites"), favourites=True)


@customers_only
@require_POST
def favourite(request: CustomerRequest, pk: int) -> HttpResponse:
    """Keep a service among the customer's favourites, or drop it; htmx gets the heart back as it is now."""
    service = get_object_or_404(Service, pk=pk)
    keeps = request.POST.get("keep") != "0"
    (keep_favourite if keeps else drop_favourite)(request.user, service)
    if wants_part(request):
        return render(request, "components/heart.html", {"pk": service.pk, "title": service.title, "kept": keeps})
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("orders:place", args=[service.pk]))


class _Elsewhere(Exception):
    """The category is merged: its services are shown on the page of this one."""

    def __init__(self, category_id: int) -> None:
        super().__init__(category_id)
        self.category_id = category_id


@dataclass(frozen=True)
class _Part:
    """What is shared of a shelf's page between readers with the same prices and language."""

    packed: bytes
    title: str
    service_ids: tuple[int, ...]


def _shelf_page(
    request: PageRequest,
    make: Callable[[Directory, ShelfQuery, User | None], Shelf],
    title: str,
    *,
    favourites: bool = False,
) -> HttpResponse:
    """Show the shelf that `make` fills, or its changing parts to htmx; `title` is its category's where it has one."""
    user = request.user if isinstance(request.user, User) else None
    query = ShelfQuery.read(request.GET)
    version = catalog_version()
    if wants_part(request):
        shelf = make(directory(version), query, user)
        text = render_to_string("catalog/_update.html", _context(shelf, user, favourites))
        response = HttpResponse(_pressed(text, user, [row.pk for row in shelf.rows]))
        response["HX-Push-Url"] = shelf.address
        return response
    key = kept_key("shelf", request.path, query.encode(), get_language(), *_prices_of(user))
    may_be_kept = not favourites and query.is_counted_ahead and not (query.after or query.before)
    part: _Part | None = kept(key, version) if may_be_kept else None
    if part is None:
        shelf = make(directory(version), query, user)
        heading = shelf.fixed.title if shelf.fixed else title
        text = render_to_string("catalog/_shelf.html", {**_context(shelf, user, favourites), "heading": heading})
        part = _Part(zlib.compress(text.encode(), FAST), _title(shelf, heading), tuple(row.pk for row in shelf.rows))
        if may_be_kept:
            keep(key, version, part)
    else:
        text = zlib.decompress(part.packed).decode()
    text = _pressed(text, user, part.service_ids)
    # Rendered by our own templates, which have escaped it.
    context = {"part": mark_safe(text), "title": part.title, "here": request.get_full_path()}  # noqa: S308
    return render(request, "catalog/shelf.html", context)


def _context(shelf: Shelf, user: User | None, favourites: bool) -> dict[str, object]:
    login = reverse("account_login")
    return {
        "shelf": shelf,
        "favourites": favourites,
        "sign_in_url": "" if user else f"{login}?{urlencode({'next': shelf.address})}",
        "currency": settings.STORE_CURRENCY,
        "support_email": settings.SUPPORT_EMAIL,
    }


def _title(shelf: Shelf, heading: str) -> str:
    return _("Search: %(words)s") % {"words": shelf.asked.words} if shelf.asked.words else heading


def _prices_of(user: User | None) -> tuple[bool, object]:
    """Return what tells readers apart for whom a shelf is not the same: the hearts, and a group's discount."""
    return user is not None, user.group.discount_percent if user is not None and user.group is not None else None


def _pressed(text: str, user: User | None, service_ids: list[int] | tuple[int, ...]) -> str:
    """Return the page with the hearts of this customer's favourites pressed; what is kept has them all unpressed."""
    if user is None or not service_ids:
        return text
    for pk in favourites_among(user, service_ids):
        unpressed = f'value="1" aria-pressed="false" data-heart="{pk}"'
        text = text.replace(unpressed, f'value="0" aria-pressed="true" data-heart="{pk}"')
    return text
