"""Which services have which words, and what filters count them by: `WordIndex`, and how one is made.

It holds what is on sale in any category, in the order of lists. The words of a text have one blank between
(`upstream.reading.text.searchable`), so that to look for a part of the text without blanks is to look through all
words that there are for those that have it, and to take what says one of them. The answers are those of
`catalog.words.terms`, which asks the database.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper

from catalog.caching.version import Version
from catalog.models import HAS_STOCK, Service
from catalog.word_index.postings import Posting, places_of, posting_of, union
from catalog.words.terms import Term, is_short

Places = list[int]
CELL = ("category_id", "subcategory_id", "refill", "cancel", "in_stock")
FACTS = ("qualities", "country", "covered_days", "speed_per_day")
READ_AT_ONCE = 2000
# So many words of the catalog are looked at for one search, and so many services put in order and counted: some
# milliseconds of work each. Beyond that the database is asked, which stops at a thousand.
MOST_WORDS, MOST_FOUND = 5000, 30_000


@dataclass(frozen=True)
class Column:
    """Something that services have: the different values there are, and by place which of them a service has."""

    values: Sequence[Any]
    number_of: "array[int]"

    def count(self, places: Iterable[int]) -> dict[Any, int]:
        """Return how many of these services have which value; none that nobody has."""
        return {self.values[number]: count for number, count in self.count_numbers(places).items()}

    def count_numbers(self, places: Iterable[int]) -> dict[int, int]:
        """Return the same by the number of a value among the values."""
        return Counter(map(self.number_of.__getitem__, places))

    def having(self, places: Iterable[int], numbers: set[int]) -> Places:
        """Return those of these services that have one of these values, given by their numbers."""
        number_of = self.number_of
        return [place for place in places if number_of[place] in numbers]


@dataclass(frozen=True)
class WordIndex:
    """The words of all services on sale. A service's place is that in the order of lists."""

    version: Version  # of the catalog, when it was read
    ids: "array[int]"
    words: dict[str, Posting]
    said: str  # every word, each on a line of its own
    cells: Column  # the values of CELL, as one
    facts: tuple[Column, ...]  # those of FACTS

    def find(self, terms: Iterable[Term], number: int | None = None) -> Places | None:
        """Return what has all terms: those whole words first, then where words begin, then the others.

        The service of this number comes before them, if it is on sale, whatever words it has. None where that would
        be more work than to ask the database.
        """
        words = _Words(self)
        whole = beginning = part = (1 << len(self.ids)) - 1
        for term in dict.fromkeys(terms):
            of_term = words.saying_term(term)
            if of_term is None:
                return None
            whole, beginning, part = whole & of_term[0], beginning & of_term[1], part & of_term[2]
        if part.bit_count() > MOST_FOUND:
            return None
        found = [*places_of(whole), *places_of(beginning & ~whole), *places_of(part & ~beginning)]
        the_one = None if number is None else next((place for place, pk in enumerate(self.ids) if pk == number), None)
        return found if the_one is None else [the_one, *(place for place in found if place != the_one)]

    def words_with(self, sought: str) -> Iterator[str]:
        """Yield the words that have something in them; what begins with a line's end, at their beginning."""
        said, place = self.said, self.said.find(sought)
        while place >= 0:
            begins, ends = said.rindex("\n", 0, place + 1) + 1, said.index("\n", place + 1)
            yield said[begins:ends]
            place = said.find(sought, ends)


Found = tuple[int, int, int]  # as bits: what says it as whole words, where words begin, and anywhere


class _Words:
    """What a search looks through the words of an index for, and how much of that is left to do."""

    def __init__(self, index: WordIndex) -> None:
        self._index, self._size = index, len(index.ids)
        self._found: dict[str, Found | None] = {}
        self._left = MOST_WORDS

    def saying_term(self, term: Term) -> Found | None:
        """Return what has a term or another word for it, None where that is too much work."""
        whole = beginning = part = 0
        for phrase in term.phrases:
            in_whole = at_beginning = in_part = (1 << self._size) - 1
            for word in phrase.split():
                if word not in self._found:
                    self._found[word] = self._saying(word)
                if (of_word := self._found[word]) is None:
                    return None
                in_whole, at_beginning, in_part = in_whole & of_word[0], at_beginning & of_word[1], in_part & of_word[2]
            whole, beginning, part = whole | in_whole, beginning | at_beginning, part | in_part
        return whole, beginning, part

    def _saying(self, word: str) -> Found | None:
        sought = f"\n{word}" if is_short(word) else word
        known = list(islice(self._index.words_with(sought), self._left + 1))
        self._left -= len(known)
        if self._left < 0:
            return None
        at_beginning = [one for one in known if one.startswith(word)]
        inside = [one for one in known if not one.startswith(word)]
        whole, beginning = self._union({word} & self._index.words.keys()), self._union(at_beginning)
        return whole, beginning, beginning | self._union(inside)

    def _union(self, words: Iterable[str]) -> int:
        return union(map(self._index.words.__getitem__, words), self._size)


def read_word_index(version: Version) -> WordIndex:
    """Read all services on sale; one query, a second of work for a hundred thousand. The `version` is from before."""
    ids, places_by_word = array("Q"), dict[str, "array[int]"]()
    cells, facts = _Growing(), [_Growing() for _fact in FACTS]
    services = Service.objects.on_sale_in_any_category().order_by("position", "pk")
    in_stock = ExpressionWrapper(HAS_STOCK, output_field=BooleanField())
    rows = services.annotate(in_stock=in_stock).values_list("pk", "search_text", *CELL, *FACTS)
    for place, (pk, text, *columns) in enumerate(rows.iterator(chunk_size=READ_AT_ONCE)):
        ids.append(pk)
        for word in set(text.split()):
            places_by_word.setdefault(word, array("I")).append(place)
        cells.add(tuple(columns[: len(CELL)]))
        for fact, value in zip(facts, columns[len(CELL) :], strict=True):
            fact.add(value)
    words = {word: posting_of(places, len(ids)) for word, places in places_by_word.items()}
    said = "\n".join(["", *words, ""])
    return WordIndex(version, ids, words, said, cells.column(), tuple(fact.column() for fact in facts))


class _Growing:
    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._number_of = array("I")

    def add(self, value: Any) -> None:
        self._number_of.append(self._numbers.setdefault(value, len(self._numbers)))

    def column(self) -> Column:
        return Column(tuple(self._numbers), self._number_of)
