"""Typed words and what they find: websites and apps, countries, and numbers for one in the other.

There are some thousand websites and apps and some two hundred countries: what is known of them is read whole where
words find nothing, and compared here.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from catalog.words.corrections import LONGEST_WORD, corrections
from catalog.words.synonyms import synonyms
from catalog.words.terms import Term, all_begin_in, found_in, terms_of
from sms.models import Country, Project, Site
from sms.pricing import Place
from sms.queries.search import by_place
from upstream.reading.text import searchable

OFFERS_OF_ONE = 4  # of one website or app in one country, about as many as upstream lists
SEARCHED = "search_text"
SHORTEST_WORD = 2
MAX_TRIED = 10


def matching(rows: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Return the websites and apps, or the countries, that have all the words; those that begin with them first."""
    terms = terms_of(words)
    if not terms:
        return rows
    first = terms[0]
    begins = [When(search_text__startswith=phrase, then=1) for phrase in first.phrases]
    ranked = [
        When(search_text__startswith=searchable(words), then=0),
        *begins,
        When(all_begin_in(SEARCHED, terms), then=2),
    ]
    if rows.model is Country:
        code = Q(dial_code=f"+{first.typed}") | Q(code=first.typed)
        ranked.insert(0, When(code, then=Value(-1)))
    ranks = rows.filter(found_in(SEARCHED, terms)).annotate(
        rank=Case(*ranked, default=3, output_field=IntegerField()),
    )
    ordered: QuerySet[Any] = ranks.order_by("rank", "name")
    return ordered


def mixed(words: str, maximum: int) -> list[list[int]]:
    """Return projects whose website or country has each word, as `by_place`; the most bought first, then the cheapest.

    Three queries: which websites and countries have which word is looked up first, the pairs are many.
    """
    terms = terms_of(words)
    projects = Project.objects.on_sale()
    any_of_them = Q()
    for term in terms:
        any_of_them |= term.found_in(SEARCHED)
    sites = list(Site.objects.filter(any_of_them).values_list("pk", SEARCHED))
    countries = list(Country.objects.filter(any_of_them).values_list("pk", SEARCHED))
    for term in terms:
        of_sites = [pk for pk, text in sites if term.is_in(text)]
        of_countries = [pk for pk, text in countries if term.is_in(text)]
        projects = projects.filter(Q(site__in=of_sites) | Q(country__in=of_countries))
    ordered = projects.order_by(F("success__observed").desc(nulls_last=True), "price_upstream_micros", "pk")
    columns = ("pk", "site_id", "country_id", "price_upstream_micros")
    rows = ordered.values_list(*columns)[: maximum * OFFERS_OF_ONE]
    return by_place(Place(*row) for row in rows)[:maximum]


def closest_words(words: str, *among: QuerySet[Any]) -> list[str]:
    """Return what was probably meant by words that find nothing among these rows, the likeliest first; a query each."""
    return corrections(words, Counter(_words_of(_texts(*among))), synonyms())


def fewer_words(words: str, *among: QuerySet[Any]) -> list[str]:
    """Return those of several words that find something among these rows by themselves."""
    terms = terms_of(words)[:MAX_TRIED]
    if len(terms) < 2:
        return []
    texts = _texts(*among)
    return [term.typed for term in terms if _is_in_any(term, texts)]


def _is_in_any(term: Term, texts: Iterable[str]) -> bool:
    return any(term.is_in(text) for text in texts)


def _texts(*among: QuerySet[Any]) -> list[str]:
    return [text for rows in among for text in rows.order_by().values_list(SEARCHED, flat=True)]


def _words_of(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        for word in text.split():
            if SHORTEST_WORD <= len(word) <= LONGEST_WORD:
                yield word
