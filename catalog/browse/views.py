"""The shelves: all categories, one category, the search, and a customer's favourites."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import (
    CustomerRequest,
    PageRequest,
    customers_only,
    wants_part,
)
from accounts.models import User
from catalog.browse.category_index import Directory, directory
from catalog.browse.forms import ShelfQuery
from catalog.browse.listings import Shelf, fill_shelf
from catalog.caching.page_cache import kept_page
from catalog.caching.personal_parts import (
    HEADER,
    HEARTS,
    MESSAGES,
    SharedPage,
    mark,
    prices_of,
    put_own,
)
from catalog.caching.prerendered import mould
from catalog.caching.version import recent_version
from catalog.caching.versioned_cache import keep, kept_key, look_up
from catalog.models import Service
from catalog.operations.favorites import (
    drop_favourite,
    favourites_among,
    favourites_of,
    keep_favourite,
)


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
    key = kept_key("shelf", request.path, query.encode(), get_language(), *prices_of(user))
    version, page = look_up(key)
    if wants_part(request):
        shelf = make(directory(version), query, user)
        page = SharedPage.of(render_to_string("catalog/_update.html", _context(shelf, favourites)))
        response = HttpResponse(page.fill({}, favourites_among(user, page.service_ids) if user else ()))
        response["HX-Push-Url"] = shelf.address
        return response
    may_be_kept = user is not None and not favourites and query.is_counted_ahead and not (query.after or query.before)
    if page is None or not may_be_kept:
        shelf = make(directory(version), query, user)
        page = SharedPage.of(_whole_page(shelf, shelf.fixed.title if shelf.fixed else title, favourites))
        if may_be_kept:
            keep(key, version, page)
    return HttpResponse(put_own(request, page, user, menu=reverse("catalog:index")))


def _whole_page(shelf: Shelf, heading: str, favourites: bool) -> str:
    """Return the page with marks for what is the reader's own."""
    part = render_to_string("catalog/_shelf.html", {**_context(shelf, favourites), "heading": heading})
    words = shelf.asked.words
    frame = mould(
        "catalog/shelf.html",
        "title",
        "part",
        header=mark(HEADER),
        messages=mark(MESSAGES),
        hearts=mark(HEARTS),
        store_name=settings.STORE_NAME,
        support_email=settings.SUPPORT_EMAIL,
    )
    return frame.fill({"title": _("Search: %(words)s") % {"words": words} if words else heading, "part": part})


def _context(shelf: Shelf, favourites: bool) -> dict[str, object]:
    return {
        "shelf": shelf,
        "favourites": favourites,
        "currency": settings.STORE_CURRENCY,
        "support_email": settings.SUPPORT_EMAIL,
    }
