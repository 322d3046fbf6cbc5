"""The listings: all categories, one category, the search, and a customer's favorites."""

from collections.abc import Callable

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
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
from catalog.browse.category_index import CategoryIndex, category_index
from catalog.browse.filter_form import filter_form
from catalog.browse.forms import ListingQuery
from catalog.browse.groups import by_group
from catalog.browse.listings import Listing, fill_listing
from catalog.caching.page_cache import cached_page
from catalog.caching.personal_parts import (
    FAVORITES_FORM,
    HEADER,
    MESSAGES,
    SharedPage,
    fill_personal_parts,
    mark,
    prices_of,
)
from catalog.caching.prerendered import prerendered
from catalog.caching.replica import read_at
from catalog.caching.version import recent_version
from catalog.caching.versioned_cache import cache_key, look_up, store
from catalog.models import Service
from catalog.operations.favorites import (
    add_favorite,
    favorites_among,
    favorites_of,
    remove_favorite,
)
from preferences.face import STORE_NAME, SUPPORT_EMAIL

NO_FACTS = mark_safe('<meta name="robots" content="noindex">')


@cached_page(browses=True, tells_stock=False)
@require_safe
def index(request: PageRequest) -> HttpResponse:
    """Show all categories with something on sale."""
    categories = category_index(recent_version()).on_sale
    return render(request, "catalog/index.html", {"categories": categories, "groups": by_group(categories)})


@cached_page("sub", "page", browses=True)
@require_safe
def category(request: PageRequest, pk: int) -> HttpResponse:
    """Show the services of one category, or of one of its subcategories; a merged one leads to where they are."""

    def make(categories: CategoryIndex, query: ListingQuery, user: User | None) -> Listing:
        shown = categories.category(pk)
        if shown is None:
            raise Http404
        if shown.pk != pk:
            raise _Elsewhere(shown.pk)
        return fill_listing(request.path, query, category_index=categories, user=user, fixed=shown)

    try:
        return _listing_page(request, make, "")
    except _Elsewhere as elsewhere:
        return redirect(reverse("catalog:category", args=[elsewhere.category_id], query=request.GET))


@cached_page("page", browses=True)
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """Search and browse everything on sale; htmx asks for the results alone while the words are typed."""

    def make(categories: CategoryIndex, query: ListingQuery, user: User | None) -> Listing:
        return fill_listing(request.path, query, category_index=categories, user=user)

    return _listing_page(request, make, _("Search"))


@customers_only
@require_safe
def favorites(request: CustomerRequest) -> HttpResponse:
    """Show the customer's favorites, with the filters of every listing."""

    def make(categories: CategoryIndex, query: ListingQuery, user: User | None) -> Listing:
        return fill_listing(request.path, query, category_index=categories, user=user, among=favorites_of(request.user))

    return _listing_page(request, make, _("Favorites"), favorites=True)


@customers_only
@require_POST
def favorite(request: CustomerRequest, pk: int) -> HttpResponse:
    """Put a service among the customer's favorites, or take it out; htmx gets the button back as it is now."""
    service = get_object_or_404(Service, pk=pk)
    chosen = request.POST.get("favorite") != "0"
    (add_favorite if chosen else remove_favorite)(request.user, service)
    if wants_part(request):
        button = {"pk": service.pk, "title": service.short_name, "favorite_url": request.path, "favorite": chosen}
        return render(request, "components/favorite_button.html", button)
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("orders:place", args=[service.pk]))


class _Elsewhere(Exception):
    """The category is merged: its services are shown on the page of this one."""

    def __init__(self, category_id: int) -> None:
        super().__init__(category_id)
        self.category_id = category_id


def _listing_page(
    request: PageRequest,
    make: Callable[[CategoryIndex, ListingQuery, User | None], Listing],
    title: str,
    *,
    favorites: bool = False,
) -> HttpResponse:
    """Show the listing that `make` fills, or its changing parts to htmx; `title` is its category's where it has one."""
    user = request.user if isinstance(request.user, User) else None
    query = ListingQuery.read(request.GET)
    may_be_cached = user is not None and not favorites and query.is_counted_ahead and not (query.after or query.before)
    key = cache_key("listing", request.path, query.encode(), get_language(), *prices_of(user)) if may_be_cached else ""
    version, page = look_up(key) if may_be_cached else (recent_version(), None)

    def part() -> tuple[SharedPage, str]:
        listing = make(category_index(version), query, user)
        text = render_to_string("catalog/_update.html", _context(listing, favorites, out_of_band=True))
        return SharedPage.of(text), listing.address

    def whole() -> SharedPage:
        listing = make(category_index(version), query, user)
        return SharedPage.of(_whole_page(listing, listing.fixed.title if listing.fixed else title, favorites))

    if wants_part(request):
        page, address = part() if favorites else read_at(version, part)
        response = HttpResponse(page.fill({}, favorites_among(user, page.service_ids) if user else ()))
        response["HX-Push-Url"] = address
        return response
    if page is None:
        page = whole() if favorites else read_at(version, whole)
        if may_be_cached:
            store(key, version, page)
    return HttpResponse(fill_personal_parts(request, page, user, menu=reverse("catalog:index")))


def _whole_page(listing: Listing, heading: str, favorites: bool) -> str:
    """Return the page with marks for the reader's personal parts."""
    part = render_to_string("catalog/_listing.html", {**_context(listing, favorites), "heading": heading})
    words = listing.asked.words
    facts = ""
    if listing.fixed is not None:  # a search, or somebody's favorites, is nothing for search engines
        facts = render_to_string("catalog/_page_facts.html", {"listing": listing, "store_name": STORE_NAME.value})
    frame = prerendered(
        "catalog/listing.html",
        "title",
        "part",
        "page_facts",
        header=mark(HEADER),
        messages=mark(MESSAGES),
        favorites_form=mark(FAVORITES_FORM),
        store_name=STORE_NAME.value,
        support_email=SUPPORT_EMAIL.value,
    )
    title = _("Search: %(words)s") % {"words": words} if words else heading
    return frame.fill({"title": title, "part": part, "page_facts": facts or NO_FACTS})


def _context(listing: Listing, favorites: bool, *, out_of_band: bool = False) -> dict[str, object]:
    return {
        "listing": listing,
        "favorites": favorites,
        "filter_form": filter_form(listing, out_of_band=out_of_band),
        "support_email": SUPPORT_EMAIL.value,
    }
