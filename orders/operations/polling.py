"""Asking upstream how open orders are going, in batches, many at once; a failed poll never changes an order."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import Service
from orders.models import MOVES, UPSTREAM_OPEN, Order, OrderEvent, Status
from orders.operations.moves import Change, WrongStatus, move_orders, write_events
from orders.operations.refunds import partial_refund_micros, refund_up_to
from orders.supply import Report, related_rows, supply_of
from upstream.client import Client
from upstream.errors import UpstreamError
from upstream.money import MICROS

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
EVENT_OF = {
    Status.IN_PROGRESS: Code.PROGRESS,
    Status.COMPLETED: Code.COMPLETED,
    Status.PARTIAL: Code.PARTIAL,
    Status.CANCELED: Code.CANCELED,
}


def poll_due(*, kind: str, client: Client, now: datetime | None = None) -> int:
    """Ask about a batch of due orders of one kind and record the answers; return how many answers came.

    Orders whose question failed keep everything as it is and are asked again a little later.
    """
    now = now or timezone.now()
    orders = _claim_due(kind, now)
    if not orders:
        return 0

    def ask(order: Order) -> Report | None:
        try:
            return supply_of(order).ask(client, order, now)
        except UpstreamError as error:
            log.warning("poll_failed", order_id=order.pk, error=str(error))
        except Exception:  # one answer that breaks its reader must not cost the batch
            log.exception("poll_failed", order_id=order.pk)
        return None

    with ThreadPoolExecutor(settings.UPSTREAM_MAX_IN_FLIGHT, thread_name_prefix="poll") as threads:
        reports = list(threads.map(ask, orders))
    answered = [(order, report) for order, report in zip(orders, reports, strict=True) if report is not None]
    silent = [order.pk for order, report in zip(orders, reports, strict=True) if report is None]
    if silent:
        again = now + timedelta(
            seconds=settings.ORDERS_POLL_RETRY_SECONDS if kind == "service" else settings.SMS_POLL_SECONDS
        )
        Order.objects.filter(pk__in=silent).update(poll_claimed_until=None, next_poll_at=again)
    record_reports(answered, now=now)
    return len(answered)


def _claim_due(kind: str, now: datetime) -> list[Order]:
    """Take a batch for ourselves for a while; other workers pass over it."""
    until = now + timedelta(seconds=settings.ORDERS_POLL_CLAIM_SECONDS)
    with transaction.atomic():
        due = Order.objects.filter(kind=kind).due(now).select_for_update(skip_locked=True)
        order_ids = list(due.values_list("pk", flat=True)[: settings.ORDERS_POLL_BATCH])
        if not order_ids:
            return []
        Order.objects.filter(pk__in=order_ids).update(poll_claimed_until=until)
    return list(Order.objects.filter(pk__in=order_ids).select_related(*related_rows()))


def record_reports(answers: Iterable[tuple[Order, Report]], *, now: datetime) -> None:
    """Record what upstream said about these orders: numbers always, a move and its refund where one follows.

    Each change is a transaction of its own; an order that cannot be recorded is logged and asked again later.
    """
    quiet: list[Order] = []
    for order, report in answers:
        if _is_quiet(order, report):
            _take_numbers(order, report, now)
            quiet.append(order)
            continue
        try:
            _record_change(order, report, now)
        except WrongStatus as error:
            log.warning("poll_outrun", order_id=order.pk, error=str(error))  # somebody moved it since we asked
        except Exception:  # one order that cannot be recorded must not keep the others from it
            log.exception("poll_not_recorded", order_id=order.pk)
    if quiet:
        Order.objects.bulk_update(quiet, NUMBERS, batch_size=200)


NUMBERS = [
    "upstream_word",
    "upstream_payload",
    "charge_upstream_micros",
    "start_count",
    "remains",
    "polled_at",
    "next_poll_at",
    "poll_claimed_until",
]


def _is_quiet(order: Order, report: Report) -> bool:
    """Whether nothing but numbers changed: most answers are like this and are written a few hundred at a time."""
    same_partial = report.status == Status.PARTIAL and report.remains == order.remains
    settled = report.status == order.status and (report.status != Status.PARTIAL or same_partial)
    return (settled or (report.status is not None and _is_backwards(order, report))) and (
        report.details is None and not _overcharged(order, report)
    )


def _is_backwards(order: Order, report: Report) -> bool:
    return order.status == Status.IN_PROGRESS and report.status == Status.PENDING


def _take_numbers(order: Order, report: Report, now: datetime) -> dict[str, Any]:
    """Put the report's numbers on the order and return them as fields to write."""
    order.upstream_word = report.word[:100]
    order.upstream_payload = report.payload
    order.polled_at, order.poll_claimed_until = now, None
    for name in ("charge_upstream_micros", "start_count", "remains"):
        value = getattr(report, name)
        if value is not None:
            setattr(order, name, value)
    order.next_poll_at = supply_of(order).next_poll(order, now)
    return {name: getattr(order, name) for name in NUMBERS}


def _record_change(order: Order, report: Report, now: datetime) -> None:
    came_from, known = order.status, {"remains": order.remains, "charge": order.charge_upstream_micros}
    may_move = report.status in MOVES[Status(order.status)]
    if may_move and report.status == Status.PARTIAL and report.remains is None:
        may_move = False  # an older figure was counted while work went on: the flag below asks a human
    with transaction.atomic():
        if may_move:
            order.status = str(report.status)
            order.finished_at = None if order.status in UPSTREAM_OPEN else order.finished_at or now
        fields = _take_numbers(order, report, now)
        if may_move:
            move_orders(
                [Change(order.pk, _shown(order), {"word": report.word, "before": known})],
                order.status,
                code=EVENT_OF[Status(order.status)],
                now=now,
                finished_at=order.finished_at,
                **fields,
            )
        else:
            Order.objects.filter(pk=order.pk, status=came_from).update(**fields)
        _refund_what_follows(order, report, now)
        supply_of(order).record_report(order, report, now)
        _flag(order, report, came_from=came_from, moved=may_move, now=now)


def _shown(order: Order) -> dict[str, Any]:
    return {"start_count": order.start_count, "remains": order.remains, "quantity": order.quantity}


def _refund_what_follows(order: Order, report: Report, now: datetime) -> None:
    if order.status == Status.PARTIAL and order.remains is not None:
        due_micros = partial_refund_micros(order.price_micros, order.quantity, order.remains)
        refund_up_to(order, due_micros, why="partial", now=now, remains=order.remains)
    elif order.status == Status.CANCELED:
        refund_up_to(order, order.price_micros, why=report.why or "canceled", now=now)


def _overcharged(order: Order, report: Report) -> bool:
    """Whether upstream took more than the customer paid; compared in the shop's currency, in whole micros."""
    if report.charge_upstream_micros is None or report.charge_upstream_micros == order.charge_upstream_micros:
        return False
    return report.charge_upstream_micros * order.exchange_rate_micros > order.price_micros * MICROS


def _flag(order: Order, report: Report, *, came_from: str, moved: bool, now: datetime) -> None:
    """Tell the admin what a machine should not decide; each is said once, as long as it stays the same."""
    reason = ""
    if report.status is None:
        reason = f"Unknown upstream status word: {report.word}"
    elif report.status == Status.PARTIAL and report.remains is None and came_from != Status.PARTIAL:
        reason = "Partial, but upstream does not say how much remains"
    elif not moved and report.status != came_from:
        reason = f"Upstream went from {came_from} to {report.word}"
    elif report.charge_upstream_micros is not None and (
        report.charge_upstream_micros * order.exchange_rate_micros > order.price_micros * MICROS
    ):
        reason = "Upstream charged more than the customer paid"
        if order.service_id:
            not_paused = Service.objects.filter(pk=order.service_id, paused_because="")
            not_paused.update(paused_because=f"{reason} (order {order.pk})")
    if reason and Order.objects.filter(pk=order.pk).exclude(attention=reason[:300]).update(attention=reason[:300]):
        change = Change(order.pk, {}, {"reason": reason, "word": report.word, "charge": report.charge_upstream_micros})
        write_events([change], code=Code.ATTENTION, status=order.status, now=now)
        log.error("order_needs_attention", order_id=order.pk, reason=reason)
