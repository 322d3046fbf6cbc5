"""Whether the upstream account can pay for what our customers have paid for, and for how long it will."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Min, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from orders.models import Order, Status, UpstreamBalance
from orders.notices.admin_notices import tell_of_low_balance
from orders.preferences import BALANCE_LOW
from upstream.client import Client
from upstream.money import micros_from_decimal, text_from_micros
from upstream.protocol.wire import Balance

log = structlog.get_logger(__name__)

BURN_DAYS = 3
STORE_EVERY = timedelta(hours=1)
KEEP = timedelta(days=30)
# An episode of low money ends only well above the threshold, so that a forecast that wavers is not told twice.
OVER_AT = 1.5


@dataclass(frozen=True)
class Forecast:
    """The upstream account in micros of its currency. `hours_left` is None where nothing has been spent lately."""

    balance_micros: int
    reserved_micros: int
    burn_per_day_micros: int
    hours_left: int | None

    @property
    def available_micros(self) -> int:
        """What is left for orders still to come; negative when paid orders alone need more."""
        return self.balance_micros - self.reserved_micros


def check_balance(*, client: Client, now: datetime) -> int:
    """Ask for the upstream balance, keep it as evidence, tell the admin when it runs low; return it in micros.

    A balance is kept when it has changed, and once an hour; for 30 days. Raises the client's read errors.
    """
    return keep_balance(client.balance(), now=now)


def keep_balance(balance: Balance, *, now: datetime) -> int:
    """Keep what upstream says it holds, see `check_balance`; return it in micros."""
    balance_micros = micros_from_decimal(balance.balance)
    latest = latest_balance()
    was_low = latest is not None and latest.low
    outlook = _forecast(balance_micros, now)
    low = _is_low(outlook, was_low=was_low)
    if (
        latest is None
        or (latest.amount_upstream_micros, latest.low) != (balance_micros, low)
        or latest.asked_at <= now - STORE_EVERY
    ):
        UpstreamBalance.objects.create(amount_upstream_micros=balance_micros, asked_at=now, low=low)
        UpstreamBalance.objects.filter(asked_at__lt=now - KEEP).delete()
    if low and not was_low:
        _tell(outlook, now=now)
    return balance_micros


def latest_balance() -> UpstreamBalance | None:
    """Return what the upstream account held when it was last looked at, or None before the first look."""
    return UpstreamBalance.objects.order_by("-asked_at", "-id").first()


def reserved_upstream_micros() -> int:
    """Return what the orders will cost that are paid and not surely charged upstream yet."""
    # Each has an index of the few orders that are meant; one list of all three would not use them.
    not_charged = Q(status=Status.PAID) | Q(status=Status.SENDING) | Q(status=Status.UNKNOWN)
    reserved: int | None = Order.objects.filter(not_charged).aggregate(total=Sum("cost_upstream_micros"))["total"]
    return reserved or 0


def can_afford(cost_upstream_micros: int) -> bool:
    """Whether the money is there for a purchase of this cost, as far as is known; True before the first look."""
    latest = latest_balance()
    return latest is None or latest.amount_upstream_micros - reserved_upstream_micros() >= cost_upstream_micros


def forecast(*, now: datetime) -> Forecast | None:
    """Return how long the upstream money lasts at the pace of the last three days, or None before the first look."""
    latest = latest_balance()
    return None if latest is None else _forecast(latest.amount_upstream_micros, now)


def _forecast(balance_micros: int, now: datetime) -> Forecast:
    since = now - timedelta(days=BURN_DAYS)
    placed = Order.objects.filter(created_at__gte=since, upstream_id__isnull=False)
    spent = placed.aggregate(
        total=Sum(Coalesce("charge_upstream_micros", "cost_upstream_micros")), first=Min("created_at")
    )
    burn, reserved = spent["total"] or 0, reserved_upstream_micros()
    # A shop that opened today has not had three days to spend it in.
    seconds = max(int((now - spent["first"]).total_seconds()), 3600) if burn else 3600
    available = max(balance_micros - reserved, 0)
    return Forecast(
        balance_micros=balance_micros,
        reserved_micros=reserved,
        burn_per_day_micros=burn * 86_400 // seconds,
        hours_left=available * seconds // (burn * 3600) if burn else None,
    )


def _is_low(outlook: Forecast, *, was_low: bool) -> bool:
    if outlook.available_micros < 0:
        return True
    threshold = BALANCE_LOW.value / timedelta(hours=1) * (OVER_AT if was_low else 1)
    return outlook.hours_left is not None and outlook.hours_left < threshold


def _tell(outlook: Forecast, *, now: datetime) -> None:
    currency = settings.UPSTREAM_CURRENCY
    figures = {
        "balance": f"{text_from_micros(outlook.balance_micros)} {currency}",
        "reserved": f"{text_from_micros(outlook.reserved_micros)} {currency}",
    }
    log.warning("upstream_balance_low", **figures, hours_left=outlook.hours_left)
    text = _("The upstream account holds %(balance)s; paid orders need %(reserved)s of it.") % figures
    if outlook.hours_left is not None:
        lasts = _("At the pace of recent days, the rest will last %(hours)d hours.") % {"hours": outlook.hours_left}
        text = f"{text}\n{lasts}"
    # Two checks at the same time see the same last good balance: the episode has one number.
    good = UpstreamBalance.objects.filter(low=False).order_by("-id").values_list("pk", flat=True).first()
    tell_of_low_balance(good or 0, text, now=now)
