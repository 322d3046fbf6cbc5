"""How many numbers one customer may have: open at once, and in 24 hours."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import ngettext

from accounts.models import User
from orders.placing.refusals import OrderRefused
from sms.models import Number, NumberLimit
from sms.preferences import MAX_OPEN, MAX_PER_DAY

DAY = timedelta(hours=24)


class TooManyNumbers(OrderRefused):
    """The customer has as many numbers as they may have; the text says how many that are."""


class Limits(NamedTuple):
    max_open: int
    max_per_day: int


def limits_of(user: User) -> Limits:
    """Return the customer's limits: their own where staff set some, else the shop's; one query."""
    own = NumberLimit.objects.filter(user=user).values_list("max_open", "max_per_day").first()
    max_open, max_per_day = own or (None, None)
    return Limits(
        MAX_OPEN.value if max_open is None else max_open,
        MAX_PER_DAY.value if max_per_day is None else max_per_day,
    )


def check_limits(user: User, *, now: datetime) -> None:
    """Refuse when the customer has more numbers than they may; the ones being bought are counted.

    Call it inside the transaction that buys, after the wallet was debited: two purchases at once queue for the wallet,
    so the second one sees what the first one bought. Numbers that never came do not count against the day.
    Raises TooManyNumbers, which rolls the purchase back.
    """
    limits = limits_of(user)
    own = Number.objects.filter(order__user=user)
    if own.still_open().count() > limits.max_open:
        text = ngettext(
            "You can have %(count)d open number at once. Wait for its code, then buy more.",
            "You can have %(count)d open numbers at once. Wait for their codes, then buy more.",
            limits.max_open,
        )
        raise TooManyNumbers(text % {"count": limits.max_open})
    lately = own.filter(created_at__gt=now - DAY)
    if lately.exclude(state=Number.State.CANCELED, phone="").count() > limits.max_per_day:
        text = ngettext(
            "You can buy %(count)d number in 24 hours.",
            "You can buy %(count)d numbers in 24 hours.",
            limits.max_per_day,
        )
        raise TooManyNumbers(text % {"count": limits.max_per_day})
