"""Rows of countries from what upstream says: one for each country, however many ways upstream has of writing it."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import chain, count

from sms.formats.countries import dial_code_of, region_of, same_country, written_name
from sms.merging import former_codes, merge_alike, merge_into, row_now
from sms.models import Country, Project
from upstream.protocol.wire import SmsProject
from upstream.reading.text import comparable, names_nothing

LONGEST_NAME = 100
CODE = re.compile(r"[\w+-]+")  # what may stand in an address


def keep_countries(listed: Mapping[str, str], rows: Iterable[SmsProject]) -> dict[tuple[str, str], Country]:
    """Return the country of each (country_id, country_title) of these rows, new ones added.

    `listed` are upstream's own titles by code. A row without a title is in the country that the list has under its
    code, that the code means, or that other rows have under it. Two rows that mean one country are made one first;
    what a country is found by is brought up to date for all of them, a dial code only where there is none yet.
    """
    merge_countries()
    rows = list(rows)
    titles = _titles_by_code(rows)
    known = list(Country.objects.order_by("pk"))
    by_meaning = {same_country(country.code, country.name): country for country in reversed(known)}
    by_code = {country.code: country for country in known}
    by_id = {country.pk: country for country in known}
    former = former_codes()
    found: dict[tuple[str, str], Country] = {}
    for row in rows:
        key = (row.country_id, row.country_title)
        if key in found:
            continue
        code, name = row.country_id, row.country_title or listed.get(row.country_id, "")
        called = titles.get(code, [])
        if not name and not region_of(code) and len(called) == 1:
            name = called[0]
        meaning = same_country(code, name)
        # Without any name it is the country that has the code, or had it, unless several are called so.
        same_code = by_code.get(code) if name or len(called) < 2 else None
        if not name and same_code is None and len(called) < 2:
            same_code = by_id.get(former.get(code, 0))
        country = by_meaning.get(meaning) or (_unless_certain(same_code) if name else same_code)
        if country is None:
            country = _new_country(code, name, taken=former.keys() | by_code.keys())
            by_code[country.code] = by_meaning[meaning] = country
        elif comparable(country.name) == comparable(name) or names_nothing(country.name):
            country.name = written_name(code, name)[:LONGEST_NAME]
        found[key] = country
    _save({country.pk or country.code: country for country in (*known, *found.values())}.values())
    return found


def country_called(text: str) -> Country | None:
    """Return the country that is meant by a code, as upstream has it or in another way of writing codes."""
    exact = Country.objects.filter(code=text).first() or Country.objects.filter(pk=row_now(Country, text) or 0).first()
    if exact is not None or not (region := region_of(text)):
        return exact
    countries = Country.objects.order_by("pk")
    return next((one for one in countries if region_of(one.code, one.name) == region), None)


def merge_countries() -> int:
    """Make rows that mean one country the oldest of them, with all that points at them; return how many went.

    What was hidden stays hidden, and ids and codes that somebody holds lead to the row that stays. Projects go on being
    asked for in the words that upstream had for their country.
    """
    return merge_alike(Country.objects.order_by("pk"), lambda one: same_country(one.code, one.name), _merge)


def _merge(into: Country, double: Country) -> None:
    Project.objects.filter(country=double, country_code="").update(country_code=double.code)
    twins = {project.upstream_id: project for project in into.projects.all()}
    for project in double.projects.all():
        if twin := twins.get(project.upstream_id):
            merge_into(twin, project, key=str(project.pk))
    into.dial_code = into.dial_code or double.dial_code
    into.translated_names = {**double.translated_names, **into.translated_names}
    into.save(update_fields=["dial_code", "translated_names"])
    merge_into(into, double, key=double.code)


def _titles_by_code(rows: Iterable[SmsProject]) -> dict[str, list[str]]:
    """Return one title of each country that rows have under a code."""
    titles: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.country_title:
            titles[row.country_id].setdefault(same_country(row.country_id, row.country_title), row.country_title)
    return {code: list(named.values()) for code, named in titles.items()}


def _unless_certain(country: Country | None) -> Country | None:
    """Return the country that has a code already, unless it is certain which one that is: then it is another."""
    return None if country is None or region_of(country.code, country.name) else country


def _new_country(code: str, name: str, *, taken: Collection[str]) -> Country:
    """Return an unsaved country under a code that addresses can have and that no other country has already."""
    free = code
    if code in taken or not CODE.fullmatch(code):
        begins = code[:12] if CODE.fullmatch(code) else "country"
        names = chain([region_of(code, name).lower()], (f"{begins}-{number}" for number in count(2)))
        free = next(one for one in names if one and one not in taken)
    return Country(code=free, name=written_name(code, name)[:LONGEST_NAME])


def _save(countries: Iterable[Country]) -> None:
    new, stale = [], []
    stored = {row["pk"]: row for row in Country.objects.values("pk", "name", "dial_code", "search_text")}
    for country in countries:
        country.dial_code = country.dial_code or dial_code_of(country.code, country.name)
        country.search_text = country.found_by()
        before = stored.get(country.pk)
        if before is None:
            new.append(country)
        elif any(getattr(country, column) != before[column] for column in ("name", "dial_code", "search_text")):
            stale.append(country)
    Country.objects.bulk_create(new)
    Country.objects.bulk_update(stale, ["name", "dial_code", "search_text"], batch_size=200)
