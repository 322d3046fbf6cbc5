"""The documents that the shop comes with: files `texts/<language>/<slug>.md`, whose first line is the title."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

FOLDER = Path(__file__).with_name("texts")
SLUGS = ("faq", "terms", "refunds", "privacy", "acceptable-use", "contact")


@dataclass(frozen=True)
class ShippedDocument:
    """One of them; titles and texts (Markdown) by language."""

    slug: str
    titles: dict[str, str]
    texts: dict[str, str]


@cache
def documents() -> tuple[ShippedDocument, ...]:
    """Return them in the order of the footer, in those languages of the shop that they are written in."""
    return tuple(_read(slug) for slug in SLUGS)


def _read(slug: str) -> ShippedDocument:
    titles, texts = {}, {}
    for code, _name in settings.LANGUAGES:
        path = FOLDER / code / f"{slug}.md"
        if path.exists():
            title, _blank, text = path.read_text("utf-8").partition("\n")
            titles[code], texts[code] = title.removeprefix("# ").strip(), text.strip()
    return ShippedDocument(slug, titles, texts)
