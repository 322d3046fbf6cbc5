"""One line of goods, read by a format: the values of its columns, or nothing where it could be read in two ways."""

import json
import re
from collections.abc import Callable
from enum import Enum
from functools import cache

from orders.columns.formats import MOST_COLUMNS, Format
from orders.columns.names import column_of, columns_of
from orders.columns.values import looks_like, may_be

Values = dict[str, str]  # by column
Accepts = Callable[[str, str], bool]
MOST_PARTS = 40
# The lines are a stranger's: what could be read in very many ways is not tried out.
LONGEST_LINE = 200_000
LONGEST_IN_DOUBT = 20_000
MOST_IN_DOUBT = 12  # separators beyond those of the format
JSON_TRIES = 8
_LINK_BEGINS = re.compile(r"(?:https?|ftp|socks[45]h?|tg)://|otpauth://\S+", re.IGNORECASE)
# The bracket is looked for first, and then what stands before it: the other way round takes fifty times as long.
_JSON_BEGINS = re.compile(r"[\[{](?<![^\s:|;,-].)")
_LABELED = re.compile(r"([^\W_][\w .-]{0,30}?)\s{0,9}[:=](?!//)\s*(\S.*)", re.DOTALL)
_HALF = re.compile(r"[\ud800-\udfff]")  # of a character, which JSON can spell and no page or file can hold
_LABELED_PARTED_BY = ("\n", "|", ";", ",")
_decoder = json.JSONDecoder()


class Whole(Enum):
    """Why a line stays whole."""

    FEWER = "fewer"
    UNLIKE = "unlike"
    SEVERAL_WAYS = "several ways"
    TOO_LONG = "too long"


def read_line(format_: Format, raw: str) -> Values | Whole:
    """Return the values of a line by column, or why it stays whole.

    Separators inside of JSON and links part nothing. Where there are more of them than the format has, the values have
    to look like their columns in exactly one way.
    """
    if len(raw) > LONGEST_LINE:
        return Whole.TOO_LONG
    kept = _spans_that_hold_together(raw)
    places = {separator: _places(raw, separator, kept) for separator in set(format_.separators)}
    spare = [len(found) - format_.separators.count(separator) for separator, found in places.items()]
    if min(spare, default=0) < 0:
        return Whole.FEWER
    in_doubt = max(spare, default=0)
    if in_doubt > MOST_IN_DOUBT or (in_doubt and len(raw) > LONGEST_IN_DOUBT):
        return Whole.SEVERAL_WAYS
    possible = _ways(format_, raw, places, looks_like if in_doubt else may_be)
    if len(possible) == 1:
        return dict(zip(format_.columns, possible[0], strict=True))
    return Whole.SEVERAL_WAYS if possible else Whole.UNLIKE


def read_labeled(raw: str) -> Values | None:
    """Return the values of goods that name them: "Login: rosa", "Password: …", or an object of JSON."""
    if len(raw) > LONGEST_LINE:
        return None
    if raw.lstrip()[:1] == "{":
        return _read_object(raw)
    for separator in _LABELED_PARTED_BY:
        parts = [part.strip() for part in raw.split(separator, MOST_PARTS + 1)]
        found = [_LABELED.fullmatch(part) for part in parts if part]
        if 2 <= len(found) <= MOST_PARTS and all(match is not None and column_of(match[1]) for match in found):
            pairs = [(match[1], match[2]) for match in found if match is not None]
            columns = columns_of([label for label, _value in pairs])
            return dict(zip(columns, (value for _label, value in pairs), strict=True))
    return None


def _read_object(raw: str) -> Values | None:
    """Return what an object of JSON names, if that is what is sold, and not a cookie."""
    try:
        names = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not 2 <= len(names) <= MOST_PARTS or not all(map(column_of, names)):
        return None
    values = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in names.values()]
    if _HALF.search("".join(values)):
        return None
    return dict(zip(columns_of(list(names)), values, strict=True))


def parts_of(raw: str, separator: str) -> list[str]:
    """Return what a separator parts, but for what holds together; without the blanks around."""
    found, begins = [], 0
    for place in _places(raw, separator, _spans_that_hold_together(raw)):
        found.append(raw[begins:place].strip())
        begins = place + len(separator)
    return [*found, raw[begins:].strip()]


def _ways(format_: Format, raw: str, places: dict[str, list[int]], accepts: Accepts) -> list[list[str]]:
    """Return up to two ways to read the line; what was tried from a place on once is not tried again."""
    last = len(format_.columns) - 1

    @cache
    def from_here(place: int, column: int) -> list[list[str]]:
        name = format_.columns[column]
        if column == last:
            value = raw[place:].strip()
            return [[value]] if accepts(name, value) else []
        separator, found = format_.separators[column], []
        for end in places[separator]:
            if end < place:
                continue
            value = raw[place:end].strip()
            if accepts(name, value):
                found += [[value, *rest] for rest in from_here(end + len(separator), column + 1)]
            if len(found) > 1:
                break
        return found[:2]

    return from_here(0, 0)


def _places(raw: str, separator: str, kept: list[tuple[int, int]]) -> list[int]:
    found: list[int] = []
    place = raw.find(separator)
    while place >= 0 and len(found) <= MOST_COLUMNS + MOST_IN_DOUBT:
        end = next((end for start, end in kept if start <= place < end), 0)
        if not end:
            found.append(place)
        place = raw.find(separator, end or place + len(separator))
    return found


def _spans_that_hold_together(raw: str) -> list[tuple[int, int]]:
    spans = [match.span() for match in _LINK_BEGINS.finditer(raw)] if "://" in raw else []
    place = tries = 0
    while tries < JSON_TRIES and (begins := _JSON_BEGINS.search(raw, place)):
        tries += 1
        try:
            _value, place = _decoder.raw_decode(raw, begins.start())
            spans.append((begins.start(), place))
        except (ValueError, RecursionError):
            place = begins.start() + 1
    return spans
