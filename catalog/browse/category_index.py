"""The category index: the categories customers see, and how much stands in each, counted once per version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper

from catalog.browse.groups import NO_KIND, CategoryKind, kind_of
from catalog.browse.newness import opened_at
from catalog.caching.replica import catalog_connection
from catalog.caching.version import Version
from catalog.caching.versioned_cache import cache_key, process_cached
from catalog.models import HAS_STOCK, Category, Service, ServiceQuerySet, Subcategory, shown_name

# A cell counts its services by what they have; these are the places of the flags in a cell's index.
REFILL, CANCEL, IN_STOCK = 1, 2, 4

Cell = tuple[int, int]  # a shown category and a shown subcategory of it; 0: no subcategory


@dataclass(frozen=True)
class ShownSubcategory:
    """A subcategory as customers see it; merged categories may bring several of one name."""

    pk: int
    name: str
    ids: tuple[int, ...]
    translated: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """What readers see; the index is one for all languages."""
        return shown_name(self.translated, self.name)


@dataclass(frozen=True)
class ShownCategory:
    """A category as customers see it, with those that are merged into it; `name` is the shop's or the English one."""

    pk: int
    name: str
    ids: tuple[int, ...]
    subcategories: tuple[ShownSubcategory, ...]
    services_count: int = 0
    translated: Mapping[str, str] = field(default_factory=dict, compare=False)
    kind: CategoryKind = NO_KIND

    @property
    def title(self) -> str:
        """What readers see; the index is one for all languages."""
        return shown_name(self.translated, self.name)

    @property
    def icon(self) -> str:
        """The symbol of static/icons/sprite.svg that stands beside it."""
        return self.kind.icon

    def subcategory(self, pk: int | None) -> ShownSubcategory | None:
        """Return the subcategory of this id, or of the same name as the one of this id."""
        return next((each for each in self.subcategories if pk in each.ids), None)


# What is read of a service among the few that are counted one by one. Plain tuples: there may be a thousand.
COUNTED = (
    *("pk", "category_id", "subcategory_id", "refill", "cancel", "in_stock"),
    *("qualities", "country", "covered_days", "speed_per_day"),
    *("position", "search_text"),  # the text is left out where it decides nothing: it is longer than all the others
)
CountedRow = tuple[Any, ...]


@dataclass(frozen=True)
class Counts:
    """How many services stand in each cell: `cell[flags]` have at least these flags. When `capped`, there are more."""

    cells: dict[Cell, list[int]]
    capped: bool = False
    rows: dict[tuple[Cell, int], list[CountedRow]] = field(default_factory=dict)  # by cell and exact flags, where few

    def total(self, *, category: int | None = None, subcategory: int | None = None, needs: int = 0) -> int:
        """Return how many have all the flags in `needs`, everywhere or in one category or subcategory."""
        return sum(
            cell[needs]
            for (in_category, in_subcategory), cell in self.cells.items()
            if category in (None, in_category) and subcategory in (None, in_subcategory)
        )

    def rows_of(
        self, *, category: int | None = None, subcategory: int | None = None, needs: int = 0
    ) -> list[CountedRow]:
        """Return those that `total` counts; complete only when there are any, and it is not `capped`."""
        return [
            row
            for ((in_category, in_subcategory), flags), rows in self.rows.items()
            if category in (None, in_category) and subcategory in (None, in_subcategory) and flags & needs == needs
            for row in rows
        ]

    def by_category(self, needs: int) -> dict[int, int]:
        """Return how many have these flags, by shown category."""
        found: dict[int, int] = {}
        for (category, _subcategory), cell in self.cells.items():
            found[category] = found.get(category, 0) + cell[needs]
        return found

    def by_subcategory(self, category: int, needs: int) -> dict[int, int]:
        """Return how many of one category have these flags, by shown subcategory."""
        return {place[1]: cell[needs] for place, cell in self.cells.items() if place[0] == category}


@dataclass(frozen=True)
class CategoryIndex:
    """What there is to browse: categories in their order, those not shown, and everything counted."""

    categories: tuple[ShownCategory, ...]
    hidden_ids: tuple[int, ...]
    unconfirmed_ids: tuple[int, ...]
    counts: Counts
    version: Version  # what it was made for; what is kept that is made of it is of this one, too
    opened_at: datetime | None  # when the shop found its first services
    _place_of: dict[int, int] = field(repr=False)  # any category's id: the shown one's place in `categories`
    _subcategories: dict[int, ShownSubcategory] = field(repr=False)  # any shown category's subcategory's id
    _rows: dict[int, tuple[Any, ...]] = field(repr=False)  # any category's id: the columns of its row

    def category(self, pk: int | None) -> ShownCategory | None:
        """Return the shown category that this one is, or is merged into."""
        place = None if pk is None else self._place_of.get(pk)
        return None if place is None else self.categories[place]

    def subcategory(self, pk: int | None) -> ShownSubcategory | None:
        """Return the subcategory of this id as it is shown."""
        return None if pk is None else self._subcategories.get(pk)

    @property
    def on_sale(self) -> list[ShownCategory]:
        """The categories with something to sell."""
        return [each for each in self.categories if each.services_count]

    def cell(self, category_id: int, subcategory_id: int | None) -> Cell:
        """Return where a service of these ids is counted."""
        category = self.category(category_id)
        if category is None:
            return 0, 0
        subcategory = self.subcategory(subcategory_id)
        return category.pk, 0 if subcategory is None else subcategory.pk

    def put_categories(self, services: Iterable[Service]) -> None:
        """Give these services their categories, which need not be read from the database again."""
        names = [column.attname for column in Category._meta.concrete_fields]
        made: dict[int, Category] = {}
        for service in services:
            for pk in filter(None, (service.category_id, service.upstream_category_id)):
                if pk in self._rows and pk not in made:
                    made[pk] = Category.from_db("default", names, self._rows[pk])
            # One that is newer than the index is read when it is needed.
            if service.category_id in made:
                service.category = made[service.category_id]
            if service.upstream_category_id in made:
                service.upstream_category = made[service.upstream_category_id]

    def count(self, services: ServiceQuerySet) -> Counts:
        """Count services by cell and flags, however many. One query."""
        return self.count_cells((row[:-1], row[-1]) for row in _grouped(services))

    def count_cells(self, cells: Iterable[tuple[tuple[Any, ...], int]]) -> Counts:
        """Count what is grouped by category, subcategory, refill, cancel and in stock, each group with its number."""
        counted: dict[Cell, list[int]] = {}
        for (category_id, subcategory_id, refill, cancel, in_stock), number in cells:
            _add(counted, self.cell(category_id, subcategory_id), _flags(refill, cancel, in_stock), number)
        return Counts(counted)

    def count_rows(self, services: ServiceQuerySet, *, limit: int, texts: bool = True) -> Counts:
        """Count so many services at most, and keep what each was counted by, with its text or without. One query."""
        grouped: dict[tuple[int, int | None, bool, bool, bool], list[CountedRow]] = {}
        seen = _few(services, COUNTED if texts else COUNTED[:-1], limit)
        for row in seen:
            grouped.setdefault(row[1:6], []).append(row)
        cells: dict[Cell, list[int]] = {}
        rows: dict[tuple[Cell, int], list[CountedRow]] = {}
        for (category_id, subcategory_id, refill, cancel, in_stock), found in grouped.items():
            place, flags = self.cell(category_id, subcategory_id), _flags(refill, cancel, in_stock)
            _add(cells, place, flags, len(found))
            rows.setdefault((place, flags), []).extend(found)
        return Counts(cells, capped=len(seen) >= limit, rows=rows)


def _flags(refill: object, cancel: object, in_stock: object) -> int:
    return REFILL * bool(refill) + CANCEL * bool(cancel) + IN_STOCK * bool(in_stock)


def _add(cells: dict[Cell, list[int]], place: Cell, flags: int, number: int) -> None:
    cell = cells.setdefault(place, [0] * 8)
    for fewer in range(8):
        if flags & fewer == fewer:
            cell[fewer] += number


def category_index(version: Version) -> CategoryIndex:
    """Return the category index at this version of the catalog (see `catalog.caching.version`).

    No query when somebody asked before, else four: one of them counts the whole catalog.
    """
    made = process_cached(cache_key("category_index"), version, partial(_read, version))
    return made if made.version == version else replace(made, version=version)


def _read(version: Version) -> CategoryIndex:
    names = [column.attname for column in Category._meta.concrete_fields]
    rows = list(Category.objects.all())
    subcategories: dict[int, list[Subcategory]] = {}
    for subcategory in Subcategory.objects.order_by("name", "pk"):
        subcategories.setdefault(subcategory.category_id, []).append(subcategory)
    visible = {row.pk for row in rows if row.visible}
    shown = [row for row in rows if row.visible and (row.merged_into_id is None or row.merged_into_id in visible)]
    taken: dict[int, list[int]] = {}
    for row in shown:
        taken.setdefault(row.merged_into_id or row.pk, []).append(row.pk)
    found: list[ShownCategory] = []
    for row in shown:
        if row.merged_into_id is None:
            ids = (row.pk, *(pk for pk in taken[row.pk] if pk != row.pk))
            translated = {**({} if row.display_name else row.translated_names), **row.own_names}
            own = row.display_name or row.name
            below = _by_name(ids, subcategories)
            found.append(
                ShownCategory(row.pk, own, ids, below, translated=translated, kind=kind_of(row.name, row.group))
            )
    shown_ids = {row.pk for row in shown}
    uncounted = CategoryIndex(
        categories=tuple(found),
        hidden_ids=tuple(row.pk for row in rows if row.pk not in shown_ids),
        unconfirmed_ids=tuple(row.pk for row in rows if row.rate_confirmed_at is None),
        counts=Counts({}),
        version=version,
        opened_at=opened_at(),
        _place_of={pk: place for place, each in enumerate(found) for pk in each.ids},
        _subcategories={pk: of_name for each in found for of_name in each.subcategories for pk in of_name.ids},
        _rows={row.pk: tuple(row.__dict__[name] for name in names) for row in rows},
    )
    return _counted(uncounted)


def _by_name(ids: Sequence[int], subcategories: dict[int, list[Subcategory]]) -> tuple[ShownSubcategory, ...]:
    by_name: dict[str, list[Subcategory]] = {}
    for category_id in ids:
        for row in subcategories.get(category_id, []):
            by_name.setdefault(row.name, []).append(row)
    return tuple(
        ShownSubcategory(
            rows[0].pk,
            name,
            tuple(row.pk for row in rows),
            next((row.translated_names for row in rows if row.translated_names), {}),
        )
        for name, rows in sorted(by_name.items())
    )


def _counted(plain: CategoryIndex) -> CategoryIndex:
    counts = plain.count(Service.objects.on_sale_in_any_category().exclude(category__in=plain.hidden_ids))
    totals = counts.by_category(0)
    categories = tuple(replace(each, services_count=totals.get(each.pk, 0)) for each in plain.categories)
    return replace(plain, categories=categories, counts=counts)


def _with_stock(services: ServiceQuerySet) -> Any:
    return services.order_by().annotate(in_stock=ExpressionWrapper(HAS_STOCK, output_field=BooleanField()))


def _grouped(services: ServiceQuerySet) -> Iterable[tuple[int, int | None, bool, bool, bool, int]]:
    """Count by category, subcategory and flags."""
    by = _with_stock(services).values_list("category_id", "subcategory_id", "refill", "cancel", "in_stock")
    return by.annotate(number=Count("pk"))


def _few(services: ServiceQuerySet, columns: tuple[str, ...], limit: int) -> list[CountedRow]:
    """Read these columns of COUNTED without a word of Django's for each row."""
    sql, params = _with_stock(services).values_list(*columns)[:limit].query.sql_with_params()
    with catalog_connection().cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
