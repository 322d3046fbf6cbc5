"""What staff sends to the supplier about an order: in English, with all that its support will ask for."""

from datetime import UTC, datetime

from django.utils import translation

from catalog.browse.durations import write_duration
from orders.models import Order
from support.first_answers.asked import Asked
from support.models import Ticket

Reason = Ticket.Reason
# Ours and upstream's words are the same thing here: none of it is shown to customers or translated.
_OPENINGS = {
    Reason.SLOW: "This order is taking much longer than usual. Please speed it up, or cancel it with a refund.",
    Reason.NOT_STARTED: "This order has not started. Please start it, or cancel it with a refund.",
    Reason.PARTIAL: "This order was delivered only in part. Please complete it, or refund what is missing.",
    Reason.DROPPED: "The count of this order has dropped. Please refill it.",
    Reason.REFILL: "The count of this order has dropped. Please refill it.",
    Reason.CANCEL: "Please cancel this order and refund what is not delivered.",
    Reason.NOT_WORKING: "What was delivered with this order does not work. Please replace or refund it.",
    Reason.WRONG: "What was delivered with this order is not what was ordered. Please correct or refund it.",
}


def supplier_text(asked: Asked) -> str:
    """Return the message, or "" for a ticket without an order that the supplier knows by an id."""
    order = asked.order
    if order is None or not order.upstream_id:
        return ""
    with translation.override("en"):
        opening = _OPENINGS.get(Reason(asked.ticket.reason), "Please look into this order.")
        return "\n".join([f"Order {order.upstream_id}: {opening}", "", *_facts(asked, order)])


def _facts(asked: Asked, order: Order) -> list[str]:
    service, most = asked.service, asked.most_seconds(to_start=False)
    lines = [
        ("Order", order.upstream_id),
        ("Service", f"{service.upstream_id} {service.name}" if service is not None else ""),
        ("Link", order.link),
        ("Quantity", order.quantity),
        ("Start count", order.start_count),
        ("Remains", order.remains),
        ("Status", order.upstream_word),
        ("Sent", _moment(order.sent_at)),
        ("Last checked", _moment(order.polled_at)),
        ("Usual time (9 in 10)", write_duration(most) if most else None),
        ("Time so far", write_duration(int((asked.now - (order.sent_at or order.created_at)).total_seconds()))),
    ]
    return [f"{name}: {value}" for name, value in lines if value not in (None, "")]


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if at is not None else ""
