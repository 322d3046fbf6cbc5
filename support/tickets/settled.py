"""Whether what a ticket is about has settled itself: then nobody needs to look."""

from orders.models import Order, Status
from support.models import Ticket
from wallet.models import TopUp

STOPPED = (Status.CANCELED, Status.PARTIAL)
Reason = Ticket.Reason
# These wait for an order to go on or end; the others want something of an order that has ended.
OF_OPEN_ORDERS = (Reason.SLOW, Reason.NOT_STARTED, Reason.CANCEL)
_PAYMENT_GOES_ON = (TopUp.Status.CREATED, TopUp.Status.PENDING, TopUp.Status.REVIEW)


def is_settled(ticket: Ticket) -> bool:
    """Return whether the order has ended, or started, as was asked for, or the payment is decided; False if unsure."""
    order = ticket.order
    if order is not None and ticket.reason in OF_OPEN_ORDERS:
        return not order.is_open or (ticket.reason == Reason.NOT_STARTED and has_started(order))
    if ticket.top_up is not None:
        return ticket.top_up.status not in _PAYMENT_GOES_ON
    return False


def has_started(order: Order) -> bool:
    """Whether something of the order has been delivered, or upstream says that it is at work."""
    return order.status == Status.IN_PROGRESS or bool(order.done)
