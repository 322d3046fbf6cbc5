"""Samples of what customers are told about their orders: of rows that are made up and never saved."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from notifications.kinds import ORDERS, PRICES
from notifications.samples import Sample
from orders.models import DeliveredGoods, Kind, Order, Status
from orders.notices.customer_notices import notice_of_standing
from orders.notices.price_digest import PriceMove, notice_of_moves

WHEN = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
FOLLOWERS = "Instagram followers | Old accounts | 50K a day | 30 days refill"
LIKES = "Instagram likes | Instant | No refill"
ACCOUNTS = "Gmail accounts | Aged | Phone verified"


def sample_order(reader: User, *, goods: DeliveredGoods | None = None, **fields: Any) -> Order:
    """Return an order that is in no table, of 1,000 pieces for $1.25."""
    usual = {"title": FOLLOWERS, "quantity": 1000, "price_micros": 1_250_000, "status": Status.COMPLETED}
    order = Order(pk=1042, kind=Kind.SERVICE, user=reader, created_at=WHEN, **{**usual, **fields})
    # Else the goods of the real order with this number would be looked for.
    Order._meta.get_field("goods").set_cached_value(order, goods)
    return order


def _order(**fields: Any) -> Callable[[User], tuple[str, str]]:
    def make(reader: User) -> tuple[str, str]:
        notice = notice_of_standing(sample_order(reader, **fields), WHEN)
        return notice.subject, notice.body

    return make


def _prices(reader: User) -> tuple[str, str]:
    moves = [
        PriceMove(Service(pk=1, name=FOLLOWERS), 1_250_000, 1_100_000),
        PriceMove(Service(pk=2, name=LIKES), 400_000, 460_000),
    ]
    notice = notice_of_moves(reader, moves, WHEN)
    return notice.subject, notice.body


_GOODS = {"title": ACCOUNTS, "quantity": 3, "goods": DeliveredGoods(pieces=3)}
SAMPLES = [
    Sample("order-complete", ORDERS, _("An order is complete"), _order()),
    Sample("order-goods", ORDERS, _("An order is complete, with goods"), _order(**_GOODS)),
    Sample(
        "order-partial",
        ORDERS,
        _("An order was partially completed"),
        _order(status=Status.PARTIAL, remains=250, refunded_micros=312_500),
    ),
    Sample(
        "order-canceled", ORDERS, _("An order was canceled"), _order(status=Status.CANCELED, refunded_micros=1_250_000)
    ),
    Sample("order-failed", ORDERS, _("An order failed"), _order(status=Status.FAILED, refunded_micros=1_250_000)),
    Sample("order-refunded", ORDERS, _("An order was refunded later"), _order(refunded_micros=400_000)),
    Sample("prices", PRICES, _("Prices have changed"), _prices),
]
