"""Typed words as conditions on a text that is searched: where a word may stand, and by which other names it goes.

A word of four letters or more is found anywhere in a text, "gram" in "instagram". Shorter ones would be found
everywhere, "ig" in "high", and only count where a word begins. So it is the same for the words of the synonym table.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, IntegerField, Q, Value, When

from catalog.words.synonyms import synonyms
from upstream.reading.text import comparable

MAX_WORDS = 10
SHORT = 3
# From here on stand scripts that write no spaces between words, or none that a beginning could be told by.
FIRST_WITHOUT_EDGES = "\u0590"
# What no word goes on with. PostgreSQL is told of other letters than those of ASCII: in the C locale it knows no more.
# A list and no look-behind, because trigrams can be taken from it.
_POSTGRESQL_BREAK = "[^[:alnum:]\u00c0-\u024f\u0370-\u058f]"
WHOLE, BEGINNING, PART = range(3)


@dataclass(frozen=True)
class Term:
    """Something that was typed, a word or a phrase of the synonym table, with the other words for it."""

    typed: str
    others: tuple[str, ...] = ()

    @property
    def phrases(self) -> tuple[str, ...]:
        return self.typed, *self.others

    def found_in(self, field: str) -> Q:
        """Return the condition that a text column has it, or another word for it."""
        return _any(Q(*(_anywhere(field, word) for word in phrase.split())) for phrase in self.phrases)

    def is_in(self, text: str) -> bool:
        """Whether a text as `comparable` has it would be found by `found_in`."""
        return any(all(_is_anywhere(text, word) for word in phrase.split()) for phrase in self.phrases)

    def stands_in(self, field: str, *, whole: bool) -> Q:
        """Return the condition that it, or another word for it, begins in the text where a word begins.

        `whole`: and ends where one ends.
        """
        return _any(Q(*(_at_edge(field, word, whole=whole) for word in phrase.split())) for phrase in self.phrases)


def terms_of(words: str) -> list[Term]:
    """Return what was typed in terms, the longest phrases of the synonym table first; no query but the table's."""
    table = synonyms()
    typed = comparable(words).split()[:MAX_WORDS]
    terms = []
    while typed:
        lengths = range(min(len(typed), table.longest), 0, -1)
        phrases = (" ".join(typed[:length]) for length in lengths)
        phrase = next((phrase for phrase in phrases if phrase in table.others), typed[0])
        terms.append(Term(phrase, table.others.get(phrase, ())))
        del typed[: len(phrase.split())]
    return terms


def found_in(field: str, terms: Iterable[Term]) -> Q:
    """Return the condition that a text column has all terms."""
    return Q(*(term.found_in(field) for term in terms))


def stand_in(field: str, terms: Iterable[Term]) -> Q:
    """Return the condition that all terms stand where words begin."""
    return Q(*(term.stands_in(field, whole=False) for term in terms))


def rank_of(field: str, terms: list[Term]) -> Case:
    """Return how well a text has all terms: WHOLE words come before BEGINNINGs of words, and these before PARTs."""
    whole = Q(*(term.stands_in(field, whole=True) for term in terms))
    return Case(
        When(whole, then=Value(WHOLE)),
        When(stand_in(field, terms), then=Value(BEGINNING)),
        default=Value(PART),
        output_field=IntegerField(),
    )


def is_short(word: str) -> bool:
    """Whether a word only counts where a word begins."""
    return len(word) <= SHORT and word[0].isalnum() and word[0] < FIRST_WITHOUT_EDGES


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found


def _anywhere(field: str, word: str) -> Q:
    return _at_edge(field, word, whole=False) if is_short(word) else Q(**{f"{field}__contains": word})


def _is_anywhere(text: str, word: str) -> bool:
    return bool(re.search(begins_with(word), text)) if is_short(word) else word in text


def _at_edge(field: str, word: str, *, whole: bool) -> Q:
    if connection.vendor == "postgresql":
        end = f"({_POSTGRESQL_BREAK}|$)" if whole else ""
        return Q(**{f"{field}__regex": f"(^|{_POSTGRESQL_BREAK}){re.escape(word)}{end}"})
    # Every row would be handed to Python: those without the letters need not be.
    end = r"(?![^\W_])" if whole else ""
    return Q(**{f"{field}__contains": word}) & Q(**{f"{field}__regex": f"{begins_with(word)}{end}"})


def begins_with(word: str) -> str:
    """Return the pattern, as Python has it, of a word at the beginning of one."""
    return rf"(?<![^\W_]){re.escape(word)}"
