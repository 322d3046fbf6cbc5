"""What was probably meant by words that find nothing: words that are known and differ in a letter or two.

Letters left out, doubled, taken for another or swapped with the next one; words run together or torn apart; and what
comes of typing with the keyboard set to the other alphabet.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from rapidfuzz import process
from rapidfuzz.distance import OSA

from catalog.words.synonyms import Synonyms
from catalog.words.terms import MAX_WORDS, is_short
from upstream.reading.text import comparable

SHORTEST_MISTYPED, LONGEST_WORD = 3, 40
MAX_CHOICES = 3  # for each word
MAX_PHRASES = 4
LONGER_BY = 8  # so many letters may still have to be typed
_LATIN, _CYRILLIC = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё"
_OTHER_KEYBOARD = str.maketrans(_LATIN + _CYRILLIC, (_CYRILLIC + _LATIN).replace("ё", "е"))

Known = Mapping[str, int]  # words, and how much is described with each


def longest_meant(words: str) -> int:
    """Return how long a word can be to be meant by one of the typed ones; 0: none of them can be mistyped."""
    lengths = [len(word) for word in comparable(words).split()[:MAX_WORDS] if _can_be_mistyped(word)]
    return max(lengths) + LONGER_BY if lengths else 0


def corrections(words: str, known: Known, table: Synonyms) -> list[str]:
    """Return what the typed words may have been meant to be, the likeliest first, four at most; [] when all are known.

    `known` has at least those words that are no longer than `longest_meant`.
    """
    typed = comparable(words).split()[:MAX_WORDS]
    vocabulary = {**dict.fromkeys((phrase for phrase in table.typed if " " not in phrase), 0), **known}
    everything = "\n".join(vocabulary)
    is_known = _asker(everything, table)
    if all(map(is_known, typed)):
        joined = _joined(typed, vocabulary)
        return [joined] if joined else []
    choices = [[word] if is_known(word) else _choices(word, vocabulary) or [word] for word in typed]
    best = [each[0] for each in choices]
    phrases = [_joined(typed, vocabulary), " ".join(best)]
    for rank in range(1, MAX_CHOICES):  # then the second best of one word with the best of the others, and so on
        for place, each in enumerate(choices):
            if rank < len(each):
                phrases.append(" ".join([*best[:place], each[rank], *best[place + 1 :]]))
    return [phrase for phrase in dict.fromkeys(phrases) if phrase not in ("", " ".join(typed))][:MAX_PHRASES]


def _asker(everything: str, table: Synonyms) -> Callable[[str], bool]:
    def is_known(word: str) -> bool:
        if word in table.others or not _can_be_mistyped(word):
            return True
        return (
            bool(re.search(rf"^{re.escape(word)}", everything, re.MULTILINE)) if is_short(word) else word in everything
        )

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
    return [*([apart] if apart else []), *_alike(word, vocabulary)][:MAX_CHOICES]


def _alike(word: str, vocabulary: Known) -> list[str]:
    """Return the known words a few letters away, the nearest first, then those that begin alike, then the most used.

    A longer one counts as much as is typed of it, for it may not be typed to its end yet.
    """
    allowed = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    nearest: dict[str, float] = {}
    for more in (None, 1, 0) if len(word) > 4 else (None,):
        end, unfinished = (None, 0.0) if more is None else (len(word) + more, 0.5)
        compared = {known: known[:end] for known in vocabulary if end is None or len(known) > end}
        near = process.extract(word, compared, scorer=OSA.distance, score_cutoff=allowed, limit=None)
        for _text, distance, known in near:
            nearest[known] = min(nearest.get(known, allowed + 1), distance + unfinished)
    ranked = sorted(nearest, key=lambda known: (nearest[known], known[0] != word[0], -vocabulary[known], known))
    return ranked[:MAX_CHOICES]


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
