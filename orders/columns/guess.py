"""A format guessed from the lines themselves, where nobody says how they are written: better none than a wrong one."""

from collections import Counter
from collections.abc import Sequence

from orders.columns.formats import COMMON_SEPARATORS, MOST_COLUMNS, Format, Source
from orders.columns.names import UNNAMED
from orders.columns.reading import parts_of
from orders.columns.values import column_for, is_email

LOOKED_AT = 200  # lines
LONGEST_LOOKED_AT = 20_000
SINGLE = ("key", "url", "token")  # what may be sold alone


def guess_format(lines: Sequence[str]) -> Format | None:
    """Return how most of these lines are written, or None where nothing speaks for it."""
    texts = [text for line in lines[:LOOKED_AT] if (text := line.strip()) and len(text) <= LONGEST_LOOKED_AT]
    if not texts:
        return None
    for separator in sorted(COMMON_SEPARATORS, key=lambda one: one == ","):
        rows = [parts_of(text, separator) for text in texts]
        (count, times), *_rest = Counter(map(len, rows)).most_common(1)
        if count < 2 or count > MOST_COLUMNS or times * 2 <= len(rows):
            continue
        columns = _columns([row for row in rows if len(row) == count], separator)
        if columns:
            return Format(columns, (separator,) * (count - 1), Source.GUESS)
    kinds = {column_for(text) for text in texts}
    (single,) = kinds if len(kinds) == 1 else ("",)
    return Format((single,), (), Source.GUESS) if single in SINGLE else None


def _columns(rows: list[list[str]], separator: str) -> tuple[str, ...]:
    """Return names for what stands in these rows; none where they do not begin like an account."""
    by_place = list(zip(*rows, strict=True))
    first, second = by_place[0], by_place[1]
    with_address = all(map(is_email, first))
    if not with_address and (separator == "," or not all(map(_is_word, first))):
        return ()
    if not all(map(_is_word, second)) or any(map(_is_long_kind, (*first, *second))):
        return ()
    columns = ["email" if with_address else "login"]
    # Two addresses side by side are no address with its password.
    columns.append("recovery_email" if all(map(is_email, second)) else "password")
    for place, values in enumerate(by_place[2:], start=3):
        columns.append(_name_of(values, columns, place))
    return tuple(columns)


def _name_of(values: tuple[str, ...], before: list[str], place: int) -> str:
    kinds = {column_for(value) for value in values if value}
    (kind,) = kinds if len(kinds) == 1 else ("",)
    if not kind and before[-1] == "email" and len(before) > 1 and all(map(_is_word, values)):
        kind = "email_password"
    if kind == "email" and kind in before:
        kind = "recovery_email"
    return kind if kind and kind not in before else f"{UNNAMED} {place}"


def _is_long_kind(text: str) -> bool:
    return column_for(text) in ("url", "cookies", "user_agent")


def _is_word(text: str) -> bool:
    return bool(text) and not any(character.isspace() for character in text)
