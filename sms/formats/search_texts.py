"""Texts that something is found by, in a column that may be too short for all of them."""

from collections.abc import Iterable

from upstream.reading.text import searchable

LONGEST_SEARCH_TEXT = 400


def fitting_text(first: str, others: Iterable[str], longest: int = LONGEST_SEARCH_TEXT) -> str:
    """Return all these texts as they are searched, in one; where that is too long the longest lose words at their end.

    The first is cut when nothing else is left to cut. A text of one word that does not fit is left out.
    """
    begins = searchable(first)
    parts = [part.split() for part in dict.fromkeys(map(searchable, others)) if part and part != begins]
    while parts and len(_joined(begins, parts)) > longest:
        cut = max(parts, key=lambda words: len(" ".join(words)))
        cut.pop()
        parts = [words for words in parts if words]
    text = _joined(begins, parts)
    return text if len(text) <= longest else text[: longest + 1].rpartition(" ")[0] or text[:longest]


def _joined(begins: str, parts: list[list[str]]) -> str:
    return " ".join(filter(None, [begins, *(" ".join(words) for words in parts)]))
