"""A document as a reader sees it: in their language, with its words filled in, searched if they ask."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.utils.text import Truncator
from django.utils.translation import get_language

from support.documents import languages
from support.documents.markdown import Part, parts_of
from support.documents.words import filled, filled_plain
from support.models import DocumentVersion
from upstream.reading.text import comparable

MOST_WORDS = 10


@dataclass(frozen=True)
class Shown:
    """What a page shows of a version: written in `language`, which is `foreign` where it isn't the reader's."""

    title: str
    language: str
    foreign: bool
    parts: tuple[Part, ...]
    published_at: datetime | None

    @property
    def description(self) -> str:
        """Its beginning, for search engines."""
        words = " ".join(each.text for part in self.parts for each in (part, *part.parts))
        return Truncator(" ".join(words.split())).chars(160)


def shown(version: DocumentVersion) -> Shown:
    """Return a version in the reader's language, or in the shop's own."""
    return shown_text(version.titles, version.texts, published_at=version.created_at)


def shown_text(titles: dict[str, str], texts: dict[str, str], *, published_at: datetime | None = None) -> Shown:
    """The same of texts that are no version yet."""
    code, text = languages.chosen(texts)
    title = titles.get(code) or languages.chosen(titles)[1]
    reads = get_language() or settings.LANGUAGE_CODE
    return Shown(filled_plain(title), code, bool(code) and code != reads, parts_of(filled(text)), published_at)


def found(parts: tuple[Part, ...], words: str) -> tuple[Part, ...]:
    """Return the parts that have every word, in any order, as it looks; of those with smaller ones, these alone."""
    asked = comparable(words).split()[:MOST_WORDS]
    if not asked:
        return parts
    kept = []
    for part in parts:
        below = tuple(each for each in part.parts if _has(f"{part.title} {each.text}", asked))
        if below or _has(part.text, asked):
            kept.append(replace(part, parts=below))
    return tuple(kept)


def _has(text: str, words: list[str]) -> bool:
    looks = comparable(text)
    return all(word in looks for word in words)
