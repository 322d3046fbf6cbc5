"""Whether goods really come with the status of their order: the first order of a category proves it, or calls a human.

An order without a link was sold as goods that come so, whatever its category says by now.
"""

from datetime import datetime
from enum import Enum

import structlog

from catalog.models import Category
from orders.fulfilment.service_supply import Goods
from orders.lifecycle.supply import Report
from orders.models import DELIVERED, UPSTREAM_OPEN, Kind, Order

log = structlog.get_logger(__name__)


class Delivered(Enum):
    """What a report says about the way goods are delivered."""

    NOTHING_NEW = "nothing new"
    PROVED = "proved"
    WITHOUT_GOODS = "without goods"
    LATE = "late"


def delivery_shown(order: Order, report: Report) -> Delivered:
    """Return what this report shows, before it is recorded; no query for an order read with its related rows."""
    service = order.service
    if order.kind != Kind.SERVICE or service is None or report.status not in DELIVERED:
        return Delivered.NOTHING_NEW
    brings_goods = isinstance(report.details, Goods)
    if brings_goods or getattr(order, "goods", None) is not None:
        if service.home_category.vault_proved_at is None:
            return Delivered.PROVED
        return Delivered.LATE if brings_goods and order.status in DELIVERED else Delivered.NOTHING_NEW
    if not order.link and order.status in UPSTREAM_OPEN:
        return Delivered.WITHOUT_GOODS
    return Delivered.NOTHING_NEW


def note_proof(order: Order, now: datetime) -> None:
    """Keep that goods of this order's category come with the status; the first proof stays."""
    assert order.service is not None  # noqa: S101 - delivery_shown
    home_id = order.service.home_category_id
    unproved = Category.objects.filter(pk=home_id, vault_proved_at=None)
    if unproved.update(vault_proved_at=now):
        log.info("goods_in_the_order_proved", category_id=home_id, order_id=order.pk)
