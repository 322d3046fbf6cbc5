"""Finding a number: websites and apps, countries, and what a number costs in each; all questions, nothing is changed.

There are some thousand websites and apps and some two hundred countries, but every pair of them may be for sale: lists
of pairs are read as a few columns, priced and sorted here, and only the shown ones are read whole.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from accounts.models import User
from sms.models import Country, Number, Project, ProjectQuerySet, Site, SuccessRate
from sms.preferences import SUCCESS_LEAST
from sms.pricing import NumberBook, Place
from upstream.reading.text import line

MAX_WORDS = 10
LONGEST_QUERY = 200
NUMBERS_LOOKED_BACK = 200
SORTS = ("popular", "price", "success")


class Asked(NamedTuple):
    """What an address asks for; nonsense in it means: nothing special."""

    words: str = ""
    sort: str = SORTS[0]
    by_country: bool = False
    exact: bool = False  # the very words, even where they find nothing

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "Asked":
        words = " ".join(line(params.get("q", ""))[:LONGEST_QUERY].split()[:MAX_WORDS])
        sort = params.get("sort", "")
        return cls(
            words, sort if sort in SORTS else SORTS[0], params.get("by") == "country", params.get("exact") == "1"
        )

    @property
    def by_site(self) -> bool:
        return not self.by_country


@dataclass(frozen=True)
class Tile:
    """A website or app with the number of its countries, or a country with the number of what it is good for."""

    row: Any
    price_micros: int
    count: int
    success: SuccessRate | None = None  # of all of them together; not a row of the database


@dataclass(frozen=True)
class Listed:
    """A project in a list: what it costs the customer, and how often codes came."""

    place: Place
    price_micros: int
    observed: int
    received: int
    median_seconds: int | None

    @property
    def success(self) -> tuple[int, int]:
        """What a list by success is sorted by, the best first; what too few numbers speak for comes last."""
        if self.observed < SUCCESS_LEAST.value:
            return 1, 0
        return 0, -(self.received * 1_000_000 // self.observed)


def sites_on_sale() -> QuerySet[Site]:
    return Site.objects.filter(Exists(Project.objects.on_sale().filter(site=OuterRef("pk"))))


def countries_on_sale() -> QuerySet[Country]:
    return Country.objects.filter(Exists(Project.objects.on_sale().filter(country=OuterRef("pk"))))


def tiles_of_sites(sites: Iterable[Site], book: NumberBook) -> list[Tile]:
    """Return a tile for each website or app that is on sale, in their order; two queries."""
    rows = list(sites)
    projects = Project.objects.on_sale().filter(site__in=[row.pk for row in rows])
    return _tiles(rows, book.cheapest_of_sites(projects), _counts(projects, "site_id", "country"))


def tiles_of_countries(countries: Iterable[Country], book: NumberBook) -> list[Tile]:
    """Return a tile for each country that is on sale, in their order; two queries."""
    rows = list(countries)
    projects = Project.objects.on_sale().filter(country__in=[row.pk for row in rows])
    return _tiles(rows, book.cheapest_of_countries(projects), _counts(projects, "country_id", "site"))


def popular(model: type[Site] | type[Country], maximum: int) -> list[Any]:
    """Return what was bought for most in the last days; two queries, the first over what was bought at all."""
    key = "project__site_id" if model is Site else "project__country_id"
    counted = (
        SuccessRate.objects.filter(project__in=Project.objects.on_sale())
        .order_by()
        .values_list(key)
        .annotate(total=Sum("observed"))
        .order_by("-total", key)[:maximum]
    )
    ids = [pk for pk, _total in counted]
    rows = model._default_manager.in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def recent_projects(user: User | AnonymousUser) -> list[int]:
    """Return the ids of the projects the customer bought numbers of lately, the last one first; one query."""
    if not isinstance(user, User):
        return []
    own = Number.objects.filter(order__user=user).order_by("-order_id")
    return list(dict.fromkeys(own.values_list("project_id", flat=True)[:NUMBERS_LOOKED_BACK]))


def listed(projects: ProjectQuerySet, book: NumberBook, *, sort: str, recent: Iterable[int] = ()) -> list[Listed]:
    """Return these projects sorted; one query.

    "popular": the customer's `recent` ones, then what was bought most, then what costs least; "price"; or "success".
    """
    columns = (
        *("pk", "site_id", "country_id", "price_upstream_micros"),
        *("success__observed", "success__received", "success__median_seconds"),
    )
    found = []
    for *ids, observed, received, median in projects.order_by().values_list(*columns):
        place = Place(*ids)
        found.append(Listed(place, book.price_at(place), observed or 0, received or 0, median))
    own = {pk: number for number, pk in enumerate(recent)}
    last = len(own)
    keys: dict[str, Callable[[Listed], tuple[Any, ...]]] = {
        "popular": lambda one: (own.get(one.place.project_id, last), -one.observed, one.price_micros),
        "price": lambda one: (one.price_micros,),
        "success": lambda one: (one.success, one.median_seconds or 0, one.price_micros),
    }
    key = keys[sort]
    return sorted(found, key=lambda one: (*key(one), one.place.project_id))


def by_place(places: Iterable[Place]) -> list[list[int]]:
    """Return the ids of projects, those of one website or app in one country together, where the first of them stood.

    Upstream may list the same one several times, at different prices.
    """
    found: dict[tuple[int, int], list[int]] = {}
    for place in places:
        found.setdefault((place.site_id, place.country_id), []).append(place.project_id)
    return list(found.values())


def whole(ids: Iterable[int]) -> list[Project]:
    """Return those that are on sale, with country, website and success, in the order of the ids; one query."""
    wanted = list(ids)
    rows = Project.objects.on_sale().select_related("country", "site", "success").in_bulk(wanted)
    return [rows[pk] for pk in wanted if pk in rows]


def success_of(project: Project) -> SuccessRate | None:
    """Return how often codes came, where enough numbers speak for it; wants `success` at hand."""
    rate: SuccessRate | None = getattr(project, "success", None)
    return rate if rate is not None and rate.observed >= SUCCESS_LEAST.value else None


class Counted(NamedTuple):
    """How many countries a website has, or websites a country, and how often codes came there."""

    places: int
    observed: int | None
    received: int | None

    @property
    def success(self) -> SuccessRate | None:
        observed = self.observed or 0
        if observed < SUCCESS_LEAST.value:
            return None
        return SuccessRate(observed=observed, received=self.received or 0)


def _counts(projects: ProjectQuerySet, key: str, counted: str) -> dict[int, Counted]:
    # A project has one success rate or none, so that no row is counted twice.
    rows = projects.order_by().values_list(key).annotate(Count(counted, distinct=True))
    summed = rows.annotate(observed=Sum("success__observed"), received=Sum("success__received"))
    return {pk: Counted(*counts) for pk, *counts in summed}


def _tiles(rows: list[Any], prices: dict[int, int], counts: dict[int, Counted]) -> list[Tile]:
    return [
        Tile(row, prices[row.pk], counts[row.pk].places, counts[row.pk].success) for row in rows if row.pk in prices
    ]
