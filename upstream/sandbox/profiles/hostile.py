"""The profile `hostile`: answers damaged in every way that was ever seen, and some more.

What was bought, and for how much, stays true inside; only what is said of it is damaged. And it is damaged, not
forged: no damage makes an id, a status or an amount into another one that could be true, since nobody could tell.
Figures that say little by themselves (stock, remains, start count, limits) may become any number.
"""

import html
import random
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

Fields = dict[str, Any]
MISSING = object()
BOM = "\ufeff".encode()
# How much more seldom than a field of a plain answer: a row of a long list, and what stands around the rows.
ROW_SHARE, ENVELOPE_SHARE = 4, 10
MONEY = ("rate", "price", "charge", "balance")
IDS = ("service", "order", "project_id")
TIMES = ("expires_at",)
NO_CODE: tuple[Any, ...] = (0, "0", "null", "None", "N/A", "-", "undefined", "", False, [])
NULL_LIKE = (None, "null", "None", "N/A", "undefined", "-")
NOTHING: tuple[Any, ...] = ("", " ", [], {}, "\u200b", "\u00a0")
CONTROL = ("\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\u2028", "\r\n", "\t")
FORMAT = ("\u200b", "\u200d", "\u200f", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\U000e0041")
COMBINING = ("\u0301", "\u0308\u0323", "\u0336", "\u20dd", "\u0e31", "\u0301" * 40)
NO_AMOUNTS = ("1e999", "9" * 400, "1_000", "0,50", "1,000.00", "NaN", "Infinity", "0x10", "$1", "--1", 10**30)
BELOW_ZERO = ("-0.5", -5)
NO_IDS = (0, "0", -23_501, "-23501", "9" * 80, "2 3501", "#1", 10**80)
ANY_FIGURE = (-5, "-5", 2**63, 10**30, "1e999", "1_000", "1,000", "0.5", "NaN", "9" * 400)


class Settings(Protocol):
    """What the sandbox's settings say about damage."""

    damage_rate: float
    damage_kinds: tuple[str, ...]
    damage_fields: tuple[str, ...]


# --- Kinds of damage: what becomes of the value of a field ---------------------------------------------------------
def _null(name: str, value: Any, dice: random.Random) -> Any:
    if name == "code" and not value:
        return dice.choice(NO_CODE)
    return dice.choice(NULL_LIKE)


def _nothing(name: str, value: Any, dice: random.Random) -> Any:
    return dice.choice(NOTHING)


def _slash(name: str, value: Any, dice: random.Random) -> Any:
    return dice.choice(("a/b", "../..", "a b?c=d&e#f", "%00", "<b>x</b>", "'; --", "{{ 1 }}"))


def _long(name: str, value: Any, dice: random.Random) -> Any:
    return dice.choice((string.ascii_letters, "яёйЩ", "x", "字")) * 10_000


def _control(name: str, value: Any, dice: random.Random) -> Any:
    return _strewn(value, CONTROL, dice)


def _format(name: str, value: Any, dice: random.Random) -> Any:
    return _strewn(value, FORMAT, dice)


def _combining(name: str, value: Any, dice: random.Random) -> Any:
    return _strewn(value, COMBINING, dice)


def _entity(name: str, value: Any, dice: random.Random) -> Any:
    text = _text(value)
    place = dice.randrange(len(text) + 1)
    added = dice.choice(("&amp;", "&#039;", "&lt;#&gt;", "&nbsp;", "&#0;", "&#xD800;", "&#9999999999;", "&quot"))
    return html.escape(text[:place]) + added + html.escape(text[place:])


def _type(name: str, value: Any, dice: random.Random) -> Any:
    others: list[Any] = [[value], {name: value}, True, [], {"value": None}]
    if isinstance(value, str):
        others += [12_345, 1.5] if name not in (*IDS, *MONEY, "code", "phone") else []
    elif not isinstance(value, list | dict) and value is not None:
        others += [str(value), f" {value} ", f"{value}.0", f"+{value}"]
    return dice.choice(others)


def _number(name: str, value: Any, dice: random.Random) -> Any:
    if name in MONEY:
        # The balance may be below zero, so that would be a lie.
        return dice.choice(NO_AMOUNTS if name == "balance" else (*NO_AMOUNTS, *BELOW_ZERO))
    if name in IDS:
        return dice.choice(NO_IDS)
    return dice.choice(ANY_FIGURE)


def _time(name: str, value: Any, dice: random.Random) -> Any:
    """The same moment in another form, or none: never a moment that could be another true one."""
    forms: list[Any] = [
        "0000-00-00 00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+14:00", "2023-01-01T12:00:00.000Z",
        "never", "tomorrow", 0, -1, "0", 10**25, "1970-01-01", 45_000, "24:00", "2026-02-30T10:00:00Z",
    ]  # fmt: skip
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return dice.choice(forms)
    seconds = int(moment.timestamp())
    forms += [
        seconds, str(seconds), seconds * 1000, str(seconds * 1000), seconds * 10**6, f"{seconds}.0",
        moment.astimezone(UTC).replace(tzinfo=None).isoformat(), moment.strftime("%Y-%m-%d %H:%M:%S+00:00"),
        moment.strftime("%a, %d %b %Y %H:%M:%S GMT"), moment.strftime("%d.%m.%Y %H:%M"),
    ]  # fmt: skip
    return dice.choice(forms)


def _missing(name: str, value: Any, dice: random.Random) -> Any:
    return MISSING


OF_FIELDS: dict[str, Callable[[str, Any, random.Random], Any]] = {
    "null": _null,
    "nothing": _nothing,
    "slash": _slash,
    "long": _long,
    "control": _control,
    "format": _format,
    "combining": _combining,
    "entity": _entity,
    "type": _type,
    "number": _number,
    "time": _time,
    "missing": _missing,
}
# Of a row, of an error, of the whole answer.
KINDS = (*OF_FIELDS, "doubled", "row", "both", "bom")


def check_kinds(kinds: tuple[str, ...]) -> None:
    """Raise ValueError for a kind of damage that there is not."""
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"damage_kinds: no {', '.join(unknown)}; there are {', '.join(KINDS)}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _strewn(value: Any, characters: tuple[str, ...], dice: random.Random) -> str:
    text = _text(value)
    for _each in range(dice.choice((1, 1, 2, 5))):
        place = dice.choice((0, len(text), dice.randrange(len(text) + 1)))
        text = text[:place] + dice.choice(characters) + text[place:]
    return text


# --- Answers -------------------------------------------------------------------------------------------------------
def damaged(reply: bytes, action: str, settings: Settings, dice: random.Random) -> tuple[bytes, list[str]]:
    """Return the answer as it goes out, and what was done to it: "services.3.name: null"."""
    damage = _Damage(settings, dice)
    answer = damage.whole(msgspec.json.decode(reply))
    body = msgspec.json.encode(answer)
    if damage.strikes("bom", settings.damage_rate):
        body = BOM + body
        damage.done.append("bom")
    return body, damage.done


class _Damage:
    """What one answer suffers."""

    def __init__(self, settings: Settings, dice: random.Random) -> None:
        self._rate, self._named = settings.damage_rate, frozenset(settings.damage_fields)
        self._kinds = settings.damage_kinds or KINDS
        self._dice = dice
        self.done: list[str] = []

    def strikes(self, kind: str, rate: float) -> bool:
        return kind in self._kinds and self._dice.random() < rate

    def whole(self, answer: Any) -> Any:
        """Return an answer, damaged perhaps."""
        if isinstance(answer, list):
            return self._rows(answer, "")
        if "error" in answer:
            return self._error(answer)
        lists = [name for name, value in answer.items() if _holds_rows(value)]
        if not lists:
            return self._fields(answer, "", self._rate)
        before = {name: len(answer[name]) for name in lists}
        answer = {**answer, **{name: self._rows(answer[name], f"{name}.") for name in lists}}
        if answer.get("total_pages", 1) == 1:  # who lists a row twice counts it twice
            added = sum(len(answer[name]) - before[name] for name in lists)
            answer |= {name: answer[name] + added for name in ("total", "limit") if name in answer}
        # A purchase names what it bought in a list, too: enough is damaged there.
        rate = self._rate if self._named else self._rate / ENVELOPE_SHARE / len(answer)
        return self._fields(answer, "", rate)

    def _error(self, answer: Fields) -> Fields:
        answer = self._fields(answer, "", self._rate)
        if self.strikes("both", self._rate):
            answer["order"] = self._dice.choice((0, "0", "", None, False, []))
            self.done.append("order: both")
        return answer

    def _rows(self, rows: list[Any], path: str) -> list[Any]:
        few = len(rows) <= 10  # what a purchase bought, not a catalog
        rate = self._rate if self._named or few else self._rate / ROW_SHARE
        found: list[Any] = []
        for place, row in enumerate(rows):
            here = f"{path}{place}"
            if few:
                found.append(self._fields(row, f"{here}.", rate))
            elif self._dice.random() < rate:
                found += self._row(row, here)
            else:
                found.append(row)
        return found

    def _row(self, row: Fields, path: str) -> list[Any]:
        """Damage one row of a long list: as a whole, or one of its fields."""
        whole = [kind for kind in ("doubled", "row") if kind in self._kinds]
        if whole and not self._named and (self._dice.random() < 0.2 or not set(self._kinds) & OF_FIELDS.keys()):
            kind = self._dice.choice(whole)
            self.done.append(f"{path}: {kind}")
            return self._twice(row) if kind == "doubled" else [self._dice.choice((None, "a/b", 5, [], [row], {}))]
        names = [name for name in row if not self._named or name in self._named]
        if not names:
            return [row]
        return [self._with_damage(row, self._dice.choice(names), f"{path}.")]

    def _twice(self, row: Fields) -> list[Any]:
        """The same row once more, for less perhaps: it is charged for as before."""
        copy = dict(row)
        for name in ("rate", "price"):
            if isinstance(row.get(name), str) and self._dice.random() < 0.5:
                copy[name] = "0.0001"
        return [row, copy] if self._dice.random() < 0.5 else [copy, row]

    def _fields(self, fields: Any, path: str, rate: float) -> Any:
        if not isinstance(fields, dict):
            return fields
        for name in list(fields):
            if (not self._named or name in self._named) and self._dice.random() < rate:
                fields = self._with_damage(fields, name, path)
        return fields

    def _with_damage(self, fields: Fields, name: str, path: str) -> Fields:
        kinds = [kind for kind in self._kinds if kind in OF_FIELDS and (kind != "time" or name in TIMES)]
        if not kinds:
            return fields
        kind = "time" if name in TIMES and "time" in kinds and self._dice.random() < 0.5 else self._dice.choice(kinds)
        value = OF_FIELDS[kind](name, fields[name], self._dice)
        self.done.append(f"{path}{name}: {kind}")
        if value is MISSING:
            return {key: kept for key, kept in fields.items() if key != name}
        return {**fields, name: value}


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
