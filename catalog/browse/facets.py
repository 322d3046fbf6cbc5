"""How many matches each filter would leave: beside every choice, and bounded, however much matches."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from catalog.browse.category_index import (
    CANCEL,
    IN_STOCK,
    REFILL,
    CategoryIndex,
    CountedRow,
    Counts,
    ShownCategory,
    ShownSubcategory,
)
from catalog.browse.forms import ListingQuery
from catalog.browse.number_format import write_number
from catalog.models import HAS_STOCK, ServiceQuerySet
from catalog.models.services import of_home
from catalog.preferences import UNCONFIRMED_MAX_COST

# Words, prices and quantities cannot be counted ahead. Past this many matches nobody reads an exact number, and to
# count thirty thousand of them would be most of the page's time: the page says "1,000+" instead.
MAX_COUNTED = 1000


@dataclass(frozen=True)
class Choice:
    """One value of a filter, and how many matches it would leave; `or_more`: at least so many."""

    value: int
    label: str
    count: int
    or_more: bool
    chosen: bool

    @property
    def written(self) -> str:
        """The count as pages write it: "312", "1,000+"."""
        return write_number(self.count) + ("+" if self.or_more else "")


@dataclass(frozen=True)
class Facets:
    """What the list can be narrowed by, and how many it has."""

    total: int
    or_more: bool
    categories: list[Choice]
    subcategories: list[Choice]
    refill: Choice
    cancel: Choice
    in_stock: Choice
    counted: Sequence[CountedRow] = ()  # those that were counted, where they were not counted ahead

    @property
    def are_all(self) -> bool:
        """Whether `counted` are all that match."""
        return bool(self.counted) and not self.or_more


@dataclass(frozen=True)
class Place:
    """Where somebody looks: a category and a subcategory, or everywhere."""

    category: ShownCategory | None
    subcategory: ShownSubcategory | None

    @classmethod
    def of(cls, query: ListingQuery, category_index: CategoryIndex) -> "Place":
        """Return the place a question names; a subcategory of another category is none."""
        category = category_index.category(query.category_id)
        return cls(category, category.subcategory(query.subcategory_id) if category else None)


def narrow_openly(services: ServiceQuerySet, query: ListingQuery, category_index: CategoryIndex) -> ServiceQuerySet:
    """Return those with a price and a quantity as asked for; neither can be counted ahead."""
    by_price = query.price_from_micros is not None or query.price_to_micros is not None
    certain = Q(rate_per_override__isnull=False) | ~of_home(category_index.unconfirmed_ids)
    if by_price and category_index.unconfirmed_ids:
        services = services.filter(certain)  # the others have no price that could be compared
    if query.price_from_micros is not None:
        services = services.filter(selling_per_thousand_micros__gte=query.price_from_micros)
    if query.price_to_micros is not None:
        services = services.filter(selling_per_thousand_micros__lte=query.price_to_micros)
    quantity = query.quantity
    if quantity is None:
        return services
    enough = Q(stock=None) | Q(stock__gte=quantity)
    services = services.filter(enough, min_quantity__lte=quantity, max_quantity__gte=quantity)
    if not category_index.unconfirmed_ids:
        return services
    # As Service.max_unconfirmed has it: where the unit of a rate is not certain, an order has to be cheap either way.
    max_micros = UNCONFIRMED_MAX_COST.value // quantity
    return services.filter(certain | Q(rate_upstream_micros__lte=max_micros))


def narrow_to_place(services: ServiceQuerySet, place: Place, category_index: CategoryIndex) -> ServiceQuerySet:
    """Return those in this place; everywhere still leaves out what stands in a hidden category."""
    if place.subcategory is not None:
        return services.filter(_one_of("subcategory", place.subcategory.ids))
    if place.category is not None:
        return services.filter(_one_of("category", place.category.ids))
    return services.exclude(category__in=category_index.hidden_ids) if category_index.hidden_ids else services


def narrow_by_flags(services: ServiceQuerySet, query: ListingQuery) -> ServiceQuerySet:
    """Return those with the flags asked for."""
    if query.refill:
        services = services.filter(refill=True)
    if query.cancel:
        services = services.filter(cancel=True)
    return services.filter(HAS_STOCK) if query.in_stock else services


def count_facets(
    found: ServiceQuerySet,
    query: ListingQuery,
    category_index: CategoryIndex,
    *,
    ahead: bool,
    within: ShownCategory | None = None,
    texts: bool = True,
) -> Facets:
    """Count what matches and what each filter would leave; `within` a category there are no others to choose.

    `found` matches words, price and quantity, everywhere; with `ahead` it is all that is on sale, and the index's
    counts are taken. Else one query, and a second one when a place or a flag is chosen among more than MAX_COUNTED.
    `texts`: whether what is counted comes with its text, by which it may have to be put in order.
    """
    place = Place.of(query, category_index)
    around = Place(within, None)
    counts = (
        category_index.counts
        if ahead
        else category_index.count_rows(narrow_to_place(found, around, category_index), limit=MAX_COUNTED, texts=texts)
    )
    here = counts
    needs = _needs(query)
    if counts.capped and (place != around or needs):
        # The chosen ones may be rare among those counted: count them by themselves.
        here = category_index.count_rows(
            narrow_by_flags(narrow_to_place(found, place, category_index), query), limit=MAX_COUNTED, texts=texts
        )
    return _Counter(place, needs, counts, here).facets(category_index)


def facets_of(counts: Counts, query: ListingQuery, category_index: CategoryIndex) -> Facets:
    """Return what each filter would leave, where everything that has a question's words has been counted."""
    return _Counter(Place.of(query, category_index), _needs(query), counts, counts).facets(category_index)


def _needs(query: ListingQuery) -> int:
    return REFILL * query.refill + CANCEL * query.cancel + IN_STOCK * query.in_stock


@dataclass(frozen=True)
class _Counter:
    """Counts by every filter but the one in question: `counts` of everything, `here` of what is chosen."""

    place: Place
    needs: int
    counts: Counts
    here: Counts

    def facets(self, category_index: CategoryIndex) -> Facets:
        total = self.here.total(**self._chosen, needs=self.needs)
        return Facets(
            total=total,
            or_more=self.here.capped,
            categories=self._categories(category_index.on_sale),
            subcategories=self._subcategories(self.place.category) if self.place.category else [],
            refill=self._flag(REFILL),
            cancel=self._flag(CANCEL),
            in_stock=self._flag(IN_STOCK),
            counted=self.here.rows_of(**self._chosen, needs=self.needs),
        )

    @property
    def _chosen(self) -> dict[str, int | None]:
        category, subcategory = self.place.category, self.place.subcategory
        return {
            "category": category.pk if category else None,
            "subcategory": subcategory.pk if subcategory else None,
        }

    def _categories(self, shown: list[ShownCategory]) -> list[Choice]:
        everywhere, here = self.counts.by_category(self.needs), self.here.by_category(self.needs)
        exact = self.place.subcategory is None
        chosen = self.place.category
        return [
            self._choice(each.pk, each.title, everywhere, here, each == chosen, exact and chosen in (None, each))
            for each in shown
        ]

    def _subcategories(self, category: ShownCategory) -> list[Choice]:
        everywhere, here = (each.by_subcategory(category.pk, self.needs) for each in (self.counts, self.here))
        chosen = self.place.subcategory
        return [
            self._choice(each.pk, each.title, everywhere, here, each == chosen, chosen in (None, each))
            for each in category.subcategories
        ]

    def _flag(self, flag: int) -> Choice:
        needs = self.needs | flag
        everywhere, here = (each.total(**self._chosen, needs=needs) for each in (self.counts, self.here))
        return self._choice(1, "", {1: everywhere}, {1: here}, bool(self.needs & flag), True)

    def _choice(
        self, value: int, label: str, everywhere: dict[int, int], here: dict[int, int], chosen: bool, within: bool
    ) -> Choice:
        """Both counts are true of what they looked at, so the larger one is nearer to the truth.

        What stands outside the chosen place was counted with everything alone; what stands `within`, by itself as well.
        """
        count = max(everywhere.get(value, 0), here.get(value, 0))
        exact = not self.counts.capped or (within and not self.here.capped)
        return Choice(value, label, count, not exact, chosen)


def _one_of(field: str, ids: tuple[int, ...]) -> Q:
    # One id alone lets the database read an index in the order of the list.
    return Q(**{field: ids[0]}) if len(ids) == 1 else Q(**{f"{field}__in": ids})
