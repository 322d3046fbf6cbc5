"""Finding rows by a telephone number, whichever way it was written on either side."""

from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Replace

from sms.formats.phones import digits_of
from upstream.reading.text import digits

FEWEST_DIGITS = 4
_BETWEEN_DIGITS = "+-()./ \u00a0"


def with_phone(rows: QuerySet[Any], column: str, typed: str) -> QuerySet[Any]:
    """Return the rows in whose phone are the digits of what was typed; none where that is no telephone number.

    It looks through all of these rows: for when what was typed is not found as it stands.
    """
    if not _is_a_phone(typed):
        return rows.none()
    bare: Combinable = F(column)
    for character in _BETWEEN_DIGITS:
        bare = Replace(bare, Value(character), Value(""))
    called = Q()
    for form in digits_of(typed):
        called |= Q(phone_digits__contains=form)
    found: QuerySet[Any] = rows.alias(phone_digits=bare).filter(called)
    return found


def newest_with_phone(rows: QuerySet[Any], column: str, typed: str, most: int) -> list[int]:
    """Return the keys of the newest rows in whose phone are the digits typed, at most so many.

    Nearly all phones are stored as digits alone, which an index finds; only where none is, all rows are looked through.
    """
    if not _is_a_phone(typed):
        return []
    called = Q()
    for form in digits_of(typed):
        called |= Q(**{f"{column}__contains": form})
    newest = rows.order_by("-pk").values_list("pk", flat=True)
    return list(newest.filter(called)[:most]) or list(with_phone(newest, column, typed)[:most])


def _is_a_phone(typed: str) -> bool:
    return len(digits(typed)) >= FEWEST_DIGITS and not any(map(str.isalpha, typed))
