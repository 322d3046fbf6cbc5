"""Finding services by words or by number, the best matches first."""

import re
from collections.abc import Collection

from django.db.models import Case, IntegerField, Q, Value, When

from catalog.browse.facets import MAX_COUNTED, Facets
from catalog.browse.forms import ListingQuery, Sort, whole_number
from catalog.models import Service, ServiceQuerySet
from catalog.words.synonyms import synonyms
from catalog.words.terms import BEGINNING, PART, Term, may_be_parts, may_rank_apart, rank_of, terms_of
from catalog.words.texts import SEARCHED, one_of, services_beginning, services_with
from upstream.reading.text import comparable

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
    if _number_alone(words) is not None:
        return found
    terms = terms_of(words)
    having = services_with(terms)
    for condition in (having & services_beginning(terms), having):
        if len(found) < maximum:
            others = on_sale.filter(condition).exclude(pk__in=[each.pk for each in found])
            found += others[: maximum - len(found)]
    return found


def ranked(services: ServiceQuerySet, query: ListingQuery, facets: Facets) -> ServiceQuerySet:
    """Return these services, found by a question's words, with a `rank`; without where the order is another one.

    Words that stand alone come before beginnings of words, and these before parts. Of more than are counted only the
    beginnings are looked for, and where these are as many, they are all that is shown: one query more. What the words
    that are known say cannot differ is not compared.
    """
    if not query.words or query.sort != Sort.USUAL or _number_alone(query.words) is not None:
        return services
    table = synonyms()
    terms = terms_of(query.words, table)
    number = whole_number(comparable(query.words))
    if not facets.or_more:
        may_differ = number is not None or may_rank_apart(terms, table.said)
        return services.annotate(rank=_exact_first(number, terms)) if may_differ else services
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


def _number_alone(words: str) -> int | None:
    meant = _MEANT_AS_NUMBER.fullmatch(comparable(words))
    return None if meant is None else whole_number(meant[1])


def _exact_first(number: int | None, terms: list[Term]) -> Case:
    rank = rank_of(SEARCHED, terms)
    if number is None:
        return rank
    return Case(When(pk=number, then=Value(THE_ONE)), default=rank, output_field=IntegerField())
