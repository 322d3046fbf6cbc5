"""What a list's question finds, by the index of words or the database: how much by which filter, and a page's rows.

The index answers questions for words, places and flags, and counts all that matches. The database answers every
question, and counts up to a thousand.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from catalog.browse.category_index import CategoryIndex, ShownCategory
from catalog.browse.facets import (
    MAX_COUNTED,
    Facets,
    Place,
    count_facets,
    facets_of,
    narrow_by_flags,
    narrow_openly,
    narrow_to_place,
)
from catalog.browse.fact_filters import (
    FactFilter,
    count_fact_filters,
    fact_filters_among,
    fact_filters_of,
    narrow_by_facts,
)
from catalog.browse.forms import ListingQuery, Sort, whole_number
from catalog.browse.paging import Window, named_row, open_page, open_window, page_beside
from catalog.browse.search import PK, Rank, find, in_order, is_for_a_number, rank_by_words, ranked
from catalog.caching.version import recent_version
from catalog.models import Service, ServiceQuerySet
from catalog.word_index.index import WordIndex
from catalog.word_index.kept import word_index
from catalog.words.terms import terms_of
from catalog.words.texts import one_of
from upstream.reading.text import comparable


class Answer(Protocol):
    """What a question finds."""

    @property
    def facets(self) -> Facets:
        """How many match, and how many each filter would leave."""

    def fact_filters(self) -> Sequence[FactFilter]:
        """Return the filters by facts."""

    def window(self, known: Container[int] = ()) -> Window:
        """Return the page that was asked for; services that are `known` need not be read."""


@dataclass(frozen=True)
class Shop:
    """Where a question is asked: all that is on sale, or `among` some; `within` a category whose page it is."""

    category_index: CategoryIndex
    within: ShownCategory | None = None
    among: ServiceQuerySet | None = None

    def answer(self, query: ListingQuery) -> Answer:
        """Look for what a question asks for. No query where there is an index of words for it, else one to three."""
        if self.among is None and query.is_about_words and not is_for_a_number(query.words):
            index = word_index(recent_version())
            answer = None if index is None else _ask_the_index(index, query, self)
            if answer is not None:
                return answer
        return _ask_the_database(query, self)

    def finds(self, query: ListingQuery) -> bool:
        """Whether anything matches; one query."""
        return self.matching(query).exists()

    def matching(self, query: ListingQuery) -> ServiceQuerySet:
        """Return what matches, in no order."""
        return self.narrow(narrow_by_facts(self.openly(query), query), query)

    def openly(self, query: ListingQuery) -> ServiceQuerySet:
        """Return what has the words, price and quantity that are asked for."""
        services = Service.objects.all() if self.among is None else self.among
        found = find(services.on_sale_in_any_category(), query.words)
        return narrow_openly(found, query, self.category_index)

    def narrow(self, services: ServiceQuerySet, query: ListingQuery) -> ServiceQuerySet:
        """Return those in the place and with the flags that are asked for."""
        place = Place.of(query, self.category_index)
        return narrow_by_flags(narrow_to_place(services, place, self.category_index), query)


@dataclass(frozen=True)
class _OfTheIndex:
    query: ListingQuery
    shop: Shop
    index: WordIndex
    facets: Facets
    places: list[int]  # of all that match, the best first

    def fact_filters(self) -> Sequence[FactFilter]:
        return fact_filters_of([fact.count(self.places) for fact in self.index.facts], self.query)

    def window(self, known: Container[int] = ()) -> Window:
        query, ids = self.query, self.index.ids
        if query.sort == Sort.USUAL:
            row = named_row(query)
            beside = (at for at, place in enumerate(self.places) if ids[place] == row)
            number = query.page if row is None else page_beside(query, next(beside, None))
            return open_page(self.places, query.with_(page=number), ids=ids, known=known)
        if len(self.places) > MAX_COUNTED:
            shown = ranked(self.shop.matching(query), query)
        else:
            shown = Service.objects.filter(one_of([ids[place] for place in self.places]))
        return open_window(shown, query, counted=len(self.places), or_more=False)


@dataclass(frozen=True)
class _OfTheDatabase:
    query: ListingQuery
    shop: Shop
    facets: Facets
    rank: Rank | None

    def fact_filters(self) -> Sequence[FactFilter]:
        query, facets = self.query, self.facets
        if facets.counted and not query.asks_for_facts:
            return fact_filters_among(facets.counted, query, limit=MAX_COUNTED)
        if not facets.total and not query.asks_for_facts:
            return ()
        matching = self.shop.narrow(self.shop.openly(query), query)
        ahead = self.shop.among is None and query.is_about_facts
        limit, version = (None, self.shop.category_index.version) if ahead else (MAX_COUNTED, None)
        return count_fact_filters(matching, query, limit=limit, version=version)

    def window(self, known: Container[int] = ()) -> Window:
        query, facets = self.query, self.facets
        if facets.are_all and query.sort == Sort.USUAL:
            return open_page(in_order(facets.counted, self.rank), query, known=known)
        if facets.are_all:
            shown = Service.objects.filter(one_of([row[PK] for row in facets.counted]))
        else:
            shown = ranked(self.shop.matching(query), query)
        return open_window(shown, query, counted=facets.total, or_more=facets.or_more)


def _ask_the_index(index: WordIndex, query: ListingQuery, shop: Shop) -> Answer | None:
    categories, cells = shop.category_index, index.cells
    found = index.find(terms_of(query.words), whole_number(comparable(query.words)))
    if found is None:
        return None
    counted = cells.count_numbers(found)
    around, place = Place(shop.within, None), Place.of(query, categories)
    near = {cell: number for cell, number in counted.items() if _is_in(around, cells.values[cell], categories)}
    here = {
        cell for cell in near if _is_in(place, cells.values[cell], categories) and _has_flags(query, cells.values[cell])
    }
    counts = categories.count_cells((cells.values[cell], number) for cell, number in near.items())
    places = found if len(here) == len(counted) else cells.having(found, here)
    return _OfTheIndex(query, shop, index, facets_of(counts, query, categories), places)


def _is_in(place: Place, cell: tuple[Any, ...], categories: CategoryIndex) -> bool:
    """Whether what is counted so stands in this place; as `narrow_to_place` has it."""
    category_id, subcategory_id, *_flags = cell
    if place.subcategory is not None:
        return subcategory_id in place.subcategory.ids
    return category_id in place.category.ids if place.category else category_id not in categories.hidden_ids


def _has_flags(query: ListingQuery, cell: tuple[Any, ...]) -> bool:
    _category_id, _subcategory_id, refill, cancel, in_stock = cell
    return (refill or not query.refill) and (cancel or not query.cancel) and (in_stock or not query.in_stock)


def _ask_the_database(query: ListingQuery, shop: Shop) -> Answer:
    rank = rank_by_words(query)
    ahead = shop.among is None and query.is_counted_ahead
    found = narrow_by_facts(shop.openly(query), query)
    texts = rank is not None
    facets = count_facets(found, query, shop.category_index, ahead=ahead, within=shop.within, texts=texts)
    return _OfTheDatabase(query, shop, facets, rank)
