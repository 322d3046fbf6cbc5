"""What an order owes its customer back in all: for pieces that were never delivered, and for lines that don't work.

A line that staff has settled is not given back a second time when upstream, to which we complained, later says that
the order is partial: upstream's figure covers the settled lines first. Money for lines of a replacement comes from the
order that paid for it, its original.
"""

from dataclasses import dataclass

from django.db.models import Count, Q

from orders.lifecycle.refunds import CAME_TO_NOTHING, partial_refund_micros
from orders.models import GoodsClaim, Kind, Order, Status

State = GoodsClaim.State


@dataclass(frozen=True)
class SettledLines:
    """How many lines of an order and its replacements were refunded, and how many of its own are settled either way."""

    refunded: int = 0
    own: int = 0


NOTHING = SettledLines()


def settled_lines(order: Order) -> SettledLines:
    """Return what claims have settled of an order that was paid for; one query."""
    refunded = Q(state=State.REFUNDED)
    own = Q(order=order, state__in=(State.REFUNDED, State.REPLACED))
    claims = GoodsClaim.objects.filter(Q(order=order) | Q(order__original=order)).order_by()
    return SettledLines(**claims.aggregate(refunded=Count("pk", filter=refunded), own=Count("pk", filter=own)))


def pieces_given_back(order: Order, settled: SettledLines) -> int:
    """Return for how many pieces money goes back: undelivered ones, refunded lines, no piece twice.

    What remains beyond what was never delivered are delivered lines that upstream took back: those that are settled
    come first, for their customer has the money or a replacement.
    """
    if order.status in CAME_TO_NOTHING:
        return order.quantity
    remains = order.remains or 0 if order.status == Status.PARTIAL else 0
    remains = min(max(remains, 0), order.quantity)
    delivered = order.goods.pieces if hasattr(order, "goods") else 0
    taken_back = min(remains, max(0, delivered + remains - order.quantity))
    beyond = max(0, taken_back - settled.own)
    return min(order.quantity, remains - taken_back + settled.refunded + beyond)


def due_in_all_micros(order: Order, *, more: SettledLines = NOTHING) -> int:
    """Return to what an order's refunds come in all, with `more` settled on top of what is.

    Rounded down once, over all of them: however they are given back, it comes to the same. One query where there are
    goods.
    """
    settled = settled_lines(order) if order.kind == Kind.SERVICE and hasattr(order, "goods") else NOTHING
    together = SettledLines(settled.refunded + more.refunded, settled.own + more.own)
    return partial_refund_micros(order.price_micros, order.quantity, pieces_given_back(order, together))
