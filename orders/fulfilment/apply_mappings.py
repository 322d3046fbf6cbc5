"""What follows when the admin says what upstream's words mean: orders that waited for it go on."""

from collections import defaultdict
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from accounts.power import NotYourOwnMoney, tied_to
from orders.attempts.answers import Cause, State, settle_attempt, settle_waiting
from orders.fulfilment.words_of_two import refuse_word_of_one
from orders.lifecycle.attention import OF_WAITING, Flag, clear_flags, evidence_of
from orders.lifecycle.drift import Subject, plain, settle_drift
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.refund_requests import UNKNOWN, ask_for_refund
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import related_rows, supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import KnownRefusal, LostAttempt, Order, OrderEvent, RefundReason, Status, StatusWord
from upstream.errors import plain_text
from wallet.models import MoneyRequest

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
Meaning = KnownRefusal.Meaning
BATCH = 500
GIVES_BACK = (Status.PARTIAL, Status.CANCELED, Status.FAILED)


def list_refusal(text: str, *, meaning: str, actor: User, now: datetime) -> int:
    """Put an error text of upstream on the list of refusals, and apply that; return how many orders it settled.

    Raises NotYourOwnMoney as `refuse_own_waiting`; nothing is listed then.
    """
    refuse_own_waiting(text, actor)
    for older in KnownRefusal.objects.filter(plain_text=None, text=text):  # written by another version
        older.save()
    fields = {"meaning": meaning}
    KnownRefusal.objects.update_or_create(
        plain_text=plain_text(text), defaults=fields, create_defaults={**fields, "text": text}
    )
    return apply_listed_refusal(text, actor=actor, now=now)


def map_status_word(word: str, *, kind: str, status: str, actor: User, now: datetime) -> int:
    """Say what a status word of upstream means, and apply that; return how many orders are asked about at once.

    Raises NotYourOwnMoney as `refuse_own_reported`; nothing is mapped then.
    """
    refuse_own_reported(word, kind=kind, status=status, actor=actor, now=now)
    mapped, _created = StatusWord.objects.update_or_create(kind=kind, word=plain(word), defaults={"status": status})
    return apply_status_word(mapped, actor=actor, now=now)


def refuse_own_waiting(text: str, actor: User) -> None:
    """Raise NotYourOwnMoney where an order of the actor's, or of a referral relation, waits because of this text.

    What the text means gives its money back, or sends it again: somebody else says so.
    """
    for attempt in _answered_with(text):
        refuse_own_order(actor, attempt.order)


def refuse_own_reported(word: str, *, kind: str, status: str, actor: User, now: datetime) -> None:
    """Raise NotYourOwnMoney where upstream has said this word, which shall give money back, of such an order.

    Or of so many that it is too much for one person: a second one has to say the same (`words_of_two`).
    """
    if status not in GIVES_BACK:
        return
    reported = _reported_with(word, kind)
    own = Order.objects.filter(tied_to(actor, "user"), pk__in=reported)
    for order in own.select_related("user")[:1]:
        refuse_own_order(actor, order)
    refuse_word_of_one(plain(word), kind=kind, status=status, orders=reported, actor=actor, now=now)


def apply_listed_refusal(text: str, *, actor: User, now: datetime) -> int:
    """Settle the orders whose last attempt was answered with this text, which is listed now: not bought.

    They fail and are refunded, or wait in the queue again where the text speaks of our balance or key. A refund that is
    too much for one person waits for a second one, and its order with it. Returns how many were settled. Raises
    KnownRefusal.DoesNotExist when the text is not listed.
    """
    meaning = KnownRefusal.objects.get(plain_text=plain_text(text)).meaning
    settle_drift(Subject.ERROR_TEXT, text, now=now)
    settled = 0
    for attempt in _answered_with(text):
        try:
            with transaction.atomic():
                settled += _settle(attempt, meaning, text, actor, now)
        except (WrongStatus, NotYourOwnMoney):
            continue  # settled meanwhile in another way; or the actor's own, which came to wait meanwhile
    log.info("listed_refusal_applied", text=text, orders=settled)
    return settled


def apply_status_word(word: StatusWord, *, actor: User, now: datetime) -> int:
    """Ask at once about the orders that upstream described with this word, and unflag those flagged for it.

    Returns how many. What the word makes of them, the next poll records.
    """
    settle_drift(Subject.STATUS_WORD, word.word, now=now)
    meant = _reported_with(word.word, word.kind)
    for begin in range(0, len(meant), BATCH):
        _ask_again(meant[begin : begin + BATCH], word, actor, now)
    log.info("status_word_applied", word=word.word, status=word.status, orders=len(meant))
    return len(meant)


def _reported_with(word: str, kind: str) -> list[int]:
    """The orders that are asked about and that upstream described with this word last."""
    rows = Order.objects.filter(kind=kind, next_poll_at__isnull=False).values_list("pk", "upstream_word")
    return [order_id for order_id, said in rows.iterator() if plain(said) == plain(word)]


def _answered_with(text: str) -> list[LostAttempt]:
    """The attempts that ended with this text, of orders that are unknown or were refunded without an answer."""
    waiting = LostAttempt.objects.filter(state__in=(State.LOST, *LostAttempt.IN_QUESTION))
    answered = waiting.filter(cause=Cause.UNLISTED_TEXT).values_list("pk", "cause_detail")
    meant = [pk for pk, said in answered.iterator() if plain_text(said) == plain_text(text)]
    rows = LostAttempt.objects.filter(pk__in=meant).order_by("pk")
    return list(rows.select_related(*(f"order__{name}" for name in related_rows())))


def _settle(attempt: LostAttempt, meaning: str, text: str, actor: User, now: datetime) -> bool:
    """Settle an order, or what is in question of it; False where its refund waits for a second person."""
    order = attempt.order
    refuse_own_order(actor, order)
    if attempt.state != State.LOST:
        _close_question(attempt, text, actor, now)
        return True
    again = meaning in (Meaning.BALANCE, Meaning.KEY)
    if not again and not _may_refund_alone(order, actor, now):
        return False
    fields: dict[str, Any] = {"not_before": None} if again else {"finished_at": now, "next_poll_at": None}
    move_order(
        order.pk,
        Status.PAID if again else Status.FAILED,
        code=Code.RESOLVED,
        now=now,
        where=Q(status=Status.UNKNOWN, sent_at=order.sent_at),
        actor=actor,
        evidence={"listed": text, "meaning": meaning},
        claim_token=None,
        **fields,
    )
    settle_waiting(order.pk, State.ABSENT, now=now, actor=actor)
    if again:
        wake_forwarder(order.pk)
        return True
    order.status = Status.FAILED
    refund_up_to(order, order.price_micros, why=RefundReason.FAILED, now=now)
    supply_of(order).record_closed(order, now)
    return True


def _may_refund_alone(order: Order, actor: User, now: datetime) -> bool:
    """Count the refund for the actor, or have it wait for a second person; what waits already goes on waiting.

    A replacement that was not bought moves no money.
    """
    if not order.price_micros:
        return True
    try:
        asked = ask_for_refund(order, act=UNKNOWN, actor=actor, now=now)
    except ValueError:
        return False
    return asked.state == MoneyRequest.State.DONE


def _close_question(attempt: LostAttempt, text: str, actor: User, now: datetime) -> None:
    """The buyer was refunded long ago; now it is certain that nothing was bought."""
    order = Order.objects.select_for_update().get(pk=attempt.order_id)
    if not settle_attempt(attempt, State.ABSENT, now=now):
        raise WrongStatus(f"order {order.pk} has been looked into meanwhile")
    seen = clear_flags([order.pk], OF_WAITING, now=now, actor=actor)
    change = Change(order.pk, {}, {"seen": evidence_of(seen), "listed": text})
    write_events([change], code=Code.ATTENTION, status=order.status, now=now, actor=actor)


def _ask_again(order_ids: list[int], word: StatusWord, actor: User, now: datetime) -> None:
    flagged: dict[str, list[Change]] = defaultdict(list)
    with transaction.atomic():
        Order.objects.filter(pk__in=order_ids, next_poll_at__isnull=False).update(next_poll_at=now)
        flags = clear_flags(order_ids, [Flag.UNKNOWN_WORD], now=now, actor=actor)
        statuses = dict(Order.objects.filter(flags__in=flags).values_list("pk", "status"))
        for flag in flags:
            change = Change(flag.order_id, {}, {"seen": evidence_of([flag]), "means": word.status})
            flagged[statuses[flag.order_id]].append(change)
        for status, changes in flagged.items():
            write_events(changes, code=Code.ATTENTION, status=status, now=now, actor=actor)
