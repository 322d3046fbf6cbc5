"""Templates that are rendered once and then filled in many times, for what a page repeats.

Django walks through a template's nodes for every row anew. A prerendered template does so once for each language, with
a mark in the place of every value, and from then on puts the values, escaped, between the pieces that lie around the
marks. So it cannot decide anything by a value: what depends on one is decided before.
"""

import html
import re
from collections.abc import Mapping
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from preferences.stored import version

# Characters of Unicode's private use area: no text has them, and escaping leaves them alone.
_BEGIN, _END = "\ue0f0", "\ue0f1"
_MARK = re.compile(f"{_BEGIN}(\\w+){_END}")


class PrerenderedTemplate:
    """A template with places for named values; `context` is the same each time."""

    def __init__(self, template: str, *names: str, **context: object) -> None:
        marked = {name: mark_safe(f"{_BEGIN}{name}{_END}") for name in names}  # noqa: S308 - a mark, no markup
        # Literal, name, literal, name, …, literal.
        self._pieces = _MARK.split(render_to_string(template, {**context, **marked}))
        self._names = self._pieces[1::2]

    def fill(self, values: Mapping[str, object]) -> SafeString:
        """Return the template with these values, escaped unless they are safe already."""
        pieces = self._pieces.copy()
        texts = {name: _escaped(value) for name, value in values.items()}
        pieces[1::2] = [texts[name] for name in self._names]
        return mark_safe("".join(pieces))  # noqa: S308 - the template's own text and escaped values


def _escaped(value: object) -> str:
    # As django.utils.html.conditional_escape, without asking each time whether the text is still to be translated.
    if type(value) is int:
        return str(value)
    return value.__html__() if hasattr(value, "__html__") else html.escape(str(value))


def prerendered(template: str, *names: str, **context: str | bool) -> PrerenderedTemplate:
    """Return a template prerendered in the reader's language; it is made once, and anew with other preferences."""
    return _made(template, names, tuple(sorted(context.items())), get_language() or "", version())


@lru_cache(maxsize=200)
def _made(
    template: str, names: tuple[str, ...], context: tuple[tuple[str, object], ...], _language: str, _version: str
) -> PrerenderedTemplate:
    return PrerenderedTemplate(template, *names, **dict(context))
