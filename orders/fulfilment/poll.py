"""Asking upstream how open orders are going, in batches, many at once; a failed poll never changes an order."""

import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from orders.attempts.not_found import note_found_again, note_not_found
from orders.fulfilment.bulk_record import (
    EVENT_OF,
    NUMBERS,
    log_end,
    record_together,
    take_numbers,
    take_status,
)
from orders.fulfilment.goods_delivery import Delivered, delivery_shown, note_proof
from orders.fulfilment.late_checks import allowance as late_checks
from orders.fulfilment.late_checks import room_in_batch
from orders.fulfilment.margin import Concern, charge_is_news, review_charge
from orders.fulfilment.pauses import pause_for_currency
from orders.fulfilment.thread_pool import map_in_threads
from orders.fulfilment.typical_duration import learn_pace
from orders.lifecycle.attention import Flag, clear_flags, raise_flag, tell_of
from orders.lifecycle.clock import Clock
from orders.lifecycle.drift import Subject, note_drift, with_mapped_words
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.settled_lines import due_in_all_micros
from orders.lifecycle.supply import (
    Report,
    is_foreign,
    related_rows,
    supplies,
    supply_of,
)
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_orders,
    write_events,
)
from orders.models import DELIVERED, FINISHED, MOVES, UPSTREAM_OPEN, Kind, Order, OrderEvent, RefundReason, Status
from orders.models.order import OrderQuerySet
from orders.notices.customer_notices import announce
from upstream.client import Client
from upstream.errors import OrderNotFound, Throttled, Unavailable, UpstreamError, Withheld
from upstream.limits.time_left import is_over

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
_polling = {kind.value: threading.Lock() for kind in Kind}


def poll_open(*, kind: str, client: Client, seconds: float, clock: Clock, nap_seconds: float = 0.0) -> int:
    """Poll batch after batch until nothing is due, upstream is down, or `seconds` are over; return the answers.

    With a nap it stays while something will be due within a second: whoever waits for a code does not wait for the
    next message of beat as well. One at a time in each process: a second one would only wait for the same limits.
    """
    if not _polling[kind].acquire(blocking=False):
        return 0
    try:
        ends_at, answers = time.monotonic() + seconds, 0
        while time.monotonic() < ends_at and not is_over():
            came = poll_due(kind=kind, client=client, clock=clock)
            answers += came
            if came:
                continue
            if not (nap_seconds and client.answers() and _soon_due(kind, clock())):
                break
            time.sleep(nap_seconds)
        return answers
    finally:
        _polling[kind].release()


def _soon_due(kind: str, now: datetime) -> bool:
    return Order.objects.filter(kind=kind).open().due(now + timedelta(seconds=1)).exists()


def poll_due(*, kind: str, client: Client, clock: Clock) -> int:
    """Ask about a batch of due orders of one kind and record the answers; return how many answers came.

    Orders whose question failed keep everything as it is and are asked again a little later; those that could not be
    asked, because upstream is down or the batch takes too long, are due as before.
    """
    if not client.answers():
        return 0
    supply, began, asked_at = supplies()[kind], time.monotonic(), clock()
    orders = _claim_due(kind, asked_at)
    # After that an order could be asked by another worker as well.
    ends_at = began + settings.ORDERS_POLL_CLAIM_SECONDS - client.timeout_seconds
    answered: list[tuple[Order, Report]] = []
    forgotten: list[Order] = []
    silent: list[int] = []
    withheld: list[int] = []
    unreadable: list[tuple[Order, str]] = []

    def ask(order: Order) -> None:
        try:
            if withheld or is_over() or time.monotonic() >= ends_at:
                withheld.append(order.pk)
            else:
                answered.append((order, supply_of(order).ask(client, order, asked_at)))
        except (Withheld, Throttled):  # upstream is there, but wants fewer questions: the others are not asked either
            withheld.append(order.pk)
        except UpstreamError as error:
            if isinstance(error, OrderNotFound) and supply.counts_not_found:
                forgotten.append(order)
                return
            if isinstance(error, Unavailable) and error.unreadable:
                unreadable.append((order, error.text))
            log.warning("poll_failed", order_id=order.pk, error=str(error))
            silent.append(order.pk)
        except Exception:  # one answer that breaks its reader must not cost the batch
            log.exception("poll_failed", order_id=order.pk)
            silent.append(order.pk)

    map_in_threads(orders, ask, threads=min(settings.UPSTREAM_MAX_IN_FLIGHT, len(orders)), name="poll")
    recorded_at = clock()
    if silent:
        again = recorded_at + supply.retry_after
        Order.objects.filter(pk__in=silent).update(poll_claimed_until=None, next_poll_at=again)
    if withheld:
        log.warning("polls_withheld", orders=len(withheld))
        Order.objects.filter(pk__in=withheld).update(poll_claimed_until=None)
    for order, text in {text: (order, text) for order, text in unreadable}.values():
        note_drift(Subject.UNREADABLE, text, {"kind": order.kind, "order": order.pk}, now=recorded_at)
    note_not_found(forgotten, now=recorded_at)
    record_reports(answered, now=recorded_at)
    return len(answered) + len(forgotten)


def _claim_due(kind: str, now: datetime) -> list[Order]:
    """Take a batch for ourselves for a while; other workers pass over it. Orders under way come first."""
    until = now + timedelta(seconds=settings.ORDERS_POLL_CLAIM_SECONDS)
    supply = supplies()[kind]
    with transaction.atomic():
        due = Order.objects.filter(kind=kind).due(now).select_for_update(skip_locked=True)
        under_way = due.open().order_by("-pk") if supply.newest_first else due.open()
        order_ids = list(under_way.values_list("pk", flat=True)[: supply.poll_batch])
        order_ids += _finished_due(due, min(supply.poll_batch - len(order_ids), room_in_batch(supply.poll_batch)), now)
        if not order_ids:
            return []
        Order.objects.filter(pk__in=order_ids).update(poll_claimed_until=until)
    orders = Order.objects.select_related(*related_rows(kind)).in_bulk(order_ids)
    return [orders[pk] for pk in order_ids]  # in this order: what a batch has no time for is at its end


def _finished_due(due: OrderQuerySet, room: int, now: datetime) -> list[int]:
    granted = late_checks.take(room, now=now) if room else 0
    order_ids = list(due.finished().values_list("pk", flat=True)[:granted]) if granted else []
    late_checks.give_back(granted - len(order_ids))
    return order_ids


def record_reports(answers: Iterable[tuple[Order, Report]], *, now: datetime) -> None:
    """Record what upstream said about these orders: numbers always, a move and its refund where one follows.

    Routine answers are recorded together, each other one in a transaction of its own; an order that cannot be recorded
    is logged and asked again later.
    """
    answers = list(answers)
    for currency in {report.currency for _order, report in answers if is_foreign(report.currency)}:
        pause_for_currency(currency, of_balance=False, now=now)
    routine: list[tuple[Order, Report]] = []
    others: list[tuple[Order, Report]] = []
    for order, report in with_mapped_words(answers):
        (routine if _is_routine(order, report) else others).append((order, report))
    # The many first: a few statements, and nine of ten customers need not wait for refunds of others.
    try:
        record_together(routine, now=now)
    finally:  # a row of theirs that somebody holds must not cost the others their refunds and codes
        for order, report in others:
            _record_other(order, report, now)


def _record_other(order: Order, report: Report, now: datetime) -> None:
    try:
        _record_change(order, report, now)
    except WrongStatus as error:
        log.warning("poll_outrun", order_id=order.pk, error=str(error))  # somebody moved it since we asked
    except Exception:  # one order that cannot be recorded must not keep the others from it
        log.exception("poll_not_recorded", order_id=order.pk)


def _is_routine(order: Order, report: Report) -> bool:
    """Whether the answer brings nothing but numbers, or a move that costs nothing: most answers are like this."""
    if report.details is not None or order.not_found_times or charge_is_news(order, report.charge_upstream_micros):
        return False
    if delivery_shown(order, report) is not Delivered.NOTHING_NEW:
        return False
    if report.status in (Status.IN_PROGRESS, Status.COMPLETED) and report.status in MOVES[Status(order.status)]:
        return True
    same_partial = report.status == Status.PARTIAL and report.remains == order.remains
    settled = report.status == order.status and (report.status != Status.PARTIAL or same_partial)
    return settled or (report.status is not None and _is_backwards(order, report))


def _is_backwards(order: Order, report: Report) -> bool:
    return order.status == Status.IN_PROGRESS and report.status == Status.PENDING


def _record_change(order: Order, report: Report, now: datetime) -> None:
    came_from = order.status
    charge = report.charge_upstream_micros if charge_is_news(order, report.charge_upstream_micros) else None
    may_move = report.status in MOVES[Status(order.status)]
    if may_move and report.status == Status.PARTIAL and report.remains is None:
        may_move = False  # an older figure was counted while work went on: the flag below asks a human
    delivered = delivery_shown(order, report)
    with transaction.atomic():
        if may_move:
            change = take_status(order, report, now)
            fields = {name: getattr(order, name) for name in (*NUMBERS, "finished_at")}
            move_orders([change], order.status, code=EVENT_OF[Status(order.status)], now=now, **fields)
            if order.status in DELIVERED and came_from in UPSTREAM_OPEN:
                learn_pace([order])
        else:
            Order.objects.filter(pk=order.pk, status=came_from).update(**take_numbers(order, report, now))
        _refund_what_follows(order, report, now)
        supply_of(order).record_report(order, report, now)
        note_found_again(order, now=now)
        _flag(order, report, came_from=came_from, moved=may_move, now=now)
        _note_delivery(order, report, delivered, now)
        concern = None if charge is None else _review(order, report, charge, now)
        if concern is not None:
            _keep_flag(order, report, concern, now)
        if may_move and order.status in FINISHED:
            log_end(order)
            announce([order], now=now)


def _review(order: Order, report: Report, charge_micros: int, now: datetime) -> Concern | None:
    return review_charge(order, charge_micros, rounding_micros=report.charge_rounding_micros, now=now)


def _refund_what_follows(order: Order, report: Report, now: datetime) -> None:
    # Not of what remains while upstream says that work goes on: a human has been asked about that. And not of an older
    # figure: what was due by it has been given back when upstream named it.
    if order.status == report.status == Status.PARTIAL and report.remains is not None:
        due_micros = due_in_all_micros(order)
        refund_up_to(order, due_micros, why=RefundReason.PARTIAL, now=now, remains=order.remains)
    elif order.status == Status.CANCELED:
        refund_up_to(order, order.price_micros, why=report.why or RefundReason.CANCELED, now=now)


def _flag(order: Order, report: Report, *, came_from: str, moved: bool, now: datetime) -> None:
    """Tell the admin what a machine should not decide; each is said once, as long as it stays the same."""
    concern: Concern | None = None
    if report.status is None:
        note_drift(Subject.STATUS_WORD, report.word, {"kind": order.kind, "order": order.pk}, now=now)
        _keep_flag(order, report, Concern(Flag.UNKNOWN_WORD, {"word": report.word}), now)
        return
    if report.status == Status.PARTIAL and report.remains is None and came_from != Status.PARTIAL:
        concern = Concern(Flag.NO_REMAINS, {})
    elif not moved and report.status != came_from:
        concern = Concern(Flag.WENT_BACK, {"before": came_from, "word": report.word})
    elif moved and came_from in FINISHED:
        concern = Concern(Flag.CHANGED_LATE, {"before": came_from, "word": report.word})
    if concern is not None:
        tell_of(order, concern.code, concern.details, now=now)
        _keep_flag(order, report, concern, now)


def _note_delivery(order: Order, report: Report, delivered: Delivered, now: datetime) -> None:
    """Goods that were to come with the status: keep the proof that they do, or ask a human where they are."""
    if delivered is Delivered.WITHOUT_GOODS and order.service is not None:
        concern = Concern(Flag.NO_GOODS, {"category": order.service.home_category.title})
        tell_of(order, concern.code, concern.details, now=now)
        _keep_flag(order, report, concern, now)
    elif delivered is not Delivered.NOTHING_NEW:
        clear_flags([order.pk], [Flag.NO_GOODS], now=now)
        if delivered is Delivered.PROVED:
            note_proof(order, now)


def _keep_flag(order: Order, report: Report, concern: Concern, now: datetime) -> None:
    if not raise_flag(order.pk, concern.code, now=now, **concern.details):
        return
    said = {"code": concern.code, "details": concern.details}
    change = Change(order.pk, {}, {**said, "word": report.word, "charge": report.charge_upstream_micros})
    write_events([change], code=Code.ATTENTION, status=order.status, now=now)
    log.warning("order_needs_attention", order_id=order.pk, **said)
