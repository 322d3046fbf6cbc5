"""Typed words as conditions on a text that is searched: where a word may stand, and by which other names it goes.

A word of four letters or more is found anywhere in a text, "gram" in "instagram". Shorter ones would be found
everywhere, "ig" in "high", and only count where a word begins. So it is the same for the words of the synonym table.
Texts that are searched are stored as `searchable` has them: words with one blank between, so that a word begins where
the text does or after a blank.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Concat, StrIndex
from django.db.models.lookups import GreaterThan

from catalog.words.synonyms import Synonyms, synonyms
from upstream.reading.text import words_of

MAX_WORDS = 10
SHORT = 3
# From here on stand scripts that write no spaces between words, or none that a beginning could be told by.
FIRST_WITHOUT_EDGES = "\u0590"
NOTHING_SAID = 2  # no words have been learned
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
        """Whether a text as `searchable` has it would be found by `found_in`."""
        return any(all(_is_anywhere(text, word) for word in phrase.split()) for phrase in self.phrases)

    def begins_in(self, field: str) -> Q:
        """Return the condition that it, or another word for it, begins in the text where a word begins."""
        return _any(Q(*(_at_edge(field, word) for word in phrase.split())) for phrase in self.phrases)


def terms_of(words: str, table: Synonyms | None = None) -> list[Term]:
    """Return what was typed in terms, the longest phrases of the synonym table first; no query but the table's."""
    table = table or synonyms()
    typed = words_of(words)[:MAX_WORDS]
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


def all_begin_in(field: str, terms: Iterable[Term]) -> Q:
    """Return the condition that all terms stand where words begin."""
    return Q(*(term.begins_in(field) for term in terms))


def rank_of(terms: Iterable[Term]) -> Callable[[str], int]:
    """Return how well a text with all terms has them: WHOLE words before BEGINNINGs of words, and these before PARTs.

    What is looked for is put together once: a search ranks up to a thousand texts.
    """
    beginning = [[tuple(f" {word}" for word in phrase.split()) for phrase in term.phrases] for term in terms]
    whole = [[tuple(f"{word} " for word in words) for words in phrases] for phrases in beginning]

    def rank(text: str) -> int:
        spaced = f" {text} "
        if _has_each(spaced, whole):
            return WHOLE
        return BEGINNING if _has_each(spaced, beginning) else PART

    return rank


def _has_each(text: str, terms: list[list[tuple[str, ...]]]) -> bool:
    """Whether the text has of each term one phrase, which is all of its words."""
    return all(any(all(map(text.__contains__, words)) for words in phrases) for phrases in terms)


def may_rank_apart(terms: Iterable[Term], said: str) -> bool:
    """Whether texts with all terms can have another rank than WHOLE, as far as `said` has the words of the texts."""
    return any(_is_part_of_a_word(word, said) for word in _words_of(terms))


def may_be_parts(terms: list[Term], said: str) -> bool:
    """Whether of the texts with all terms some can begin with them and others not, as far as `said` has their words."""
    inside = any(_is_part_of_a_word(word, said, only_inside=True) for word in _words_of(terms) if not is_short(word))
    return inside and (len(said) <= NOTHING_SAID or all(_may_begin(term, said) for term in terms))


def _may_begin(term: Term, said: str) -> bool:
    return any(all(not word.isalnum() or f"\n{word}" in said for word in phrase.split()) for phrase in term.phrases)


def _words_of(terms: Iterable[Term]) -> set[str]:
    return {word for term in terms for phrase in term.phrases for word in phrase.split()}


def _is_part_of_a_word(word: str, said: str, *, only_inside: bool = False) -> bool:
    if len(said) <= NOTHING_SAID:
        return True
    place = said.find(word)
    while place >= 0:
        if said[place - 1] != "\n" or (not only_inside and said[place + len(word)] != "\n"):
            return True
        place = said.find(word, place + 1)
    return not word.isalnum()  # what has signs in it is in no list of words


def is_short(word: str) -> bool:
    """Whether a word only counts where a word begins."""
    return len(word) <= SHORT and word[0].isalnum() and word[0] < FIRST_WITHOUT_EDGES


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found


def _anywhere(field: str, word: str) -> Q:
    if not is_short(word):
        return Q(**{f"{field}__contains": word})
    return Q(**{f"{field}__contains": f" {word}"}) | Q(**{f"{field}__startswith": word})  # trigrams know both


def _is_anywhere(text: str, word: str) -> bool:
    return begins_in(text, word) if is_short(word) else word in text


def _at_edge(field: str, word: str) -> Q:
    # Not LIKE: the planner thinks that it would find next to nothing, and sorts what it could read in order.
    text = Concat(Value(" "), F(field), output_field=TextField())
    return Q(GreaterThan(StrIndex(text, Value(f" {word}")), 0))


def begins_in(text: str, word: str) -> bool:
    """Whether a word of a text as `searchable` has it begins so."""
    return text.startswith(word) or f" {word}" in text
