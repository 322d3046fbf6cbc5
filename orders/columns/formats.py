"""How a line of goods is written: which columns, in which order, with what between them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from django.utils.translation import gettext as _

from orders.columns.names import column_of, columns_of

MOST_COLUMNS = 20
LONGEST_NAME = 40
LONGEST_READ = 5_000  # of a description
COMMON_SEPARATORS = (":", "|", ";", "\t", "----", ",")
_SEPARATOR = r"-{3,}|::|\\t|[:|;,\t]"
_BETWEEN = re.compile(rf"[ ]*({_SEPARATOR})[ ]*")
_WORD = r"\w[\w.]*(?:[ -]\w+){0,2}"
# "Format: login:pass | mail": what stands between the first two words parts all of them.
_ANNOUNCED = re.compile(
    rf"(?:format|формат)[^\S\n]?(?:\w{{1,12}}[^\S\n]?)?[:\-–][^\S\n]?"
    rf"({_WORD}(?P<between>[ ]?(?:-{{4}}|[:;|,])[ ]?){_WORD}(?:(?P=between){_WORD}){{0,18}})",
    re.IGNORECASE,
)
# "login:pass:2fa", with no blank in it.
_BARE = re.compile(r"\w[\w.-]{0,30}(?P<between>[:;|])\w[\w.-]{0,30}(?:(?P=between)\w[\w.-]{0,30}){0,18}")


class FormatRefused(ValueError):
    """This is no format; the text says to staff why."""


class Source(Enum):
    """Who says that goods are written so."""

    STAFF = "staff"
    DECLARED = "declared"  # the service's title, facts or description
    GUESS = "guess"


@dataclass(frozen=True)
class Format:
    """Columns by name, and what stands between each and the next: one separator fewer than columns."""

    columns: tuple[str, ...]
    separators: tuple[str, ...]
    source: Source

    def parted_by(self, separator: str) -> "Format":
        """Return the same columns with this between all of them."""
        return replace(self, separators=(separator,) * (len(self.columns) - 1))


def read_format(written: str, separator: str = "", *, source: Source = Source.STAFF) -> Format:
    """Return the format that somebody wrote like a line: "login:password|email". Raises FormatRefused.

    With a `separator` that one parts the lines, whatever parts the words; a tab may be written as \\t.
    """
    separator = separator.replace("\\t", "\t")
    pattern = re.compile(rf"[ ]*({re.escape(separator)}|{_SEPARATOR})[ ]*") if separator else _BETWEEN
    pieces = pattern.split(written.strip(" "))
    words, between = [word.strip() for word in pieces[::2]], pieces[1::2]
    if not all(words):
        raise FormatRefused(_("Write a name before and after each separator."))
    if len(words) > MOST_COLUMNS:
        raise FormatRefused(_("A format has at most %(count)d columns.") % {"count": MOST_COLUMNS})
    if max(map(len, words)) > LONGEST_NAME:
        raise FormatRefused(_("A column's name has at most %(count)d characters.") % {"count": LONGEST_NAME})
    separators = [separator or found.replace("\\t", "\t") for found in between]
    return Format(columns_of(words), tuple(separators), source)


def declared_formats(text: str) -> Iterator[Format]:
    """Return the formats that a title or a description tells its readers: at least two of the words are known ones."""
    for line in text[:LONGEST_READ].splitlines()[:200]:
        found = [(match[1], match["between"]) for match in _ANNOUNCED.finditer(line[:500])]
        found += [(match[0], match["between"]) for match in _BARE.finditer(line[:500]) if _begins_like_goods(match[0])]
        for written, between in found:
            words = written.split(between)
            if sum(bool(column_of(word)) for word in words) >= 2 and len(words) <= MOST_COLUMNS:
                separator = between.strip(" ")
                yield Format(columns_of(words), (separator,) * (len(words) - 1), Source.DECLARED)


def _begins_like_goods(written: str) -> bool:
    columns = [column_of(word) for word in re.split(r"[:;|]", written)]
    return columns[0] in ("login", "email", "phone") and columns[1] == "password"
