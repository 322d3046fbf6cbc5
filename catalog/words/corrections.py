"""What was probably meant by words that find nothing: words that are known and differ in a letter or two.

Letters left out, doubled, taken for another or swapped with the next one; words run together or torn apart; and what
comes of typing with the keyboard set to the other alphabet.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import product

from rapidfuzz import process
from rapidfuzz.distance import OSA

from catalog.words.synonyms import Synonyms
from catalog.words.terms import MAX_WORDS, is_short
from upstream.reading.text import comparable

SHORTEST_MISTYPED, LONGEST_WORD = 3, 40
MAX_CHOICES = 3  # for each word
MAX_PHRASES = 4
_LATIN, _CYRILLIC = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё"
_OTHER_KEYBOARD = str.maketrans(_LATIN + _CYRILLIC, (_CYRILLIC + _LATIN).replace("ё", "е"))

Known = Mapping[str, int]  # words, and how much is described with each


def word_lengths(words: str) -> tuple[int, int]:
    """Return between which lengths a word has to be to be meant by any of the typed ones; (0, 0): none can be."""
    lengths = [len(word) for word in comparable(words).split()[:MAX_WORDS] if _can_be_mistyped(word)]
    return (max(2, min(lengths) - 3), max(lengths) + 8) if lengths else (0, 0)


def corrections(words: str, known: Known, table: Synonyms) -> list[str]:
    """Return what the typed words may have been meant to be, the likeliest first, four at most; [] when all are known.

    `known` has at least those words whose length is within `word_lengths`.
    """
    typed = comparable(words).split()[:MAX_WORDS]
    vocabulary = {**dict.fromkeys((phrase for phrase in table.typed if " " not in phrase), 0), **known}
    everything = "\n".join(vocabulary)
    is_known = _asker(everything, table)
    if all(map(is_known, typed)):
        joined = _joined(typed, vocabulary)
        return [joined] if joined else []
    choices = [[word] if is_known(word) else _choices(word, vocabulary) or [word] for word in typed]
    # The sum of places in the lists: the best of each, then all but one the best, and so on.
    ways = sorted(product(*(enumerate(each) for each in choices)), key=lambda way: sum(place for place, _word in way))
    phrases = dict.fromkeys(" ".join(word for _place, word in way) for way in ways[:MAX_PHRASES])
    joined = _joined(typed, vocabulary)
    found = [joined] if joined else []
    return [phrase for phrase in (*found, *phrases) if phrase != " ".join(typed)][:MAX_PHRASES]


def _asker(everything: str, table: Synonyms) -> Callable[[str], bool]:
    def is_known(word: str) -> bool:
        if word in table.others or not _can_be_mistyped(word):
            return True
        return bool(re.search(rf"^{re.escape(word)}", everything, re.MULTILINE)) if is_short(word) else word in everything

    return is_known


def _can_be_mistyped(word: str) -> bool:
    """Whether a word has letters, at least three of them all told: of one or two anything could be meant."""
    return SHORTEST_MISTYPED <= len(word) <= LONGEST_WORD and any(map(str.isalpha, word))



def _choices(word: str, vocabulary: Known) -> list[str]:
    """Return what one word may have been meant to be, the likeliest first."""
    other = comparable(word.translate(_OTHER_KEYBOARD))
    if other in vocabulary:
        return [other]
    apart = _apart(word, vocabulary)
    alike = _alike(word, {known: known for known in vocabulary}, vocabulary)
    if not alike and not apart and len(word) > SHORTEST_MISTYPED:
        # Not typed to its end yet: compare with as much of the known words.
        begun = {known: known[: len(word) + 1] for known in vocabulary if len(known) > len(word) + 1}
        alike = _alike(word, begun, vocabulary)
        begun = {known: text[:-1] for known, text in begun.items()}
        alike = alike or _alike(word, begun, vocabulary)
    return [*([apart] if apart else []), *alike][:MAX_CHOICES]


def _alike(word: str, compared: Mapping[str, str], vocabulary: Known) -> list[str]:
    """Return the known words whose compared text is a few letters away, the nearest first, then the most used."""
    allowed = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    near = process.extract(word, compared, scorer=OSA.distance, score_cutoff=allowed, limit=None)
    ranked = sorted(near, key=lambda one: (one[1], one[0][0] != word[0], -vocabulary[one[2]], one[2]))
    return [known for _text, _distance, known in ranked[:MAX_CHOICES]]


def _apart(word: str, vocabulary: Known) -> str:
    """Return the two known words that were typed without a space between, or ""."""
    places = range(SHORTEST_MISTYPED, len(word) - SHORTEST_MISTYPED + 1)
    pairs = ((word[:place], word[place:]) for place in places)
    return next((f"{first} {second}" for first, second in pairs if first in vocabulary and second in vocabulary), "")


def _joined(typed: Iterable[str], vocabulary: Known) -> str:
    """Return the words with two of them put together that are one known word, or ""."""
    words = list(typed)
    for place in range(len(words) - 1):
        one = words[place] + words[place + 1]
        if len(one) > SHORTEST_MISTYPED and one in vocabulary:
            return " ".join([*words[:place], one, *words[place + 2 :]])
    return ""
