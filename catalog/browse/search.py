"""Finding services by words or by number, the best matches first."""

import re
from collections.abc import Callable, Collection, Sequence
from operator import itemgetter

from django.db.models import Case, IntegerField, Q, Value, When

from catalog.browse.category_index import COUNTED, CountedRow
from catalog.browse.facets import MAX_COUNTED
from catalog.browse.forms import ListingQuery, Sort, whole_number
from catalog.models import Service, ServiceQuerySet
from catalog.words.synonyms import synonyms
from catalog.words.terms import BEGINNING, PART, may_be_parts, may_rank_apart, rank_of, terms_of
from catalog.words.texts import one_of, services_beginning, services_with
from upstream.reading.text import comparable

Rank = Callable[[CountedRow], int]  # the lower, the better
PK, POSITION, SEARCH_TEXT = map(COUNTED.index, ("pk", "position", "search_text"))
THE_ONE = -1  # the rank of the service whose number was typed
# As people write a number that is meant to be one: "#12", "№ 12" (which is compared as "no"), "ID: 12".
_MEANT_AS_NUMBER = re.compile(r"(?:#|no\.? ?|id ?[:#]? ?)([0-9]{1,19})")


def find(services: ServiceQuerySet, words: str) -> ServiceQuerySet:
    """Return those services that match all the words, or whose number was typed; "#12" is the number alone."""
    if not words:
        return services
    number = _number_alone(words)
    if number is not None:
        return services.filter(pk=number)
    matching = services_with(terms_of(words))
    number = whole_number(comparable(words))
    return services.filter(matching if number is None else matching | Q(pk=number))


def first_found(words: str, maximum: int, *, category_ids: Collection[int] = ()) -> list[Service]:
    """Return the best that on sale matches the words, with their categories; whole words and beginnings come first.

    One query or two; for when there is no list to be paged and counted. `category_ids`: in these categories alone.
    """
    on_sale = Service.objects.on_sale().select_related("category__merged_into").order_by("position", "pk")
    if category_ids:
        on_sale = on_sale.filter(category__in=category_ids)
    number = _number_alone(words) or whole_number(comparable(words))
    found = list(on_sale.filter(pk=number)) if number is not None else []
    if is_for_a_number(words):
        return found
    terms = terms_of(words)
    having = services_with(terms)
    for condition in (having & services_beginning(terms), having):
        if len(found) < maximum:
            others = on_sale.filter(condition).exclude(pk__in=[each.pk for each in found])
            found += others[: maximum - len(found)]
    return found


def in_order(rows: Sequence[CountedRow], best: Rank | None) -> list[int]:
    """Return the ids of all that match a question, the `best` first where some have its words better than others."""
    if best is None:
        return [row[PK] for row in sorted(rows, key=itemgetter(POSITION, PK))]
    return [row[PK] for row in sorted(rows, key=lambda row: (best(row), row[POSITION], row[PK]))]


def rank_by_words(query: ListingQuery) -> Rank | None:
    """Return how well a counted row has a question's words, or None where all have them alike; reads the synonyms."""
    if not query.words or is_for_a_number(query.words):
        return None
    table = synonyms()
    terms = terms_of(query.words, table)
    number = whole_number(comparable(query.words))
    if number is None and not may_rank_apart(terms, table.said):
        return None
    rank = rank_of(terms)
    return lambda row: THE_ONE if row[PK] == number else rank(row[SEARCH_TEXT])


def ranked(services: ServiceQuerySet, query: ListingQuery) -> ServiceQuerySet:
    """Return these services, of which more match a question's words than are counted, with a `rank`.

    Without where the order is another one, where all have the same, and beyond those that have the words where words
    begin. A query for these, where there can be others.
    """
    if not query.words or query.sort != Sort.USUAL or is_for_a_number(query.words):
        return services
    table = synonyms()
    terms = terms_of(query.words, table)
    if not may_be_parts(terms, table.said):
        return services
    begin = services.filter(services_beginning(terms))
    ids = list(begin.order_by().values_list("pk", flat=True)[: MAX_COUNTED + 1])
    if len(ids) > MAX_COUNTED:
        return begin
    if not ids:
        return services
    if query.after or query.before:  # far beyond them: see `catalog.browse.paging`
        return services.exclude(one_of(ids))
    first = When(one_of(ids), then=Value(BEGINNING))
    return services.annotate(rank=Case(first, default=Value(PART), output_field=IntegerField()))


def is_for_a_number(words: str) -> bool:
    """Whether nothing but a service's number is asked for: "#12"."""
    return _number_alone(words) is not None


def _number_alone(words: str) -> int | None:
    meant = _MEANT_AS_NUMBER.fullmatch(comparable(words))
    return None if meant is None else whole_number(meant[1])
