"""Getting today's exchange rate: from whatever callable the settings name, checked before it counts."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from catalog.models import ExchangeRate
from catalog.pricing import currencies_differ, exchange_rate_micros
from upstream.money import MICROS, micros_from_decimal, text_from_micros

# A rate that moves by more than this at once is more often a slip of the finger than the market.
JUMP_PERCENT = 20
MAX_RATE = 1_000_000  # of the shop's currency for one of upstream's


class RateRefused(Exception):
    """The source gave no rate that may count; the text says why. The rate of before goes on counting."""


def jump_percent(before_micros: int, after_micros: int) -> int:
    """Return by how many percent a rate rises, below zero how far it falls, when that is a jump; else 0."""
    moved = after_micros - before_micros
    if abs(moved) * 100 <= JUMP_PERCENT * before_micros:
        return 0
    return moved * 100 // before_micros if moved > 0 else -(-moved * 100 // before_micros)


def fetch_exchange_rate(*, now: datetime) -> ExchangeRate | None:
    """Ask EXCHANGE_RATE_SOURCE and keep what it says from now on; return the new rate, None when it is the old one.

    The source is called with the keywords `upstream` and `store`, two currencies of three letters, and returns a
    `Decimal`: how many units of `store` one unit of `upstream` costs. Stored prices follow with the next repricing.
    Raises RateRefused when it fails, or names no rate, or one that jumps: an admin can enter that by hand.
    """
    if not currencies_differ():
        return None
    rate_micros = _ask(settings.EXCHANGE_RATE_SOURCE)
    before_micros = exchange_rate_micros(now)
    if rate_micros == before_micros:
        return None
    if jump := jump_percent(before_micros, rate_micros):
        raise RateRefused(
            _(
                "The exchange rate would change by %(jump)+d%%, from %(before)s to %(after)s. If that is "
                "right, enter it by hand."
            )
            % {"jump": jump, "before": text_from_micros(before_micros), "after": text_from_micros(rate_micros)}
        )
    return ExchangeRate.objects.create(
        rate_micros=rate_micros, valid_from=now, source=settings.EXCHANGE_RATE_SOURCE[:100]
    )


def _ask(source: str) -> int:
    try:
        rate = import_string(source)(upstream=settings.UPSTREAM_CURRENCY, store=settings.STORE_CURRENCY)
    except Exception as error:  # it is somebody else's program, and fails in its own ways
        raise RateRefused(
            _("%(source)s failed: %(error)s") % {"source": source, "error": f"{type(error).__name__}: {error}"}
        ) from error
    if not isinstance(rate, Decimal) or not rate.is_finite() or not 0 < rate <= MAX_RATE:
        raise RateRefused(
            _("%(source)s returned %(rate)r, which is not an exchange rate.") % {"source": source, "rate": rate}
        )
    return min(micros_from_decimal(rate), MAX_RATE * MICROS)
