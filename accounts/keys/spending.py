"""What a key spends in a day, and its limit: counted in the transaction that takes the money.

The sum and the limit are compared in one statement, so that calls at the same time cannot pass it together. A key and
the one that replaces it are counted as one. What is refunded later stays counted.
"""

from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import ApiKey, ApiKeySpending
from accounts.money import LARGEST_MICROS

_SPEND = """
    UPDATE accounts_apikeyspending SET spent_micros = spent_micros + %s {source}
    WHERE key_id = %s AND day = %s AND spent_micros <= %s
"""


class DailyLimitReached(Exception):
    """The key may not spend so much more today."""


def spend_with_key(key: ApiKey, amount_micros: int, *, now: datetime | None = None) -> None:
    """Count what a key spends. Raises DailyLimitReached; nothing has been counted then."""
    day = _day(now)
    if _spent_more(key, day, amount_micros):
        return
    # The first of the day, or too much. Who comes second to the insert finds the row of the first.
    ApiKeySpending.objects.bulk_create([ApiKeySpending(key_id=key.counted_at_id, day=day)], ignore_conflicts=True)
    if not _spent_more(key, day, amount_micros):
        raise DailyLimitReached


def spent_part(*, source: str) -> str:
    """Return the same as a part of a sale's statement (PostgreSQL), for each row of `source`, which is one.

    It returns a row only where it has counted: else `spend_with_key` has to, which makes the first row of a day.
    """
    return f"{_SPEND.format(source=f'FROM {source}')} RETURNING accounts_apikeyspending.id"


def spent_values(key: ApiKey, amount_micros: int, *, now: datetime | None = None) -> list[Any]:
    """Return the parameters of `spent_part`."""
    return _values(key, _day(now), amount_micros)


def _spent_more(key: ApiKey, day: date, amount_micros: int) -> bool:
    """Add to what was spent, if there is a row and room; not a queryset, whose SQL would be built for every order."""
    with connection.cursor() as cursor:
        cursor.execute(_SPEND.format(source=""), _values(key, day, amount_micros))
        return bool(cursor.rowcount)


def _values(key: ApiKey, day: date, amount_micros: int) -> list[Any]:
    limit = LARGEST_MICROS if key.daily_limit_micros is None else key.daily_limit_micros
    return [amount_micros, key.counted_at_id, connection.ops.adapt_datefield_value(day), limit - amount_micros]


def _day(now: datetime | None) -> date:
    return (now or timezone.now()).astimezone(UTC).date()
