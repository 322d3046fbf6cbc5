"""Recording the many answers of a poll that need neither money nor a human: hundreds of orders, a few statements."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from orders.fulfilment.typical_duration import learn_pace
from orders.lifecycle.supply import Report, supply_of
from orders.lifecycle.transitions import Change, WrongStatus, move_orders
from orders.models import MOVES, UPSTREAM_OPEN, Order, OrderEvent, Status
from orders.notices.customer_notices import announce

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
EVENT_OF = {
    Status.IN_PROGRESS: Code.PROGRESS,
    Status.COMPLETED: Code.COMPLETED,
    Status.PARTIAL: Code.PARTIAL,
    Status.CANCELED: Code.CANCELED,
}
ANSWERED = {
    "upstream_word": "text",
    "upstream_payload": "jsonb",
    "charge_upstream_micros": "bigint",
    "start_count": "bigint",
    "remains": "bigint",
    "next_poll_at": "timestamptz",
}
NUMBERS = [*ANSWERED, "polled_at", "poll_claimed_until"]
RESTORED = [*NUMBERS, "status", "finished_at"]


def record_together(answers: Sequence[tuple[Order, Report]], *, now: datetime) -> None:
    """Record these answers, all of them routine: numbers, and moves that cost nothing. All at once where possible.

    A set that cannot be recorded is halved until the order at fault stands alone; that one is logged and asked again.
    Raises what a database that has gone away raises.
    """
    if not answers:
        return
    before = [{name: getattr(order, name) for name in RESTORED} for order, _report in answers]
    try:
        with transaction.atomic():
            _record(answers, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        for (order, _report), fields in zip(answers, before, strict=True):
            vars(order).update(fields)
        if len(answers) > 1:
            middle = len(answers) // 2
            record_together(answers[:middle], now=now)
            record_together(answers[middle:], now=now)
        elif isinstance(error, WrongStatus):
            log.warning("poll_outrun", order_id=answers[0][0].pk, error=str(error))  # moved since we asked
        else:
            log.exception("poll_not_recorded", order_id=answers[0][0].pk)


def take_numbers(order: Order, report: Report, now: datetime) -> dict[str, Any]:
    """Put the report's numbers on the order and return them as fields to write."""
    order.upstream_word = report.word[:100]  # a longer one is none we know: the flag and the drift have all of it
    order.upstream_payload = report.payload
    order.polled_at, order.poll_claimed_until = now, None
    for name in ("charge_upstream_micros", "start_count", "remains"):
        value = getattr(report, name)
        if value is not None:
            setattr(order, name, value)
    order.next_poll_at = supply_of(order).next_poll(order, now)
    return {name: getattr(order, name) for name in NUMBERS}


def take_status(order: Order, report: Report, now: datetime) -> Change:
    """Put the report's status and numbers on the order and return what its event says."""
    known = {"remains": order.remains, "charge": order.charge_upstream_micros}
    order.status = str(report.status)
    order.finished_at = None if order.status in UPSTREAM_OPEN else order.finished_at or now
    take_numbers(order, report, now)
    shown = {"start_count": order.start_count, "remains": order.remains, "quantity": order.quantity}
    return Change(order.pk, shown, {"word": report.word, "before": known})


def log_end(order: Order) -> None:
    """Write the last line of a purchase: that it is over, and how."""
    log.info("order_ended", **order.log_ids, status=order.status)


def _record(answers: Sequence[tuple[Order, Report]], now: datetime) -> None:
    rows: list[dict[str, Any]] = []
    moved: dict[str, list[Change]] = defaultdict(list)
    finished: list[Order] = []
    for order, report in answers:
        came_from = order.status
        if report.status in MOVES[Status(came_from)]:
            change = take_status(order, report, now)
            moved[order.status].append(change)
            if order.finished_at is not None:
                finished.append(order)
        else:
            take_numbers(order, report, now)
        rows.append({"id": order.pk, "came_from": came_from, **{name: getattr(order, name) for name in ANSWERED}})
    written = _write_numbers(rows, now)
    if moved and written != len(rows):
        raise WrongStatus(f"{len(rows) - written} of {len(rows)} orders have moved on")
    for status, changes in moved.items():
        finished_at = None if status in UPSTREAM_OPEN else now
        move_orders(changes, status, code=EVENT_OF[Status(status)], now=now, finished_at=finished_at)
    for order in finished:
        log_end(order)
    learn_pace(finished)
    announce(finished, now=now)


def _write_numbers(rows: Sequence[dict[str, Any]], now: datetime) -> int:
    """Write the numbers of all orders that still have the status they were asked in; return how many had.

    One statement with one parameter: a CASE for each column and row, as bulk_update has it, takes longer to build than
    upstream takes to answer.
    """
    columns = {"id": "bigint", "came_from": "text", **ANSWERED}
    if connection.vendor == "postgresql":
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        source = f"jsonb_to_recordset(%s::jsonb) AS answered({typed})"
    else:
        read = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
        source = f"(SELECT {read} FROM json_each(%s)) AS answered"  # noqa: S608 - names from this file
    table = Order._meta.db_table
    changes = ", ".join(f"{name} = answered.{name}" for name in ANSWERED)
    moments = connection.ops.adapt_datetimefield_value
    document = [{**row, "next_poll_at": row["next_poll_at"] and moments(row["next_poll_at"])} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {changes}, polled_at = %s, poll_claimed_until = NULL FROM {source}"  # noqa: S608 - as above
            f" WHERE {table}.id = answered.id AND {table}.status = answered.came_from",
            [moments(now), json.dumps(document, default=str)],
        )
        return int(cursor.rowcount)
