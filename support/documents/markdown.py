"""Markdown as a page shows it. Its writer may be a stranger with an owner's password: nothing but text gets through.

The library makes no HTML of what looks like HTML, and nh3 takes out of its answer whatever is not on the list.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

import nh3
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt

LONGEST = 60_000  # characters; the longest of the shop's own has a sixth of that
TAGS = {
    *("p", "br", "hr", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote", "a", "h3", "h4"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
# No pictures: one from elsewhere would tell its host who reads. With `zero` and a list a later release adds nothing.
_PARSER = MarkdownIt(
    "zero", {"html": False, "linkify": False, "maxNesting": 20, "typographer": False}
).enable([
    *("paragraph", "heading", "list", "blockquote", "code", "fence", "hr", "table", "reference", "lheading"),
    *("text", "newline", "escape", "backticks", "strikethrough", "emphasis", "link", "autolink", "entity"),
    *("balance_pairs", "fragments_join"),
])  # fmt: skip
# What the page itself calls its parts: no heading may be called so.
_TAKEN = {"content", "contents", "search", "q"}


@dataclass(frozen=True)
class Part:
    """A piece of a document under one heading; "" is the anchor of what stands above the first."""

    anchor: str
    title: str
    html: SafeString
    parts: tuple["Part", ...] = field(default=())

    @property
    def text(self) -> str:
        """Its own words, for the search."""
        return f"{self.title} {strip_tags(self.html)}"


@lru_cache(maxsize=128)
def parts_of(text: str) -> tuple[Part, ...]:
    """Return Markdown as parts by its headings of the first two levels, each with those of the level below."""
    html = nh3.clean(
        _rendered(text[:LONGEST]),
        tags=TAGS | {"h2"},
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )
    anchors = _Anchors()
    above, *rest = _cut(html, 2)
    found = [Part("", "", _safe(above[1]))] if above[1].strip() else []
    for title, below in rest:
        anchor = anchors.of(title)
        own, *further = _cut(below, 3)
        parts = tuple(Part(anchors.of(name), name, _safe(inner)) for name, inner in further)
        found.append(Part(anchor, title, _safe(own[1]), parts))
    return tuple(found)


def _rendered(text: str) -> str:
    """The page's own heading is the first: `#` and `##` are the second level, and nothing lies below the fourth.

    A heading inside a quote or a list begins no part.
    """
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h4" if token.level else f"h{min(max(int(token.tag[1]), 2), 4)}"
    return str(_PARSER.renderer.render(tokens, _PARSER.options, {}))


def _cut(html: str, level: int) -> list[tuple[str, str]]:
    """Return (title, what stands below it) for each heading of the level; first ("", what stands above all)."""
    pieces = re.split(rf"<h{level}>(.*?)</h{level}>", html, flags=re.DOTALL)
    titles = [_plain(title) for title in pieces[1::2]]
    return [("", pieces[0]), *zip(titles, pieces[2::2], strict=True)]


def _plain(html: str) -> str:
    # The template escapes it again.
    text = strip_tags(html)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&nbsp;", "\xa0"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text.strip()


def _safe(html: str) -> SafeString:
    return mark_safe(html.strip())  # noqa: S308 - nh3 has cleaned it


class _Anchors:
    """Names for headings, each only once."""

    def __init__(self) -> None:
        self._given = set(_TAKEN)

    def of(self, title: str) -> str:
        """Return a name made of the title."""
        plain = slugify(title, allow_unicode=True)[:60] or "part"
        name, number = plain, 1
        while name in self._given:
            number += 1
            name = f"{plain}-{number}"
        self._given.add(name)
        return name
