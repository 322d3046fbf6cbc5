"""Which changes make a message, writing that down with the change, and what the message says.

The body is made at the first attempt, not in the transaction of the change: there the refund and the number's row are
not written yet, and orders should not wait for it. It is kept then, so that every attempt says the same.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from accounts.encryption import decrypt, encrypt
from accounts.fast_queries.reads import prepared_cursor
from api.actions.orders import order_status
from api.actions.sms import number_status
from api.models import Webhook, WebhookDelivery
from notifications.wake_worker import wake_worker
from orders.models import Kind, Order, OrderEvent
from sms.models import Number

Code = OrderEvent.Code
TEST = "test"
# What is missing here changes nothing that the API shows: sending and looking into it are the shop's own affair.
ORDER_EVENTS: dict[str, str] = {
    Code.ACCEPTED: "order.accepted",
    Code.REFUSED: "order.failed",
    Code.PROGRESS: "order.in_progress",
    Code.COMPLETED: "order.completed",
    Code.PARTIAL: "order.partial",
    Code.CANCELED: "order.canceled",
    Code.REFUNDED: "order.refunded",
    Code.RESOLVED: "order.updated",
}
NUMBER_EVENTS: dict[str, str] = {
    Code.ACCEPTED: "number.active",
    Code.REFUSED: "number.canceled",
    Code.COMPLETED: "number.code_received",
    Code.CANCELED: "number.canceled",
    Code.REFUNDED: "number.refunded",
    Code.RESOLVED: "number.updated",
    "phone": "number.active",  # it came later than the order
}
EXPIRED = "number.expired"  # what "number.canceled" becomes where its time was over
EVENTS = tuple(dict.fromkeys([*ORDER_EVENTS.values(), *NUMBER_EVENTS.values(), EXPIRED, TEST]))


class MessageWiped(Exception):
    """What the message said is gone, and must not be said any more."""


# One message a second, of all processes, for everything that happens.
SEND_WEBHOOKS, GATHER_SECONDS = "api.tasks.send_webhooks", 1


def wake_sender() -> None:
    """Ask a worker to send what is due once the transaction has committed; losing that costs seconds."""
    wake_worker(SEND_WEBHOOKS, gather_seconds=GATHER_SECONDS)


def record_changes(order_ids: Sequence[int], code: str, *, now: datetime) -> None:
    """Write a delivery of this change for each live webhook of the orders' customers; one statement for all of them.

    The rows of the webhooks are kept from being deleted until the caller's transaction ends: a delivery without its
    webhook would undo the change it tells of.
    """
    of_order, of_number = ORDER_EVENTS.get(code, ""), NUMBER_EVENTS.get(code, "")
    if not (of_order or of_number):
        return
    postgres = connection.vendor == "postgresql"
    sql = f"""
        INSERT INTO {WebhookDelivery._meta.db_table}
            (webhook_id, event_id, event, order_id, body_encrypted, created_at, attempts, next_attempt_at, error)
        SELECT w.id, {"gen_random_uuid()" if postgres else "lower(hex(randomblob(16)))"},
            CASE o.kind WHEN 'number' THEN %s ELSE %s END, o.id, '', {_moment()}, 0, {_moment()}, ''
        FROM {Webhook._meta.db_table} w JOIN {Order._meta.db_table} o ON o.user_id = w.user_id
        WHERE w.disabled_at IS NULL
            AND o.id {"= ANY(%s)" if postgres else "IN (SELECT value FROM json_each(%s))"}
            AND ((o.kind = 'number' AND w.wants_numbers AND %s <> '')
              OR (o.kind <> 'number' AND w.wants_orders AND %s <> ''))
        {"FOR KEY SHARE OF w" if postgres else ""}"""  # noqa: S608 - our own names
    moment = connection.ops.adapt_datetimefield_value(now)
    ids = list(order_ids) if postgres else json.dumps(list(order_ids))
    with prepared_cursor() as cursor:
        cursor.execute(sql, [of_number, of_order, moment, moment, ids, of_number, of_order])
        written = cursor.rowcount
    if written > 0:
        wake_sender()


def body_of(delivery: WebhookDelivery) -> bytes:
    """Return what the delivery says, made now and kept if this is the first time.

    Two that make it at once end up with the same. Raises CannotDecrypt, MessageWiped.
    """
    if not delivery.body_encrypted:
        event, body = _make(delivery)
        unmade = WebhookDelivery.objects.filter(pk=delivery.pk, body_encrypted="", wiped_at=None)
        if not unmade.update(body_encrypted=encrypt(body.decode()), event=event):
            delivery.refresh_from_db(fields=["body_encrypted", "event"])
            if not delivery.body_encrypted:
                raise MessageWiped
            return decrypt(delivery.body_encrypted).encode()
        delivery.event = event
        return body
    return decrypt(delivery.body_encrypted).encode()


def _make(delivery: WebhookDelivery) -> tuple[str, bytes]:
    event, data = delivery.event, _data(delivery)
    if event == NUMBER_EVENTS[Code.CANCELED] and data.get("status") == Number.State.EXPIRED:
        event = EXPIRED
    message = {
        "id": str(delivery.event_id),
        "event": event,
        "created_at": delivery.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": data,
    }
    return event, msgspec.json.encode(message)


def _data(delivery: WebhookDelivery) -> dict[str, Any]:
    """The answer of `status` or `sms_status`, without delivered goods: a look at those is the buyer's to ask for."""
    order = delivery.order
    if order is None:
        return {"message": "This is a test."}
    if order.kind == Kind.NUMBER:
        return {"order": order.pk, **number_status(order.number)}
    return {"order": order.pk, **order_status(order)}


def _moment() -> str:
    return "%s::timestamptz" if connection.vendor == "postgresql" else "%s"
