"""What the home page says of the shop itself: figures from its own books, and only where there are enough of them.

They are sums of what is measured anyway (docs/quality.md, `sms.queries.success_rates`): no order is counted for a page.
So orders of services with very few are left out, and the shop says less than it could, never more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Sum

from catalog.caching.version import Version
from catalog.caching.versioned_cache import cache_key, process_cached
from catalog.models import ServiceQuality
from catalog.preferences import MEASURED_DAYS
from sms.models import SuccessRate
from sms.preferences import NUMBERS_ON_SALE

LEAST = 100  # orders or codes; fewer prove nothing


@dataclass(frozen=True)
class Proof:
    """How many orders were completed and codes received lately, and half of the orders' time; None: too few to say."""

    completed: int | None
    done_seconds: int | None
    days: int
    codes: int | None
    code_days: int

    def __bool__(self) -> bool:
        return self.completed is not None or self.codes is not None


def proof(version: Version) -> Proof:
    """Return the figures as at this version of the catalog; two queries where nobody has asked before."""
    key = cache_key("proof", settings.SMS_SUCCESS_DAYS)
    return process_cached(key, version.without_stock, _counted)


def _counted() -> Proof:
    rows = list(ServiceQuality.objects.values_list("completed", "done_seconds"))
    completed = sum(count for count, _seconds in rows)
    codes = 0
    if NUMBERS_ON_SALE.value:
        codes = SuccessRate.objects.aggregate(codes=Sum("received"))["codes"] or 0
    enough = completed >= LEAST
    return Proof(
        completed=completed if enough else None,
        done_seconds=_middle((seconds, count) for count, seconds in rows if seconds is not None) if enough else None,
        days=MEASURED_DAYS.value.days,
        codes=codes if codes >= LEAST else None,
        code_days=settings.SMS_SUCCESS_DAYS,
    )


def _middle(weighted: Iterable[tuple[int, int]]) -> int | None:
    """Return the usual time that half of the orders are of services with at most; (seconds, orders) of each service."""
    ordered = sorted(weighted)
    half, seen = sum(orders for _seconds, orders in ordered) / 2, 0
    for seconds, orders in ordered:
        seen += orders
        if seen >= half and orders:
            return seconds
    return None
