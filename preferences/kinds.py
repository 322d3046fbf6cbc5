"""The types a preference may have: how a value is checked, written down as JSON, and read back.

A new one is a class with `read` and `write`; the admin's page makes a field of it in
`storefront/preference_pages/fields.py`. Those that are numbers: `preferences/numbers.py`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from upstream.reading.text import line, paragraphs

T = TypeVar("T")
Check = Callable[[Any], None]  # raises ValidationError
Options = Callable[[], Iterable[tuple[str, str | Promise]]]  # asked anew each time: what is on offer may change


class Kind(Generic[T]):
    """What the values of a preference are."""

    def read(self, stored: Any) -> T:
        """Return the value of what is stored, or was typed. Raises ValidationError for what is none."""
        raise NotImplementedError

    def write(self, value: T) -> Any:
        """Return a value as it is stored, in JSON."""
        return value

    def of_setting(self, found: Any) -> T:
        """Return the value of what the setting of a preference says."""
        return found  # type: ignore[no-any-return]  # of the kind's type, as the settings read it


@dataclass(frozen=True)
class Text(Kind[str]):
    """A line of text, or with `lines` several."""

    longest: int
    lines: bool = False
    optional: bool = False
    checks: tuple[Check, ...] = ()

    def read(self, stored: Any) -> str:
        text = _text(stored, self.longest, lines=self.lines)
        if not text and not self.optional:
            raise ValidationError(_("This can't be empty."))
        for check in self.checks if text else ():
            check(text)
        return text


class Words(dict[str, str]):
    """A text by language; as a string it is that in the reader's language, and without one that of the default."""

    fallback: "str | Promise" = ""

    def __str__(self) -> str:
        language = get_language() or ""
        return self.get(language) or self.get(language.partition("-")[0]) or str(self.fallback)


@dataclass(frozen=True)
class Translated(Kind[Words]):
    """A text for each language; languages without one have the default, which is translated as all of the shop is."""

    longest: int
    fallback: str | Promise
    lines: bool = False

    def read(self, stored: Any) -> Words:
        if not isinstance(stored, Mapping):
            raise ValidationError(_("This is no text by language."))
        words = Words()
        words.fallback = self.fallback
        for language, text in stored.items():
            if kept := _text(text, self.longest, lines=self.lines):
                words[str(language)] = kept
        return words

    def write(self, value: Words) -> Any:
        return dict(value)


@dataclass(frozen=True)
class Boolean(Kind[bool]):
    """Yes or no."""

    def read(self, stored: Any) -> bool:
        if not isinstance(stored, bool):
            raise ValidationError(_("This is neither yes nor no."))
        return stored


@dataclass(frozen=True)
class Color(Kind[str]):
    """A color as #rrggbb."""

    checks: tuple[Check, ...] = ()

    def read(self, stored: Any) -> str:
        if not isinstance(stored, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", stored.strip()):
            raise ValidationError(_("Enter a color like #0b5f4a."))
        color = stored.strip().lower()
        for check in self.checks:
            check(color)
        return color


@dataclass(frozen=True)
class Choice(Kind[str]):
    """One of some words."""

    options: Options

    def read(self, stored: Any) -> str:
        if not isinstance(stored, str) or stored not in dict(self.options()):
            raise ValidationError(_("This is not on offer: %(value)s."), params={"value": stored})
        return stored


@dataclass(frozen=True)
class Choices(Kind[tuple[str, ...]]):
    """Some of some words, in the order they are offered in; these are always among them: `always`."""

    options: Options
    always: Callable[[], Iterable[str]] = tuple

    def read(self, stored: Any) -> tuple[str, ...]:
        """As `Kind.read`. What is no longer offered is left out: a language may go with a release."""
        if not isinstance(stored, list | tuple) or not all(isinstance(one, str) for one in stored):
            raise ValidationError(_("This is no list of choices."))
        offered = dict(self.options())
        needed = set(self.always())
        if missing := [str(offered[one]) for one in offered if one in needed and one not in stored]:
            raise ValidationError(_("%(choice)s can't be left out."), params={"choice": ", ".join(missing)})
        return tuple(one for one in offered if one in stored)

    def write(self, value: tuple[str, ...]) -> Any:
        return list(value)


@dataclass(frozen=True)
class Drawing:
    """A picture of a certain size, by the digest it is served under."""

    digest: str
    width: int
    height: int


@dataclass(frozen=True)
class Image(Kind[Mapping[str, Drawing]]):
    """An uploaded picture in set sizes, by name of size; empty: none. `sizes`: the longest (width, height) of each.

    One that fits is never enlarged. With `square` the size is filled up, transparent, to exactly that.
    """

    sizes: Mapping[str, tuple[int, int]]
    square: frozenset[str] = frozenset()

    def read(self, stored: Any) -> Mapping[str, Drawing]:
        if not isinstance(stored, Mapping):
            raise ValidationError(_("This is no picture."))
        if not stored:
            return {}
        try:
            drawings = {name: Drawing(**stored[name]) for name in self.sizes}
        except (KeyError, TypeError):
            raise ValidationError(_("This is no picture.")) from None
        for name, drawing in drawings.items():
            width, height = self.sizes[name]
            fits = _is_from_one_to(width, drawing.width) and _is_from_one_to(height, drawing.height)
            if not fits or not re.fullmatch("[0-9a-f]{64}", str(drawing.digest)):
                raise ValidationError(_("This is no picture."))
        return drawings

    def write(self, value: Mapping[str, Drawing]) -> Any:
        return {name: vars(drawing) for name, drawing in value.items()}


def _is_from_one_to(limit: int, number: object) -> bool:
    return isinstance(number, int) and 1 <= number <= limit


def _text(stored: Any, longest: int, *, lines: bool) -> str:
    if not isinstance(stored, str):
        raise ValidationError(_("This is no text."))
    text = paragraphs(stored) if lines else line(stored)
    if len(text) > longest:
        raise ValidationError(_("Use at most %(count)d characters."), params={"count": longest})
    return text
