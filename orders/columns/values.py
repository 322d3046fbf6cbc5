"""What the values of a column look like. All patterns take linear time: the lines are a stranger's."""

import json
import re

# Of values that say "there is none".
_NONE = frozenset({"", "-", "–", "none", "null", "n/a", "na", "no", "нет"})
_EMAIL = re.compile(r"[^\s@:|;,]{1,64}@[^\s@:|;,]{1,190}\.[^\s@:|;,.]{2,63}")
_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://)?[^\s/:|;,]{1,253}\.[^\s:|;,]{2,}(?::\d{2,5}(?:/\S*)?)?", re.IGNORECASE
)
_FULL_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://\S+", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d ()-]{5,24}")
_BASE32 = re.compile(r"(?:[A-Z2-7]{16,}|[a-z2-7]{16,}|[a-zA-Z2-7]{4}(?: [a-zA-Z2-7]{4}){3,})=*")
_LOGIN = re.compile(r"[^\s:|;,]{1,200}")
_LINK = re.compile(r"[^\s|;,]+")
_TOKEN = re.compile(r"\S{8,}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}|(?:19|20)\d\d")
_KEY = re.compile(r"[A-Za-z0-9]{3,}(?:-[A-Za-z0-9]{3,}){2,}")
_OTPAUTH = re.compile(r"otpauth://\S+", re.IGNORECASE)
_PHONE_ABROAD = re.compile(r"\+\d{7,15}")
_AGENT = re.compile(r"(?:Mozilla|Opera|Dalvik|okhttp)/[^\t\n]+")
_LONG_TOKEN = re.compile(r"(?!\d+$)[A-Za-z0-9_.+/=-]{30,}")
# Long values are taken for what a strict column cannot be.
_LONGEST = 2_000
_OF_SEVERAL_LINES = ("cookies", "note")


def is_email(text: str) -> bool:
    return len(text) < 320 and bool(_EMAIL.fullmatch(text))


def is_json(text: str) -> bool:
    """Whether this is a whole object or list of JSON, as cookies often come."""
    if text[:1] not in ("[", "{"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def may_be(column: str, text: str) -> bool:
    """Whether a column can hold this at all: an address is one, a phone number has digits; a value may be missing."""
    column = _base(column)
    if column not in _OF_SEVERAL_LINES and ("\n" in text or "\r" in text):
        return False
    if text.lower() in _NONE:
        return True
    if column in ("email", "recovery_email"):
        return is_email(text)
    if column == "url":
        return len(text) <= _LONGEST and bool(_FULL_URL.fullmatch(text) or _URL.fullmatch(text))
    if column == "phone":
        return bool(_PHONE.fullmatch(text))
    return True


def looks_like(column: str, text: str) -> bool:
    """Whether a column usually holds something like this; asked where separators stand inside of values as well."""
    column = _base(column)
    if not text or not may_be(column, text):
        return False
    if column == "cookies":
        return "=" in text or text[0] in "[{" or len(text) > 40
    if len(text) > _LONGEST:
        return column not in ("login", "password", "email_password", "two_factor", "name", "country")
    if column in ("password", "email_password", "recovery_password"):
        parts = re.split(r"[:|;,\t]", text)
        # An address inside is no part of a password, but a column that the format does not know of.
        return len(parts) == 1 or not any(map(column_for, parts))
    if column in ("login", "profile_id"):
        return bool(_LOGIN.fullmatch(text))
    if column == "two_factor":
        return bool(_BASE32.fullmatch(text) or _OTPAUTH.fullmatch(text))
    if column == "token":
        return bool(_TOKEN.fullmatch(text))
    if column in ("date", "birthday"):
        return bool(_DATE.match(text))
    if column == "url":
        return bool(_LINK.fullmatch(text))
    if column == "key":
        return bool(_LOGIN.fullmatch(text))
    if column == "user_agent":
        return "/" in text
    return True


def column_for(text: str) -> str:
    """Return the column that a value is surely of, "" where it could be anything."""
    if is_email(text):
        return "email"
    if text[:1] in ("[", "{") and is_json(text):
        return "cookies"
    if len(text) > _LONGEST:
        return ""
    for column, pattern in (
        ("two_factor", _OTPAUTH),
        ("url", _FULL_URL),
        ("user_agent", _AGENT),
        ("phone", _PHONE_ABROAD),
        ("two_factor", _BASE32),
        ("date", _DATE),
        ("key", _KEY),
        ("token", _LONG_TOKEN),
    ):
        if pattern.fullmatch(text):
            return column
    return ""


def _base(column: str) -> str:
    """The column that "email 2" is a second one of."""
    base, _space, number = column.rpartition(" ")
    return base if base and number.isdigit() else column
