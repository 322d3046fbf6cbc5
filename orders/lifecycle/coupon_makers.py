"""Who made a coupon or raised it, and that they, and whom they are tied to by a referral, do not use it."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from accounts.power import tied_to
from orders.models import Coupon, CouponMaker

ALWAYS = datetime.max.replace(tzinfo=UTC)
NO_LIMIT = float("inf")
# How much each column is worth to customers: the more, the better.
WORTH: dict[str, Callable[[Any], Any]] = {
    "percent": lambda percent: percent,
    "amount_micros": lambda amount_micros: amount_micros,
    "min_order_micros": lambda min_order_micros: -min_order_micros,
    "first_purchase_only": lambda first_purchase_only: not first_purchase_only,
    "per_customer": lambda times: times or NO_LIMIT,
    "in_all": lambda times: times or NO_LIMIT,
    "valid_from": lambda moment: -moment.timestamp() if moment else NO_LIMIT,
    "valid_until": lambda moment: moment or ALWAYS,
    "active": lambda active: active,
}


def note_maker(coupon: Coupon, *, before: Coupon | None, fields: Collection[str], staff: User, now: datetime) -> None:
    """Remember who made a coupon, or whose edit of these fields made it worth more than it was `before`.

    Part of the transaction that saves it: whoever uses it next waits for that, and sees who it was.
    """
    if before is None or is_worth_more(coupon, before, fields):
        CouponMaker.objects.get_or_create(coupon=coupon, user=staff, defaults={"created_at": now})


def is_worth_more(coupon: Coupon, before: Coupon, fields: Collection[str]) -> bool:
    """Whether these fields of a coupon give anybody more than before, or it has a code that only some know."""
    compared = [(WORTH[name], name) for name in fields if name in WORTH]
    raised = any(worth(getattr(coupon, name)) > worth(getattr(before, name)) for worth, name in compared)
    return raised or ("code" in fields and coupon.code != before.code)


def is_of_its_makers(coupon: Coupon, user: User) -> bool:
    """Whether this customer made or raised the coupon, or is tied to somebody who did; one query."""
    return CouponMaker.objects.filter(coupon=coupon, user__in=User.objects.filter(tied_to(user))).exists()
