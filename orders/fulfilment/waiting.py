"""Reading the orders that wait to be sent, with what is needed to send them."""

from collections.abc import Sequence
from functools import cache

from accounts.fast_queries.instances import PreparedModels
from accounts.fast_queries.reads import Prepared
from orders.lifecycle.supply import related_rows
from orders.models import Order, Status

_ID = '"orders_order"."id"'
_HELD_BY_NOTHING = ""
_kinds = Prepared(
    lambda: Order.objects.sendable().order_by().values_list("kind").distinct(),
    example=(_HELD_BY_NOTHING, Status.PAID),
    among=_ID,
)


def kinds_waiting(order_ids: Sequence[int]) -> list[str]:
    """Return the kinds of those of these orders that wait."""
    return [kind for (kind,) in _kinds.rows(_HELD_BY_NOTHING, Status.PAID, ids=order_ids)]


def waiting_orders(order_ids: Sequence[int], kind: str) -> list[Order]:
    """Return those of these orders of this kind that wait, with what their supply needs beside them, in no order."""
    return _of_kind(kind).rows(_HELD_BY_NOTHING, Status.PAID, kind, ids=order_ids)


def waiting_order(order_id: int, kind: str) -> Order | None:
    """Return the order with what its kind needs beside it, or None when it does not wait any more."""
    return next(iter(waiting_orders([order_id], kind)), None)


@cache
def _of_kind(kind: str) -> PreparedModels[Order]:
    return PreparedModels(
        lambda: Order.objects.sendable().filter(kind=kind).order_by().select_related(*related_rows(kind)),
        example=(_HELD_BY_NOTHING, Status.PAID, kind),
        among=_ID,
    )
