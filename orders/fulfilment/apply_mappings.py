"""What follows when the admin says what upstream's words mean: orders that waited for it go on."""

from collections import defaultdict
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from accounts.models import User
from orders.attempts.windows import OPEN, REFUNDED
from orders.fulfilment.refusals import unlisted
from orders.lifecycle.drift import Subject, plain, settle_drift
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import related_rows, supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import KnownRefusal, Order, OrderEvent, Status, StatusWord

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
Meaning = KnownRefusal.Meaning
ABOUT_A_WORD = "Unknown upstream status word: "
BATCH = 500


def list_refusal(text: str, *, meaning: str, actor: User, now: datetime | None = None) -> int:
    """Put an error text of upstream on the list of refusals, and apply that; return how many orders it settled."""
    KnownRefusal.objects.update_or_create(text=text, defaults={"meaning": meaning})
    return apply_listed_refusal(text, actor=actor, now=now)


def map_status_word(word: str, *, kind: str, status: str, actor: User, now: datetime | None = None) -> int:
    """Say what a status word of upstream means, and apply that; return how many orders are asked about at once."""
    mapped, _created = StatusWord.objects.update_or_create(kind=kind, word=plain(word), defaults={"status": status})
    return apply_status_word(mapped, actor=actor, now=now)


def apply_listed_refusal(text: str, *, actor: User, now: datetime | None = None) -> int:
    """Settle the orders whose last attempt was answered with exactly this text, which is listed now: not bought.

    They fail and are refunded, or wait in the queue again where the text speaks of our balance or key. Returns how
    many. Raises KnownRefusal.DoesNotExist when the text is not listed.
    """
    now = now or timezone.now()
    meaning = KnownRefusal.objects.get(text=text).meaning
    settle_drift(Subject.ERROR_TEXT, text, now=now)
    settled = 0
    for order in _answered_with(text):
        try:
            with transaction.atomic():
                _settle(order, meaning, text, actor, now)
        except WrongStatus:
            continue  # settled meanwhile in another way
        settled += 1
    log.info("listed_refusal_applied", text=text, orders=settled)
    return settled


def apply_status_word(word: StatusWord, *, actor: User, now: datetime | None = None) -> int:
    """Ask at once about the orders that upstream described with this word, and unflag those flagged for it.

    Returns how many. What the word makes of them, the next poll records.
    """
    now = now or timezone.now()
    settle_drift(Subject.STATUS_WORD, word.word, now=now)
    watched = Order.objects.filter(kind=word.kind, next_poll_at__isnull=False)
    rows = watched.values_list("pk", "upstream_word", "attention", "status")
    meant = [row for row in rows.iterator() if plain(row[1]) == plain(word.word)]
    for begin in range(0, len(meant), BATCH):
        _ask_again(meant[begin : begin + BATCH], word, actor, now)
    log.info("status_word_applied", word=word.word, status=word.status, orders=len(meant))
    return len(meant)


def _answered_with(text: str) -> list[Order]:
    """The unknown orders, and the ones refunded without an answer, whose last attempt ended with this text."""
    attempts = OrderEvent.objects.filter(order=OuterRef("pk"), code=Code.UNKNOWN).order_by("-id")
    in_doubt = Q(status=Status.UNKNOWN) | Q(status=Status.FAILED, reconciliation__state__in=(OPEN, REFUNDED))
    waiting = Order.objects.filter(in_doubt).annotate(last_evidence=Subquery(attempts.values("evidence")[:1]))
    return [
        order
        for order in waiting.select_related(*related_rows())
        if (order.last_evidence or {}).get("reason") == unlisted(text)
    ]


def _settle(order: Order, meaning: str, text: str, actor: User, now: datetime) -> None:
    if order.status == Status.FAILED:
        _close_question(order, text, actor, now)
        return
    again = meaning in (Meaning.BALANCE, Meaning.KEY)
    fields: dict[str, Any] = {"not_before": None} if again else {"finished_at": now, "next_poll_at": None}
    move_order(
        order.pk,
        Status.PAID if again else Status.FAILED,
        code=Code.RESOLVED,
        now=now,
        where=Q(status=Status.UNKNOWN, sent_at=order.sent_at),
        actor=actor,
        evidence={"listed": text, "meaning": meaning},
        attention="",
        claim_token=None,
        reconciliation=None,
        window_closed_at=None,
        **fields,
    )
    if again:
        wake_forwarder(order.pk)
        return
    order.status = Status.FAILED
    refund_up_to(order, order.price_micros, why="failed", now=now)
    supply_of(order).record_closed(order, now)


def _close_question(order: Order, text: str, actor: User, now: datetime) -> None:
    """The buyer was refunded long ago; now it is certain that nothing was bought."""
    unsettled = Order.objects.filter(
        pk=order.pk, status=Status.FAILED, upstream_id=None, reconciliation__state__in=(OPEN, REFUNDED)
    )
    found = {**(order.reconciliation or {}), "state": "absent", "listed": text}
    if not unsettled.update(attention="", reconciliation=found):
        raise WrongStatus(f"order {order.pk} has been looked into meanwhile")
    change = Change(order.pk, {}, {"seen": order.attention, "listed": text})
    write_events([change], code=Code.ATTENTION, status=order.status, now=now, actor=actor)


def _ask_again(rows: list[tuple[int, str, str, str]], word: StatusWord, actor: User, now: datetime) -> None:
    flagged: dict[str, list[Change]] = defaultdict(list)
    for order_id, _word, attention, status in rows:
        if attention.startswith(ABOUT_A_WORD):
            flagged[status].append(Change(order_id, {}, {"seen": attention, "means": word.status}))
    with transaction.atomic():
        Order.objects.filter(pk__in=[row[0] for row in rows], next_poll_at__isnull=False).update(next_poll_at=now)
        for status, changes in flagged.items():
            order_ids = [change.order_id for change in changes]
            Order.objects.filter(pk__in=order_ids, attention__startswith=ABOUT_A_WORD).update(attention="")
            write_events(changes, code=Code.ATTENTION, status=status, now=now, actor=actor)
