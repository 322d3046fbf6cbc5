"""The texts of the services on sale in this process's memory, for SQLite: it has no index that finds parts of texts.

A look through twenty thousand rows takes it 25 ms for each question, most of it for turning pages, and a search asks
several. In memory that is 2 ms, for some megabytes and a reading after each change of the catalog. PostgreSQL has its
trigrams.
"""

import json
from collections.abc import Sequence

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from catalog.caching.version import recent_version
from catalog.caching.versioned_cache import cache_key, process_cached
from catalog.models import Service
from catalog.words.terms import Term, all_begin_in, begins_in, found_in, is_short

SEARCHED = "search_text"
Row = tuple[int, str]


def services_with(terms: list[Term]) -> Q:
    """Return the condition that a service has all terms; among those on sale, where others could not be asked for."""
    if connection.vendor == "postgresql":
        return found_in(SEARCHED, terms)
    return _are(_rows(), terms, only_beginnings=False)


def services_beginning(terms: list[Term]) -> Q:
    """Return the condition that a service has all terms where words begin; for those that `services_with` finds."""
    if connection.vendor == "postgresql":
        return all_begin_in(SEARCHED, terms)
    return _are(_rows(), terms, only_beginnings=True)


def _are(rows: list[Row], terms: list[Term], *, only_beginnings: bool) -> Q:
    for term in terms:
        rows = _with(term, rows, only_beginnings)
    return one_of([pk for pk, _text in rows])


def one_of(ids: Sequence[int]) -> Q:
    """Return the condition that a row has one of these ids: one parameter, for there may be thousands."""
    if connection.vendor == "postgresql":
        return Q(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [list(ids)]))
    return Q(pk__in=RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(ids))]))


def _rows() -> list[Row]:
    return process_cached(cache_key("search_texts"), recent_version().without_stock, _read)


def _read() -> list[Row]:
    return list(Service.objects.on_sale_in_any_category().order_by().values_list("pk", SEARCHED))


def _with(term: Term, rows: list[Row], only_beginnings: bool) -> list[Row]:
    found: dict[int, str] = {}
    for phrase in term.phrases:
        left = rows
        for word in phrase.split():
            left = [row for row in left if word in row[1]]
            if only_beginnings or is_short(word):
                left = [row for row in left if begins_in(row[1], word)]
        found.update(left)
    return list(found.items())
