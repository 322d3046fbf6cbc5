"""A listing: one page of services with its filters, as category, search and favorites show it.

It is made without the request, from the question, the reader's prices and the catalog alone, so that what is cached of
it can be shown to everybody whose prices are the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from catalog.browse.answers import Shop
from catalog.browse.category_index import CategoryIndex, ShownCategory
from catalog.browse.facets import Facets, Place
from catalog.browse.fact_filters import FactFilter, fact_chip, options_of
from catalog.browse.forms import ListingQuery, Sort, price_text
from catalog.browse.kept_lines import kept_lines
from catalog.browse.number_format import write_number
from catalog.browse.paging import Window
from catalog.browse.rows import Pricing, write_rows
from catalog.browse.suggestions import Filter, suggest
from catalog.models import ServiceQuerySet
from catalog.words.vocabulary import closest_words


@dataclass(frozen=True)
class Link:
    """A way to another state of the listing: a chip that takes a filter away, a tab, a suggestion."""

    label: str
    url: str
    count: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Listing:
    """One page of a list of services, and the ways on from it."""

    path: str
    asked: ListingQuery
    query: ListingQuery  # what was answered: the nearest sensible question
    facets: Facets
    window: Window
    fixed: ShownCategory | None = None  # the category whose own page it is
    category: ShownCategory | None = None
    corrected: bool = False
    rows: str = ""  # ready markup
    suggestions: tuple[Link, ...] = ()  # for an empty list: what finds something
    fact_filters: Sequence[FactFilter] = ()

    def url(self, query: ListingQuery) -> str:
        """Return the address of another state of this listing; its own category is in the path already."""
        text = (replace(query, category_id=None) if self.fixed else query).encode()
        return f"{self.path}?{text}" if text else self.path

    @property
    def address(self) -> str:
        """The listing's own address, in its shortest form."""
        return self.url(self.query if not self.corrected else replace(self.query, words=self.asked.words))

    @property
    def canonical(self) -> str:
        """The address that stands for this listing in all its orders and filters: search engines keep that one."""
        return self.url(ListingQuery(subcategory_id=self.query.subcategory_id, page=self.query.page))

    @property
    def as_typed_url(self) -> str:
        """The address of the list of what has the very words that were typed, where others were taken for them."""
        return self.url(self.asked.with_(exact=True))

    @property
    def count(self) -> str:
        """How many match, as the page writes it: "1,000+" when there are more than are counted."""
        return write_number(self.facets.total) + ("+" if self.facets.or_more else "")

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        return [(sort.value, str(sort.label), sort == self.query.sort) for sort in Sort]

    @property
    def category_options(self) -> SafeString:
        """The categories to choose from, as the options of a select."""
        return options_of(each for each in self.facets.categories if each.count or each.chosen)

    @property
    def price_from(self) -> str:
        return price_text(self.query.price_from_micros)

    @property
    def price_to(self) -> str:
        return price_text(self.query.price_to_micros)

    @property
    def subcategory_id(self) -> int | None:
        return self.query.subcategory_id

    @property
    def previous_url(self) -> str:
        return self.url(self.window.previous) if self.window.previous else ""

    @property
    def following_url(self) -> str:
        return self.url(self.window.following) if self.window.following else ""

    @property
    def subcategories(self) -> list[Link]:
        """The subcategories of the chosen category that have matches, and the way back to all of it."""
        shown = [each for each in self.facets.subcategories if each.count or each.chosen]
        if not shown:
            return []
        everything = Link(_("Everything"), self.url(self.query.with_(subcategory_id=None)), "", not self.subcategory_id)
        links = [
            Link(
                each.label,
                self.url(self.query.with_(subcategory_id=each.value)),
                each.written,
                each.chosen,
            )
            for each in shown
        ]
        return [everything, *links]

    @property
    def chips(self) -> list[Link]:
        """What narrows the list, each with the address of the list without it."""
        query = self.query
        chips = [Link(each.label, self.url(query.with_(**each.without))) for each in self.filters]
        return [*chips, Link(_("Clear all"), self.path)] if len(chips) > 1 else chips

    @property
    def filters(self) -> list[Filter]:
        """What narrows the list besides words and the category whose page it is."""
        query = self.query
        found: list[Filter] = []
        if self.category is not None and self.fixed is None:
            found.append(Filter(self.category.title, {"category_id": None, "subcategory_id": None}))
        found += [Filter(each.label, {"subcategory_id": None}) for each in self.facets.subcategories if each.chosen]
        minimum, maximum = query.price_from_micros, query.price_to_micros
        if minimum is not None:
            found.append(Filter(_("from %(price)s") % {"price": money(minimum)}, {"price_from_micros": None}))
        if maximum is not None:
            found.append(Filter(_("up to %(price)s") % {"price": money(maximum)}, {"price_to_micros": None}))
        if query.quantity is not None:
            text = _("for %(quantity)s pieces") % {"quantity": write_number(query.quantity)}
            found.append(Filter(text, {"quantity": None}))
        for name in ("quality", "country", "days", "speed"):
            if label := fact_chip(query, name):
                found.append(Filter(label, {name: ListingQuery.__dataclass_fields__[name].default}))
        flags = [(query.refill, _("Refill"), "refill"), (query.cancel, _("Can be canceled"), "cancel")]
        flags.append((query.in_stock, _("In stock"), "in_stock"))
        found += [Filter(label, {name: False}) for chosen, label, name in flags if chosen]
        return found


def fill_listing(
    path: str,
    asked: ListingQuery,
    *,
    category_index: CategoryIndex,
    user: User | None,
    fixed: ShownCategory | None = None,
    among: ServiceQuerySet | None = None,
) -> Listing:
    """Find, count, page and price what a question asks for; what it names and does not exist is left out of it.

    `fixed` is the category whose page it is; `among` narrows to these services, a customer's favorites for one.
    Queries: one for the rows; up to two for counts unless they are counted ahead, and one more where more match than
    are counted; one for filters by facts where one is chosen or nothing was counted; one or two for the price book.
    When nothing has the words: one for what comes close to them and as many again for each try, four at most, then ten
    for what to suggest.
    """
    shop = Shop(category_index, fixed, among)
    query = _sensible(asked, category_index, fixed)
    answer = shop.answer(query)
    close = closest_words(query.words) if query.words and not answer.facets.total else []
    corrected = False
    for words in () if query.exact else close:
        nearest = shop.answer(query.with_(words=words))
        if nearest.facets.total:
            query, answer, corrected = query.with_(words=words), nearest, True
            break
    category, now = Place.of(query, category_index).category, timezone.now()
    version, language = category_index.version, get_language() or "en"
    kept = kept_lines(user, version=version, language=language, names_categories=category is None, now=now)
    fact_filters, window = answer.fact_filters(), answer.window(() if kept is None else kept)
    if window.number is not None:
        query = replace(query, page=window.number, after="", before="")
    listing = Listing(path, asked, query, answer.facets, window, fixed, category, corrected)
    category_index.put_categories(window.rows)
    rows = write_rows(
        window,
        Pricing(user),
        category_index,
        sign_in_url="" if user else f"{reverse('account_login')}?{urlencode({'next': listing.address})}",
        names_categories=category is None,
        kept=kept,
        now=now,
    )
    if not rows:
        listing = replace(listing, suggestions=_links(listing, close, category_index, shop.finds))
    return replace(listing, rows=rows, fact_filters=fact_filters)


def _links(
    listing: Listing, close: list[str], category_index: CategoryIndex, finds: Callable[[ListingQuery], bool]
) -> tuple[Link, ...]:
    """Return the ways on from a list that is empty."""
    query, fixed = listing.query, listing.fixed
    found = suggest(query, listing.filters, close, category_index, finds, fixed=fixed is not None)
    search = reverse("catalog:search")
    return tuple(
        Link(
            each.label,
            listing.url(each.query)
            if fixed is None or each.query.category_id == fixed.pk
            else f"{search}?{each.query.encode()}",
        )
        for each in found
    )


def _sensible(asked: ListingQuery, category_index: CategoryIndex, fixed: ShownCategory | None) -> ListingQuery:
    """Return the question without what does not exist, and with the shown ones' ids for what is merged."""
    query = replace(asked, category_id=fixed.pk) if fixed else asked
    place = Place.of(query, category_index)
    return replace(
        query,
        category_id=place.category.pk if place.category else None,
        subcategory_id=place.subcategory.pk if place.subcategory else None,
    )
