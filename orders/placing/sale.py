"""Writing a sale down: checkout, order, debit, ledger row, event, what a key spends; on PostgreSQL in one statement.

There a sale waits for the server once instead of six times, and holds the wallet for less long. The statement's parts
depend on each other in the order they would have been sent in: the checkout first, so that a repeat stops there; then
the debit; an order only where the debit found enough. SQLite, which is no wait away, and a sale with a coupon, which
books twice, go step by step.
"""

from datetime import datetime
from functools import cache
from typing import Any

from django.db import IntegrityError, connection

from accounts.fast_queries.insert_parts import InsertPart
from accounts.fast_queries.inserts import insert_row
from accounts.fast_queries.reads import prepared_cursor
from accounts.keys.spending import spend_with_key, spent_part, spent_values
from accounts.models import ApiKey
from orders.lifecycle.transitions import Change, write_events
from orders.models import Checkout, Order, OrderEvent
from wallet.models import LedgerEntry
from wallet.operations import AlreadyBooked, InsufficientFunds, debit, wallet_of
from wallet.operations.charge_parts import MOVED, booked_part, moved_values
from wallet.operations.ledger import is_booked_twice

_CHECKOUT = InsertPart(Checkout, given=("user_id", "request_id", "fingerprint", "created_at"))
_ORDER = InsertPart(
    Order,
    given=(
        "user_id",
        "kind",
        "title",
        "service_id",
        "quantity",
        "link",
        "comments",
        "price_micros",
        "rate_micros",
        "rate_upstream_micros",
        "rate_per",
        "cost_upstream_micros",
        "exchange_rate_micros",
        "pricing",
        "accepted_loss_micros",
        "warranty_hours",
        "http_request_id",
        "created_at",
    ),
    taken={"checkout_id": "moved.bought_id"},
    source="moved",
)
_LEDGER = booked_part(reference="'order:' || ordered.id", source="moved, ordered")
_EVENT = InsertPart(
    OrderEvent, given=("code", "status", "data", "created_at"), taken={"order_id": "ordered.id"}, source="ordered"
)


def write_sale(order: Order, *, api_key: ApiKey | None = None, now: datetime) -> None:
    """Save a new order, and its checkout if that is new, too, and take its price; part of the caller's transaction.

    It counts for the daily limit of the `api_key` it is bought with. Raises InsufficientFunds,
    accounts.keys.spending.DailyLimitReached, wallet.operations.AlreadyBooked, and IntegrityError when the checkout's
    request id has been used; the transaction around it is to be rolled back then.
    """
    counted = False
    if connection.vendor == "postgresql":
        counted = _write_at_once(order, api_key, now)
    else:
        write_order(order)
        take_price(order)
        write_placed(order, now=now)
    if api_key is not None and not counted:
        spend_with_key(api_key, order.price_micros)


def write_order(order: Order) -> None:
    """Save a new order, and its checkout first if that is new."""
    checkout = order.checkout
    if checkout is not None and checkout.pk is None:
        insert_row(checkout)
    order.checkout = checkout  # and its id by now
    insert_row(order)


def take_price(order: Order, discount_micros: int = 0) -> None:
    """Take the price of a saved order from its customer's wallet, and what a coupon has just given there."""
    charge = _charge(order)
    debit(
        user=order.user,
        amount_micros=order.price_micros + discount_micros,
        kind=charge.kind,
        reference=f"order:{order.pk}",
        note=charge.note,
    )


def write_placed(order: Order, *, now: datetime, **more: Any) -> None:
    """Begin the timeline of a saved order; `more` is what its customer is told besides price and quantity."""
    write_events([Change(order.pk, _data_of(order) | more)], code=OrderEvent.Code.PLACED, status=order.status, now=now)


def _write_at_once(order: Order, api_key: ApiKey | None, now: datetime) -> bool:
    """Write all of it; return whether what the key spends is counted, for which its day has to have a row."""
    checkout = order.checkout
    if checkout is None:
        raise ValueError("an order that is sold has a checkout")
    new = checkout.pk is None
    event = OrderEvent(code=OrderEvent.Code.PLACED, status=order.status, data=_data_of(order), created_at=now)
    values = [
        *(_CHECKOUT.values(checkout) if new else [checkout.pk]),
        *moved_values(order.user, order.price_micros),
        *_ORDER.values(order),
        *_LEDGER.values(_charge(order)),
        *_EVENT.values(event),
        *(spent_values(api_key, order.price_micros) if api_key is not None else []),
    ]
    try:
        with prepared_cursor() as cursor:
            cursor.execute(_statement(new_checkout=new, with_key=api_key is not None), values)
            written = cursor.fetchone()
    except IntegrityError as error:
        if is_booked_twice(error):
            raise AlreadyBooked(f"order of checkout {checkout.request_id}") from error
        raise
    if written is None:
        raise InsufficientFunds(order.price_micros - wallet_of(order.user).balance_micros)
    checkout.pk, order.pk, counted = written
    for row in (checkout, order):
        row._state.adding, row._state.db = False, connection.alias
    order.checkout = checkout
    return bool(counted)


def _charge(order: Order) -> LedgerEntry:
    return LedgerEntry(kind=LedgerEntry.Kind.CHARGE, amount_micros=-order.price_micros, note=order.title[:300])


def _data_of(order: Order) -> dict[str, Any]:
    return {"price_micros": order.price_micros, "quantity": order.quantity}


@cache
def _statement(*, new_checkout: bool, with_key: bool) -> str:
    bought = _CHECKOUT.text if new_checkout else "SELECT CAST(%s AS bigint) AS id"
    spent = spent_part(source="ordered") if with_key else "SELECT 1 WHERE false"
    return f"""
        WITH bought AS ({bought}), moved AS ({MOVED}), ordered AS ({_ORDER.text}), booked AS ({_LEDGER.text}),
            told AS ({_EVENT.text}), spent AS ({spent})
        SELECT moved.bought_id, ordered.id, EXISTS (SELECT FROM spent) FROM moved, ordered
    """  # noqa: S608 - our own words
