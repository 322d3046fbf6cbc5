"""After the faults: a trickle of orders closes the windows of what was lost, then everything comes to its end."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from bench.load_test.customers import Shopper
from bench.load_test.stage import SPEED, Stage
from orders.lifecycle.attention import attention_of
from orders.lifecycle.transitions import WrongStatus
from orders.models import Kind, LostAttempt, Order, Status
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_as_placed
from upstream.client import default_client

TRICKLE_SECONDS = 1.0
LOOK_SECONDS = 0.4
HURRY = 10  # nothing is left to go wrong when all that is wanted is the end
# States of attempts that reconciliation looks for, because their orders wait or were refunded at once.
LOOKED_FOR = (LostAttempt.State.LOST, LostAttempt.State.SOUGHT)
MOVING = Q(status__in=(Status.PAID, Status.SENDING, Status.PENDING, Status.IN_PROGRESS), held_because="")
# Why reconciliation will look again by itself; every other reason leaves the order to a human.
NOT_YET = (
    LostAttempt.Doubt.OPEN,
    LostAttempt.Doubt.SILENCE,
    LostAttempt.Doubt.SENDING,
    LostAttempt.Doubt.PRICES,
)


class NotSettled(Exception):
    """Some orders did not come to an end in time; the text names them."""


def await_first(kinds: int, *, seconds: float) -> None:
    """Wait until an order of each of so many kinds has an upstream id: later windows have a beginning then.

    Raises NotSettled after `seconds`.
    """
    deadline = time.monotonic() + seconds
    placed = Order.objects.filter(answered_at__isnull=False)
    while placed.values("kind").distinct().count() < kinds:
        _check_time(deadline, "not sent", list(Order.objects.filter(upstream_id=None)))
        time.sleep(0.1)


def await_sent(*, seconds: float) -> None:
    """Wait until nothing is left to be sent. Raises NotSettled after `seconds`."""
    deadline = time.monotonic() + seconds
    while unsent := list(Order.objects.filter(MOVING, status__in=(Status.PAID, Status.SENDING))):
        _check_time(deadline, "not sent", unsent)
        time.sleep(0.1)


def settle(trickle: Shopper, stage: Stage, *, seconds: float, log: Callable[[str], None]) -> None:
    """Place an order of each kind every second until reconciliation has looked at every lost one.

    Then wait for the rest to end, which upstream hurries over. Raises NotSettled after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while unexamined := _unexamined():
        _check_time(deadline, "not looked into", unexamined)
        stage.start_what_ended()
        log(f"{len(unexamined)} orders without an answer are not looked into yet")
        trickle.buy_a_service()
        trickle.buy_numbers(1)
        time.sleep(TRICKLE_SECONDS)
    stage.sandbox.set(speed=HURRY * SPEED)
    while moving := list(Order.objects.filter(MOVING)):
        _check_time(deadline, "still on their way", moving)
        stage.start_what_ended()
        log(f"{len(moving)} orders are on their way: {Counter(order.status for order in moving)}")
        time.sleep(LOOK_SECONDS)
    stage.sandbox.set(speed=SPEED)
    # An order that was on its way may have lost its answer now.
    if _unexamined():
        settle(trickle, stage, seconds=deadline - time.monotonic(), log=log)


def _unexamined() -> list[Order]:
    """Return the unanswered orders that reconciliation has not looked at, or not since one of their rivals went."""
    attempts = list(LostAttempt.objects.filter(state__in=LOOKED_FOR).select_related("order"))
    open_orders = {attempt.order_id for attempt in attempts}
    return [
        attempt.order
        for attempt in attempts
        if attempt.doubt in ("", *NOT_YET) or not open_orders.issuperset(attempt.evidence.get("rivals", []))
    ]


def _check_time(deadline: float, what: str, orders: list[Order]) -> None:
    if time.monotonic() > deadline:
        shown = "; ".join(describe(order) for order in orders[:10])
        raise NotSettled(f"{len(orders)} orders {what}: {shown}")


def describe(order: Order) -> str:
    """Return what one needs to know of an order that is not where it should be."""
    events = " → ".join(event.code for event in order.events.order_by("id"))
    lost = "; ".join(f"{one.number} {one.state} {one.doubt} {one.evidence}" for one in order.lost_attempts.all())
    return (
        f"#{order.pk} {order.kind} {order.status} upstream={order.upstream_id} attempts={order.attempts}"
        f" attention={attention_of(order)!r} lost=[{lost}] [{events}]"
    )


def left_to_the_admin() -> list[Order]:
    """Return the service orders that nobody but their admin can settle, once everything else is."""
    return list(Order.objects.filter(kind=Kind.SERVICE, status=Status.UNKNOWN))


def reasons_of(orders: list[Order]) -> dict[str, int]:
    """Return why these unknown orders were not settled by themselves, and how many for each reason."""
    doubts = LostAttempt.objects.filter(order__in=orders, state=LostAttempt.State.LOST).values_list("doubt", flat=True)
    return dict(Counter(doubts))


def decide_for_the_admin(
    orders: list[Order], truth: dict[str, list[int]], admin: Any, log: Callable[[str], None]
) -> None:
    """Settle these unknown orders as their admin would, who sees the links in the supplier's own order list.

    `truth` has upstream's ids by link.
    """
    for order in orders:
        ids = truth.get(order.link, [])
        log(f"the admin decides about #{order.pk}: {f'it is {ids[0]}' if ids else 'it was not placed'}")
        # With each decision its rivals are fewer: reconciliation may settle the next one by itself meanwhile.
        with contextlib.suppress(WrongStatus):
            _decide(order, ids, admin)


def _decide(order: Order, ids: list[int], admin: Any) -> None:
    if ids:
        resolve_as_placed(order.pk, upstream_id=str(ids[0]), actor=admin, client=default_client(), now=timezone.now())
    else:
        resolve_as_not_placed(order.pk, actor=admin, now=timezone.now())
