"""Using a coupon, as often as it may be used, and giving the use back with the money of an order that came to nothing.

Coupons are for the order form of a service in the browser; API and mass orders have the prices of the customer's group.
Whoever changes a coupon's count does it before the wallet is touched, so that two sales never wait for each other.
"""

import re
from datetime import datetime

from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.fast_queries.inserts import insert_row
from accounts.models import User
from accounts.security.wrong_tries import TooManyWrongTries, check_coupon_tries, count_wrong_coupon
from accounts.templatetags.money import money
from orders.lifecycle.coupon_makers import is_of_its_makers
from orders.lifecycle.discounts import Discount, discount_of
from orders.models import Coupon, CouponUse, Order
from upstream.reading.text import line

# Typed in small letters it is the same one; anything else is no code, and not worth a query.
CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,39}")


class CouponRefused(Exception):
    """The coupon cannot be used for this order; the text is for the customer. Nothing has changed."""


def code_of(typed: str) -> str:
    """Return a coupon's code as it is kept, from what somebody typed."""
    return line(typed).upper()


def discount_for(user: User, typed: str, *, price_micros: int, floor_micros: int, now: datetime) -> Discount:
    """Return what the coupon would take off, for a page; nothing is kept for anybody. Raises CouponRefused.

    Codes that are none are counted: nobody finds one by trying. Every order form asks here first.
    """
    _check_tries(user, now)
    try:
        coupon = _find(typed)
    except CouponRefused:
        count_wrong_coupon(user, now=now)
        raise
    _check_time(coupon, now)
    if coupon.in_all and coupon.uses >= coupon.in_all:
        raise _used_up()
    _check_customer(coupon, user, price_micros)
    return _discount(coupon, price_micros, floor_micros)


def claim_coupon(
    user: User, typed: str, *, price_micros: int, floor_micros: int, now: datetime
) -> tuple[Coupon, Discount]:
    """Count one more use of the coupon and return what it takes off; part of the sale's transaction.

    The count is a guarded UPDATE: it holds the coupon's row until the sale is booked, so that whoever takes the last
    use, or the same customer's other tab, is seen. Raises CouponRefused: roll the transaction around it back then.
    """
    coupon = _find(typed)
    free = Coupon.objects.valid(now).filter(Q(in_all=0) | Q(uses__lt=F("in_all")), pk=coupon.pk)
    if not free.update(uses=F("uses") + 1):
        _check_time(coupon, now)
        raise _used_up()
    _check_customer(coupon, user, price_micros)
    return coupon, _discount(coupon, price_micros, floor_micros)


def record_use(coupon: Coupon, order: Order, discount: Discount) -> None:
    """Write down the use of a claimed coupon by an order that has just been paid; part of the sale's transaction.

    The customer's wallet is held by now, so that two first purchases at once, with two coupons, are not both the first.
    Raises CouponRefused.
    """
    if coupon.first_purchase_only and _has_bought(order.user, besides=order):
        raise _not_the_first()
    insert_row(
        CouponUse(
            coupon=coupon,
            user=order.user,
            order=order,
            discount_micros=discount.discount_micros,
            created_at=order.created_at,
        )
    )


def free_coupon(order: Order, *, now: datetime) -> None:
    """Give the coupon of an order that came to nothing back to its customer; part of the refund's transaction."""
    if "coupon" not in order.pricing:
        return
    if CouponUse.objects.filter(order=order, freed_at=None).update(freed_at=now):
        Coupon.objects.filter(used__order=order).update(uses=F("uses") - 1)


def _check_tries(user: User, now: datetime) -> None:
    try:
        check_coupon_tries(user, now=now)
    except TooManyWrongTries:
        raise CouponRefused(_("You have tried too many coupons. Try again in an hour.")) from None


def _find(typed: str) -> Coupon:
    code = code_of(typed)
    coupon = Coupon.objects.filter(code=code).first() if CODE.fullmatch(code) else None
    if coupon is None:
        raise CouponRefused(_("This coupon doesn't exist. Check the code."))
    return coupon


def _check_time(coupon: Coupon, now: datetime) -> None:
    if coupon.valid_from is not None and now < coupon.valid_from:
        raise CouponRefused(_("This coupon isn't valid yet."))
    if not coupon.active or (coupon.valid_until is not None and now >= coupon.valid_until):
        raise CouponRefused(_("This coupon has expired."))


def _check_customer(coupon: Coupon, user: User, price_micros: int) -> None:
    if is_of_its_makers(coupon, user):
        # Not who: a customer is not told who works here.
        raise CouponRefused(
            _(
                "You can't use this coupon: it was made or raised by you, or by somebody you are connected with by a "
                "referral."
            )
        )
    if coupon.per_customer:
        used = CouponUse.objects.filter(coupon=coupon, user=user, freed_at=None).count()
        if used >= coupon.per_customer:
            words = ngettext(
                "You have already used this coupon.",
                "You have already used this coupon %(count)d times and can't use it again.",
                coupon.per_customer,
            )
            raise CouponRefused(words % {"count": used})
    if coupon.first_purchase_only and _has_bought(user):
        raise _not_the_first()
    if price_micros < coupon.min_order_micros:
        minimum = money(coupon.min_order_micros)
        raise CouponRefused(_("This coupon is for orders of %(amount)s or more.") % {"amount": minimum})


def _has_bought(user: User, besides: Order | None = None) -> bool:
    """Whether the customer has bought anything; what was given back as a whole does not count."""
    bought = Order.objects.filter(user=user).exclude(refunded_micros=F("price_micros"))
    return (bought.exclude(pk=besides.pk) if besides else bought).exists()


def _discount(coupon: Coupon, price_micros: int, floor_micros: int) -> Discount:
    discount = discount_of(coupon, price_micros=price_micros, floor_micros=floor_micros)
    if not discount.discount_micros:
        raise CouponRefused(_("This coupon gives no discount here: the price can't go any lower."))
    return discount


def _used_up() -> CouponRefused:
    return CouponRefused(_("This coupon has been used up."))


def _not_the_first() -> CouponRefused:
    return CouponRefused(_("This coupon is for first orders only."))
