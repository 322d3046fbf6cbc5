"""Finding a number: websites and apps, countries, and what a number costs in each; all questions, nothing is changed.

There are some thousand websites and apps and some two hundred countries, but every pair of them may be for sale: lists
of pairs are read as a few columns, priced and sorted here, and only the shown ones are read whole.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, Value, When

from accounts.models import User
from sms.models import Country, Number, Project, ProjectQuerySet, Site, SuccessRate
from sms.pricing import NumberBook, Place
from upstream.reading.text import comparable, line

MAX_WORDS = 10
LONGEST_QUERY = 200
NUMBERS_LOOKED_BACK = 200
OFFERS_OF_ONE = 4  # of one website or app in one country, about as many as upstream lists
SORTS = ("popular", "price", "success")


class Asked(NamedTuple):
    """What an address asks for; nonsense in it means: nothing special."""

    words: str = ""
    sort: str = SORTS[0]
    by_country: bool = False

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "Asked":
        words = " ".join(line(params.get("q", ""))[:LONGEST_QUERY].split()[:MAX_WORDS])
        sort = params.get("sort", "")
        return cls(words, sort if sort in SORTS else SORTS[0], params.get("by") == "country")

    @property
    def by_site(self) -> bool:
        return not self.by_country

    @property
    def each(self) -> list[str]:
        return comparable(self.words).split()


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
        if self.observed < settings.SMS_SUCCESS_MIN_OBSERVED:
            return 1, 0
        return 0, -(self.received * 1_000_000 // self.observed)


def matching(rows: QuerySet[Any], words: Iterable[str]) -> QuerySet[Any]:
    """Return the websites and apps, or the countries, that have all the words; those that begin with them first."""
    asked = list(words)
    for word in asked:
        rows = rows.filter(search_text__contains=word)
    if not asked:
        return rows
    first = asked[0]
    ranked = [When(search_text__startswith=" ".join(asked), then=0), When(search_text__startswith=first, then=1)]
    if rows.model is Country:
        ranked.insert(0, When(Q(dial_code=f"+{first.removeprefix('+')}") | Q(code=first), then=Value(-1)))
    ranks = rows.annotate(rank=Case(*ranked, default=2, output_field=IntegerField()))
    ordered: QuerySet[Any] = ranks.order_by("rank", "name")
    return ordered


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


def mixed(words: list[str], maximum: int) -> list[list[int]]:
    """Return projects whose website or country has each word, as `by_place`; the most bought first, then the cheapest.

    Three queries: which websites and countries have which word is looked up first, the pairs are many.
    """
    projects = Project.objects.on_sale()
    sites = list(Site.objects.filter(_any("search_text", words)).values_list("pk", "search_text"))
    countries = list(Country.objects.filter(_any("search_text", words)).values_list("pk", "search_text"))
    for word in words:
        of_sites = [pk for pk, text in sites if word in text]
        of_countries = [pk for pk, text in countries if word in text]
        projects = projects.filter(Q(site__in=of_sites) | Q(country__in=of_countries))
    ordered = projects.order_by(F("success__observed").desc(nulls_last=True), "price_upstream_micros", "pk")
    columns = ("pk", "site_id", "country_id", "price_upstream_micros")
    rows = ordered.values_list(*columns)[: maximum * OFFERS_OF_ONE]
    return by_place(Place(*row) for row in rows)[:maximum]


def whole(ids: Iterable[int]) -> list[Project]:
    """Return those that are on sale, with country, website and success, in the order of the ids; one query."""
    wanted = list(ids)
    rows = Project.objects.on_sale().select_related("country", "site", "success").in_bulk(wanted)
    return [rows[pk] for pk in wanted if pk in rows]


def success_of(project: Project) -> SuccessRate | None:
    """Return how often codes came, where enough numbers speak for it; wants `success` at hand."""
    rate: SuccessRate | None = getattr(project, "success", None)
    return rate if rate is not None and rate.observed >= settings.SMS_SUCCESS_MIN_OBSERVED else None


def _any(field: str, words: list[str]) -> Q:
    found = Q()
    for word in words:
        found |= Q(**{f"{field}__contains": word})
    return found


class Counted(NamedTuple):
    """How many countries a website has, or websites a country, and how often codes came there."""

    places: int
    observed: int | None
    received: int | None

    @property
    def success(self) -> SuccessRate | None:
        observed = self.observed or 0
        if observed < settings.SMS_SUCCESS_MIN_OBSERVED:
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
