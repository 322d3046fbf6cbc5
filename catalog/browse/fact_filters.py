"""Filters by facts: what a list can be narrowed by, and how many matches each choice would leave.

Narrowed by a fact, a list is counted as one with a price is: openly, never ahead. What has been read to be counted by
the other filters is counted here without another look; else the choices are counted in one query, whatever matches, and
what a list of a whole category would leave is kept until the catalog changes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from django.db.models import F
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.browse.category_index import COUNTED, CountedRow
from catalog.browse.facets import Choice
from catalog.browse.forms import FACT_STEPS, ListingQuery, Sort
from catalog.browse.number_format import write_number
from catalog.caching.prerendered import prerendered
from catalog.caching.replica import catalog_connection
from catalog.caching.version import Version
from catalog.caching.versioned_cache import cache_key, cached, store
from catalog.models import ServiceQuerySet
from catalog.titles.countries import country_name
from catalog.titles.facts import LIFETIME_DAYS, QUALITIES
from catalog.titles.words import QUALITY_WORDS, days_in_words, short_number

MAX_CHOICES = 60  # of countries; the rarest are left out
# The column of each filter, by its field of `ListingQuery`.
COLUMNS = {"quality": "qualities", "country": "country", "days": "covered_days", "speed": "speed_per_day"}
LEGENDS = {
    "quality": _("Quality"),
    "country": _("Country"),
    "days": _("Refill or warranty"),
    "speed": _("Speed per day"),
}
EVERYTHING = {
    "quality": _("Any quality"),
    "country": _("Any country"),
    "days": _("With or without"),
    "speed": _("Any speed"),
}
Counted = dict[str, dict[Any, int]]  # by filter and value of its column


@dataclass(frozen=True)
class FactChoice:
    """One value of a filter by a fact, and how many matches it would leave."""

    value: str
    label: str
    count: int
    written: str
    chosen: bool


def options_of(choices: Iterable["FactChoice | Choice"]) -> SafeString:
    """Return the options of a select: these choices, each with how many matches it would leave."""
    option = prerendered("components/facet_option.html", "value", "label", "count", "selected")
    selected = mark_safe(" selected")
    texts = [
        option.fill(
            {
                "value": each.value,
                "label": each.label,
                "count": each.written,
                "selected": selected if each.chosen else "",
            }
        )
        for each in choices
    ]
    return mark_safe("".join(texts))  # noqa: S308 - each is safe


@dataclass(frozen=True)
class FactFilter:
    """A filter by one fact with its choices; there are at least two, or one that is chosen."""

    name: str
    legend: str
    everything: str
    choices: list[FactChoice]

    @property
    def chosen(self) -> FactChoice | None:
        """The choice that narrows the list, if one does."""
        return next((each for each in self.choices if each.chosen), None)

    @property
    def options(self) -> SafeString:
        """The choices as the options of a select."""
        return options_of(self.choices)


def narrow_by_facts(services: ServiceQuerySet, query: ListingQuery) -> ServiceQuerySet:
    """Return those with the facts asked for."""
    if query.quality:
        bit = 1 << QUALITIES.index(query.quality)
        services = services.alias(asked_quality=F("qualities").bitand(bit)).filter(asked_quality__gt=0)
    if query.country:
        services = services.filter(country=query.country)
    if query.days:
        services = services.filter(covered_days__gte=query.days)
    return services.filter(speed_per_day__gte=query.speed) if query.speed else services


def count_fact_filters(
    matching: ServiceQuerySet, query: ListingQuery, *, limit: int | None, version: Version | None
) -> list[FactFilter]:
    """Return the filters by facts. `matching` are those with everything asked for but facts; `limit`: so many at most.

    One query; none where the `version` of the catalog is given and somebody asked the same before.
    """
    if version is None:
        counted = _count(matching, query, limit)
    else:
        key = cache_key("facts", query.with_(sort=Sort.USUAL).encode())
        counted = cached(key, version)
        if counted is None:
            counted = _count(matching, query, limit)
            store(key, version, counted, shows_prices=False)
    return _filters(counted, query, limit)


def fact_filters_among(rows: Sequence[CountedRow], query: ListingQuery, *, limit: int) -> list[FactFilter]:
    """Return the filters by facts of a list that no fact narrows, whose matches have been read; no query."""
    counts = [Counter(map(itemgetter(COUNTED.index(column)), rows)) for column in COLUMNS.values()]
    return fact_filters_of(counts, query, limit=limit)


def fact_filters_of(
    counts: Sequence[Mapping[Any, int]], query: ListingQuery, *, limit: int | None = None
) -> list[FactFilter]:
    """Return the filters by facts where no fact narrows: for each of COLUMNS how many have which value; no query."""
    counted = {
        name: {value: count for value, count in of_column.items() if value is not None}
        for name, of_column in zip(COLUMNS, counts, strict=True)
    }
    return _filters(counted, query, limit)


def _count(matching: ServiceQuerySet, query: ListingQuery, limit: int | None) -> Counted:
    """Count by each filter's values, each with the other filters' choices: one statement of a few short ones."""
    rows = matching.order_by().values("pk", *COLUMNS.values())[:limit]
    sql, params = rows.query.sql_with_params()
    parts, values = [], [*params]
    for number, (name, column) in enumerate(COLUMNS.items()):
        conditions, bound = _where(query, but=name)
        # Our own names of columns; each value as a text, so that all parts have one type.
        parts.append(
            f"SELECT {number}, CAST({column} AS TEXT), COUNT(*) FROM found"  # noqa: S608 - our own names of columns
            f" WHERE {column} IS NOT NULL{conditions} GROUP BY {column}"
        )
        values += bound
    with catalog_connection().cursor() as cursor:
        cursor.execute(f"WITH found AS ({sql}) {' UNION ALL '.join(parts)}", values)
        counted: Counted = {name: {} for name in COLUMNS}
        names = list(COLUMNS)
        for number, value, count in cursor.fetchall():
            name = names[number]
            counted[name][value if name == "country" else int(value)] = count
    return counted


def _where(query: ListingQuery, *, but: str) -> tuple[str, list[Any]]:
    """Return the conditions of the other filters as SQL."""
    found = {
        "quality": ("qualities & %s <> 0", 1 << QUALITIES.index(query.quality) if query.quality else None),
        "country": ("country = %s", query.country or None),
        "days": ("covered_days >= %s", query.days),
        "speed": ("speed_per_day >= %s", query.speed),
    }
    asked = {name: pair for name, pair in found.items() if name != but and pair[1] is not None}
    return "".join(f" AND {condition}" for condition, _value in asked.values()), [value for _, value in asked.values()]


def _filters(counted: Counted, query: ListingQuery, limit: int | None) -> list[FactFilter]:
    found = []
    for name, make in _MAKERS.items():
        counts = counted[name]
        or_more = "+" if limit is not None and sum(counts.values()) >= limit else ""
        chosen = str(getattr(query, name) or "")
        choices = [
            FactChoice(value, label, count, write_number(count) + or_more, value == chosen)
            for value, label, count in make(counts, chosen)
            if count or value == chosen
        ]
        if len(choices) > 1 or chosen:
            found.append(FactFilter(name, str(LEGENDS[name]), str(EVERYTHING[name]), choices))
    return found


def _qualities(counts: Mapping[Any, int], _chosen: str) -> list[tuple[str, str, int]]:
    totals = [
        (name, sum(count for mask, count in counts.items() if mask & (1 << place)))
        for place, name in enumerate(QUALITIES)
    ]
    return [(name, str(QUALITY_WORDS[name]), count) for name, count in totals]


def _countries(counts: Mapping[Any, int], chosen: str) -> list[tuple[str, str, int]]:
    rows = [(code, country_name(code), count) for code, count in counts.items() if code]
    if chosen and chosen not in counts:
        rows.append((chosen, country_name(chosen), 0))
    most = sorted(rows, key=lambda row: (row[0] != chosen, -row[2]))[:MAX_CHOICES]
    return sorted(most, key=lambda row: row[1])


def _at_least(name: str, counts: Mapping[Any, int], chosen: str) -> list[tuple[str, str, int]]:
    """Return the steps; one that leaves as many as the next one says nothing."""
    found: list[tuple[str, str, int]] = []
    for step in FACT_STEPS[name]:
        count = sum(number for value, number in counts.items() if value >= step)
        if found and found[-1][2] == count and found[-1][0] != chosen:
            found.pop()
        found.append((str(step), step_in_words(name, step), count))
    return found


_MAKERS: dict[str, Callable[[Mapping[Any, int], str], list[tuple[str, str, int]]]] = {
    "quality": _qualities,
    "country": _countries,
    "days": partial(_at_least, "days"),
    "speed": partial(_at_least, "speed"),
}


def step_in_words(name: str, step: int) -> str:
    """Return what a step of a filter says: "30 days or more"."""
    return _step_in_words(name, step, get_language() or "en")


@lru_cache(maxsize=200)
def _step_in_words(name: str, step: int, _language: str) -> str:
    if name == "speed":
        return str(_("%(pieces)s or more")) % {"pieces": short_number(step)}
    if step >= LIFETIME_DAYS:
        return str(_("Lifetime"))
    return str(_("%(days)s or more")) % {"days": days_in_words(step)}


def fact_chip(query: ListingQuery, name: str) -> str:
    """Return what the filter by this fact says as a chip; "" where it narrows nothing."""
    value = getattr(query, name)
    if not value:
        return ""
    if name == "quality":
        return str(QUALITY_WORDS[value])
    if name == "country":
        return country_name(value)
    words = step_in_words(name, value)
    return _("Refill: %(days)s") % {"days": words} if name == "days" else _("Speed: %(pieces)s") % {"pieces": words}
