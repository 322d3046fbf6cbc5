"""Finding out how many pieces a rate buys: nobody has told us, and a wrong guess is wrong a thousandfold.

Until a category's unit is confirmed its orders go out one at a time, and the first real charge proves the unit.
"""

from datetime import datetime

import structlog
from django.conf import settings

from catalog.models import Category, RateUnit
from catalog.operations.overrides import confirm_rate_units
from orders.models import Order

log = structlog.get_logger(__name__)

CENT_MICROS = 10_000  # upstream writes charges with two decimals, so a cent up or down says nothing


def needs_turn(order: Order) -> bool:
    """Whether this order may go out only alone in its category; it comes with its service and category."""
    return order.service is not None and not order.service.rate_confirmed


def take_turn(order: Order, *, now: datetime) -> bool:
    """Return whether this order of an unconfirmed category is the first that waits, and none is under way upstream.

    Call it inside the claim's transaction: the category's row is locked by a write until that has committed, so of two
    workers the second one waits here and then sees the first one's order. An unknown order does not count.
    """
    assert order.service is not None  # noqa: S101 - needs_turn
    unconfirmed = Category.objects.filter(pk=order.service.home_category_id, rate_confirmed_at=None)
    if not unconfirmed.update(rate_confirmed_at=None):
        return True  # confirmed since the order was read
    return Order.objects.waiting_to_send(now).filter(pk=order.pk).exists()


def charge_matches(charge_micros: int, expected_micros: int) -> bool:
    """Whether a charge is the expected one, within CHARGE_TOLERANCE_PERCENT or a cent."""
    difference = abs(charge_micros - expected_micros)
    return difference <= CENT_MICROS or difference * 100 <= expected_micros * settings.CHARGE_TOLERANCE_PERCENT


def other_unit_cost_micros(order: Order) -> int:
    """Return what the order would cost upstream if its rate bought the other number of pieces."""
    if order.rate_per == RateUnit.THOUSAND:
        return order.cost_upstream_micros * RateUnit.THOUSAND
    return order.cost_upstream_micros // RateUnit.THOUSAND


def contradicts_unit(order: Order, charge_micros: int) -> bool:
    """Whether a charge is what the other unit would cost, and not what ours does."""
    if order.service_id is None or charge_matches(charge_micros, order.cost_upstream_micros):
        return False
    return charge_matches(charge_micros, other_unit_cost_micros(order))


def learn_unit(order: Order, charge_micros: int, *, now: datetime) -> bool:
    """Confirm the unit of the order's category when this charge proves it; return whether it did so now.

    A charge that both units explain, as that of a few cheap pieces may be, proves nothing.
    """
    service = order.service
    if service is None or service.rate_confirmed or order.rate_per != service.rate_per:
        return False
    ours = charge_matches(charge_micros, order.cost_upstream_micros)
    if not ours or charge_matches(charge_micros, other_unit_cost_micros(order)):
        return False
    # Staff may have chosen another unit since the category was read.
    home = service.home_category
    category = Category.objects.filter(pk=home.pk, rate_per=home.rate_per)
    confirmed = confirm_rate_units(category, now=now)
    if confirmed:
        log.info("rate_unit_confirmed", category_id=home.pk, order_id=order.pk, rate_per=order.rate_per)
    return bool(confirmed)
