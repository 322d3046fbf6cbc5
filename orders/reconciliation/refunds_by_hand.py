"""Staff gives the money for an order back: at once, or once a second person agrees where it is too much for one.

What one person may move alone within a day, refunds and all else, is the wallet's to say (wallet.operations). An order
waits as it is meanwhile: whatever else settles it comes first, and the request is declined then.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from accounts.power import refuse_own_money
from orders.attempts.not_found import refund_forgotten
from orders.claims.answering import carry_out_claim, claim_of_request
from orders.fulfilment.margin import refund_held
from orders.lifecycle.refund_requests import ABOUT, CLAIM, PART, UNKNOWN, ask_for_refund
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.staff_acts import write_note
from orders.lifecycle.transitions import WrongStatus
from orders.models import DELIVERED, UPSTREAM_OPEN, Order, RefundReason
from orders.reconciliation.resolve import resolve_by_refund
from wallet.models import MoneyRequest
from wallet.operations import SubjectChanged

# By the names that requests keep, so that they still mean the same after an update.
ACTS: dict[str, Callable[..., None]] = {
    UNKNOWN: resolve_by_refund,
    "held": refund_held,
    "forgotten": refund_forgotten,
}


def refund_by_hand(order_id: int, *, act: str, actor: User, now: datetime, note: str = "") -> MoneyRequest | None:
    """Refund an order in one of the three ways of ACTS; the request returned is done, or waits for a second person.

    `note` says why, and is kept with the request and in the order's timeline for staff.

    None where nothing was paid: a replacement is closed the same way, and moves no money.

    Raises NotYourOwnMoney, WrongStatus when the order is not in that state, ValueError, whose text is for staff, when
    a refund of it waits already.
    """
    with transaction.atomic():
        order = Order.objects.select_related("user").get(pk=order_id)
        refuse_own_money(actor, order.user, permission="orders.change_order")
        if note:
            write_note(order_id, note, actor=actor, now=now)
        if not order.price_micros:
            ACTS[act](order_id, actor=actor, now=now)
            return None
        request = ask_for_refund(order, act=act, actor=actor, now=now, note=note)
        if request.state == MoneyRequest.State.WAITING:
            with transaction.atomic():  # for who asks: whether the order is in that state
                ACTS[act](order_id, actor=actor, now=now)
                transaction.set_rollback(True)
        else:
            ACTS[act](order_id, actor=actor, now=now)
    return request


def refund_part_by_hand(
    order_id: int, *, amount_micros: int, note: str, seen_refunded_micros: int, actor: User, now: datetime
) -> MoneyRequest:
    """Give back a part of an order's price that was sent, or all that is left of it; its status stays as it is.

    What upstream's status gives back later counts against it: an order never gets more than its price. The request
    returned is done, or waits for a second person. `seen_refunded_micros` is what had been refunded when staff decided.

    Raises NotYourOwnMoney; WrongStatus for an order in another status, of which more has been refunded since, or less
    is left than the amount; ValueError, whose text is for staff, when a refund of it waits already.
    """
    with transaction.atomic():
        order = _held(order_id)
        refuse_own_money(actor, order.user, permission="orders.change_order")
        if order.refunded_micros != seen_refunded_micros:
            raise WrongStatus(f"order {order_id} has been refunded further")
        _check_part(order)
        act = f"{PART} {order.refunded_micros}"
        request = ask_for_refund(order, act=act, actor=actor, now=now, part_micros=amount_micros, note=note)
        if request.state == MoneyRequest.State.DONE:
            _give_part(order, request, now=now)
    return request


def may_be_refunded_in_part(order: Order) -> bool:
    """Whether something was paid for an order that was sent, and not all of it has been given back."""
    return order.status in (*UPSTREAM_OPEN, *DELIVERED) and order.refunded_micros < order.price_micros


def _check_part(order: Order) -> None:
    if not may_be_refunded_in_part(order):
        raise WrongStatus(f"order {order.pk} is {order.status}: nothing of it is refunded in part")


def _give_part(order: Order, request: MoneyRequest, *, now: datetime) -> None:
    """Move exactly what was asked for; the order is held. Raises WrongStatus where less is left."""
    evidence, total_micros = {"note": request.note}, order.refunded_micros + request.amount_micros
    actor = request.asked_by
    given = refund_up_to(order, total_micros, why=RefundReason.STAFF, now=now, actor=actor, evidence=evidence)
    if given != request.amount_micros:
        raise WrongStatus(f"order {order.pk} has been refunded further")


def _held(order_id: int | str) -> Order:
    """Read an order that nobody refunds or moves until the transaction ends. NO KEY: rows may still refer to it."""
    return Order.objects.select_for_update(no_key=True, of=("self",)).select_related("user").get(pk=order_id)


def carry_out_refund(request: MoneyRequest, *, now: datetime) -> None:
    """Refund the order of a request that two agreed on; part of the transaction that closes it.

    Raises SubjectChanged when the order has been settled otherwise, or partly refunded, meanwhile.
    """
    if request.act == CLAIM:
        carry_out_claim(request, now=now)
        return
    order = _held(request.about.removeprefix(ABOUT))
    if request.act.startswith(f"{PART} "):
        if str(order.refunded_micros) != request.act.removeprefix(f"{PART} ") or not may_be_refunded_in_part(order):
            raise SubjectChanged
        try:
            _give_part(order, request, now=now)
        except WrongStatus as error:
            raise SubjectChanged from error
        return
    if order.price_micros - order.refunded_micros != request.amount_micros:
        raise SubjectChanged
    try:
        ACTS[request.act](order.pk, actor=request.asked_by, now=now)
    except WrongStatus as error:
        raise SubjectChanged from error


def page_of_order(request: MoneyRequest) -> str:
    """Return the address of the staff's page of the order, or the claim for its goods, that a request is about."""
    if request.act == CLAIM and (claim := claim_of_request(request)):
        return reverse("admin:orders_goodsclaim_change", args=[claim.pk])
    return reverse("admin:orders_order_change", args=[request.about.removeprefix(ABOUT)])
