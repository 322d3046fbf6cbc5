"""The shelves: all categories, one category, the search, and a customer's favourites."""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.pages import CustomerRequest, PageRequest, customers_only, wants_part
from accounts.templatetags.money import money
from catalog.directory import Directory, directory
from catalog.favourites import drop_favourite, favourites_among, favourites_of, keep_favourite
from catalog.forms import ShelfQuery
from catalog.keeping import keep, kept_key, look_up
from catalog.models import Service
from catalog.moulds import mould
from catalog.page_cache import FAST, kept_page
from catalog.shelves import Shelf, fill_shelf
from catalog.version import recent_version

# Marks in a page for what is the reader's own. Whatever a page shows has been escaped, so none of it can be a mark.
HEADER, MESSAGES, HEARTS = (mark_safe(f"<!--{name}-->") for name in ("header", "messages", "hearts"))  # noqa: S308
_MARK = re.compile("|".join((HEADER, MESSAGES, HEARTS)))


@kept_page()
@require_safe
def index(request: PageRequest) -> HttpResponse:
    """Show all categories with something on sale."""
    return render(request, "catalog/index.html", {"categories": directory(recent_version()).on_sale})


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
        heart = {"pk": service.pk, "title": service.title, "keep_url": request.path, "kept": keeps}
        return render(request, "components/heart.html", heart)
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("orders:place", args=[service.pk]))


class _Elsewhere(Exception):
    """The category is merged: its services are shown on the page of this one."""

    def __init__(self, category_id: int) -> None:
        super().__init__(category_id)
        self.category_id = category_id


@dataclass(frozen=True)
class _Kept:
    """A shelf's page with marks in the place of what is the reader's own; the same for all with their prices."""

    packed: bytes
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
    key = kept_key("shelf", request.path, query.encode(), get_language(), *_prices_of(user))
    version, page = look_up(key)
    if wants_part(request):
        shelf = make(directory(version), query, user)
        text = render_to_string("catalog/_update.html", _context(shelf, favourites))
        response = HttpResponse(_pressed(text, user, [service.pk for service in shelf.window.rows]))
        response["HX-Push-Url"] = shelf.address
        return response
    may_be_kept = user is not None and not favourites and query.is_counted_ahead and not (query.after or query.before)
    if page is None or not may_be_kept:
        shelf = make(directory(version), query, user)
        text = _whole_page(shelf, shelf.fixed.title if shelf.fixed else title, favourites)
        service_ids = tuple(service.pk for service in shelf.window.rows)
        if may_be_kept:
            keep(key, version, _Kept(zlib.compress(text.encode(), FAST), service_ids))
    else:
        text, service_ids = zlib.decompress(page.packed).decode(), page.service_ids
    return HttpResponse(_own(request, _pressed(text, user, service_ids), user))


def _whole_page(shelf: Shelf, heading: str, favourites: bool) -> str:
    """Return the page with marks for what is the reader's own. Made without the request: nothing of it can get in."""
    part = render_to_string("catalog/_shelf.html", {**_context(shelf, favourites), "heading": heading})
    words = shelf.asked.words
    context = {
        "title": _("Search: %(words)s") % {"words": words} if words else heading,
        "part": part,
        "header": HEADER,
        "messages": MESSAGES,
        "hearts": HEARTS,
        "store_name": settings.STORE_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }
    return render_to_string("catalog/shelf.html", context)


def _context(shelf: Shelf, favourites: bool) -> dict[str, object]:
    return {
        "shelf": shelf,
        "favourites": favourites,
        "currency": settings.STORE_CURRENCY,
        "support_email": settings.SUPPORT_EMAIL,
    }


def _own(request: PageRequest, page: str, user: User | None) -> str:
    """Put what is the reader's own in the place of the marks."""
    header = mould(
        "components/header.html",
        "email",
        "balance",
        signed_in=user is not None,
        is_staff=user is not None and user.is_staff,
        store_name=settings.STORE_NAME,
        path=reverse("catalog:index"),
    )
    wallet = getattr(user, "wallet", None)
    told = get_messages(request)
    own = {
        HEADER: header.fill({"email": user and user.email, "balance": money(wallet.balance_micros if wallet else 0)}),
        MESSAGES: render_to_string("components/messages.html", {"messages": told}) if told else _no_messages(),
        HEARTS: "",
    }
    if user is not None:
        form = {"here": request.get_full_path(), "csrf_token": get_token(request)}
        own[HEARTS] = mould("catalog/_hearts.html", "here", "csrf_token").fill(form)
    return _MARK.sub(lambda mark: own[mark[0]], page)


def _no_messages() -> str:
    return mould("components/messages.html").fill({})


def _prices_of(user: User | None) -> tuple[bool, object]:
    """Return what tells readers apart for whom a shelf is not the same: the hearts, and a group's discount."""
    return user is not None, user.group.discount_percent if user is not None and user.group is not None else None


def _pressed(text: str, user: User | None, service_ids: Sequence[int]) -> str:
    """Return the page with the hearts of this customer's favourites pressed; it is made with all of them unpressed."""
    if user is None or not service_ids:
        return text
    for pk in favourites_among(user, service_ids):
        unpressed = f'value="1" aria-pressed="false" data-heart="{pk}"'
        text = text.replace(unpressed, f'value="0" aria-pressed="true" data-heart="{pk}"')
    return text
