"""Values as the trail keeps them: plain JSON, and of a secret only that it has changed."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Model

CHANGED = "changed"
LONGEST = 500  # of a text: the trail says what was done, it is no copy of the tables
MOST = 100  # of a list
# Parts of the names of fields whose content is nobody's to read again.
SECRET_WORDS = frozenset(
    (
        *("password", "password1", "password2", "secret", "secrets", "token", "tokens", "hash", "encrypted", "quote"),
        *("content", "body", "packed", "seed", "codes", "data"),
    )
)


def is_secret(name: str) -> bool:
    """Say whether the field of this name holds what the trail must not."""
    return not SECRET_WORDS.isdisjoint(name.lower().split("_"))


def plain(value: Any, name: str = "") -> Any:
    """Return a value as JSON that reads back as it was written; of a secret field the word for one."""
    if is_secret(name):
        return CHANGED
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dict):
        kept = {_text(key): plain(one, str(key)) for key, one in list(value.items())[:MOST]}
        return {**kept, "…": len(value) - MOST} if len(value) > MOST else kept
    if isinstance(value, Model):
        return value.pk if isinstance(value.pk, int) else _text(value.pk)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, str | Decimal | float | timedelta):
        return _text(value)
    try:
        return [plain(one) for one in list(value)[:MOST]]
    except TypeError:
        return _text(value)


def _text(value: Any) -> str:
    # PostgreSQL's JSON has no NUL and no half of a pair.
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
