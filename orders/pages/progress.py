"""How orders are going, for a customer who asks about many at once: what the API tells of them and nothing else."""

from collections.abc import Sequence
from typing import NamedTuple

from accounts.fast_queries.reads import Prepared
from accounts.models import User
from orders.models import Kind, Order


class Progress(NamedTuple):
    """What there is to tell of one order; `goods_id` when something was delivered with it."""

    id: int
    status: str
    quantity: int
    remains: int | None
    start_count: int | None
    price_micros: int
    refunded_micros: int
    goods_id: int | None

    @property
    def kept_micros(self) -> int:
        """What the customer has paid for this order after refunds."""
        return self.price_micros - self.refunded_micros


_FIELDS = (*Progress._fields[:-1], "goods__id")
_of_user = Prepared(
    lambda: Order.objects.filter(kind="service", user_id=0).order_by().values_list(*_FIELDS),
    example=("service", 0),
    among="orders_order.id",
)


def progress_of(user: User, order_ids: Sequence[int]) -> dict[int, Progress]:
    """Return how these orders of services are going, by id; without those that are not this customer's. One query.

    Numbers are orders, too, and not among them: upstream's `status` knows none, and a shop that buys here takes an
    answer for an id it does not know as proof of a lost order of a service.
    """
    if not order_ids:
        return {}
    return {row[0]: Progress._make(row) for row in _of_user.rows(Kind.SERVICE.value, user.pk, ids=order_ids)}
