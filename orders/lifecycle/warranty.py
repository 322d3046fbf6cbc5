"""Until when lines of an order are covered, by the warranty it was bought with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.titles.warranty import LIFETIME_HOURS
from catalog.titles.words import warranty_in_words
from orders.models import DeliveredGoods, Order


@dataclass(frozen=True)
class Warranty:
    """The warranty of an order's goods. `until` is for the lines that came last, `first_until` for those before them.

    Both are None where nothing has come yet, or where the goods are covered for as long as they run.
    """

    hours: int
    until: datetime | None = None
    first_until: datetime | None = None
    over: bool = False

    @property
    def words(self) -> str:
        """How long it is, where nothing has come yet or it has no end."""
        return warranty_in_words(self.hours)


def warranty_of(order: Order, goods: DeliveredGoods | None, *, now: datetime) -> Warranty | None:
    """Return the warranty of an order; None where none was written down: no goods, or bought before that was kept."""
    hours = order.warranty_hours
    if hours is None:
        return None
    if goods is None or not 0 < hours < LIFETIME_HOURS:
        return Warranty(hours)
    arrived = [datetime.fromisoformat(str(moment)) for _pieces, moment in goods.arrivals] or [goods.received_at]
    last = warranty_ends(order, arrived[-1])
    first = warranty_ends(order, arrived[0])
    return Warranty(hours, last, None if first == last else first, over=last is not None and last < now)


def warranty_ends(order: Order, delivered_at: datetime) -> datetime | None:
    """Return until when a line that came at that moment is covered; None where that has no end, or isn't known."""
    hours = order.warranty_hours
    if hours is None or hours >= LIFETIME_HOURS:
        return None
    return delivered_at + timedelta(hours=hours)
