"""What one unit of upstream's currency costs in the shop's: the newest rate whose time has come."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from catalog.models import ExchangeRate
from upstream.money import MICROS, micros_from_decimal


@dataclass(frozen=True)
class RateNow:
    """The rate that counts at a moment, and its row; None when it comes from the settings, or both are one currency."""

    micros: int
    row: ExchangeRate | None = None


def currencies_differ() -> bool:
    """Return whether upstream charges in another currency than the shop sells in."""
    return bool(settings.UPSTREAM_CURRENCY != settings.STORE_CURRENCY)


def rate_now(now: datetime) -> RateNow:
    """Return the rate of a moment with its row; one query, none where nothing is exchanged."""
    if not currencies_differ():
        return RateNow(MICROS)
    row = ExchangeRate.objects.filter(valid_from__lte=now).select_related("set_by").first()  # newest first
    return RateNow(micros_from_decimal(settings.UPSTREAM_EXCHANGE_RATE) if row is None else row.rate_micros, row)


def exchange_rate_micros(now: datetime | None = None) -> int:
    """Return what one unit of upstream's currency costs in the store's currency, in micros.

    One query, none where both are the same currency and the rate is 1.
    """
    if not currencies_differ():
        return MICROS
    begun = ExchangeRate.objects.filter(valid_from__lte=now or timezone.now())
    newest: int | None = begun.values_list("rate_micros", flat=True).first()
    return micros_from_decimal(settings.UPSTREAM_EXCHANGE_RATE) if newest is None else newest


def next_exchange_rate(now: datetime) -> datetime | None:
    """Return the next moment another rate begins to count, or None; one query at most."""
    if not currencies_differ():
        return None
    moment: datetime | None = ExchangeRate.objects.filter(valid_from__gt=now).aggregate(next=Min("valid_from"))["next"]
    return moment
