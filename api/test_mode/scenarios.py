"""How a simulated order goes: written in its link, or in the phone of a number; the time that has passed decides.

All of it is computed when somebody looks; nothing runs in between.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api.models import SimulatedOrder
from orders.models import Status
from sms.models import Number
from upstream.money import round_refund

State = Number.State

PENDING_SECONDS, WORKING_SECONDS = 10, 60
SLOW = 60  # times as long
STUCK_SECONDS = 24 * 3600
CODE_SECONDS, NO_CODE_SECONDS = 10, 60

# Words in a link, and what they make of the order; `slow` goes with each of the others.
LINK_WORDS: dict[str, str | Promise] = {
    "partial": _("half is delivered, the rest is refunded"),
    "canceled": _("is canceled while in progress, with a full refund"),
    "failed": _("is canceled at once, with a full refund"),
    "stuck": _("stays in progress for a day"),
    "instant": _("is completed at once"),
    "slow": _("takes an hour instead of a minute"),
    "refused": _("is refused: Not enough stock"),
}
CODE_AT_ONCE, NO_CODE, CANCELED_NUMBER, NO_NUMBERS = (f"+1000000000{last}" for last in (1, 2, 3, 4))
PHONES: dict[str, str | Promise] = {
    CODE_AT_ONCE: _("the code arrives at once"),
    NO_CODE: _("no code arrives: it expires after a minute and is refunded"),
    CANCELED_NUMBER: _("is canceled after ten seconds and refunded"),
    NO_NUMBERS: _("is not sold: No numbers available"),
}


@dataclass(frozen=True)
class Course:
    """Where a simulated order is; `back_micros` is what is due back once it is `over`."""

    status: Status
    remains: int
    over: bool
    back_micros: int = 0


def has_word(link: str, word: str) -> bool:
    """Whether the link asks for this."""
    # "cancelled" as well.
    return word in link.lower() or (word == "canceled" and "cancelled" in link.lower())


def course_of(order: SimulatedOrder, now: datetime) -> Course:
    """Return where an order of a service is now."""
    if order.canceled_at is not None:
        return Course(Status.CANCELED, order.quantity, over=True, back_micros=order.price_micros)
    ending = _ending(order)
    pace = SLOW if has_word(order.link, "slow") else 1
    passed = (now - order.created_at).total_seconds() / pace
    if has_word(order.link, "instant") or (ending.status == Status.FAILED and passed >= 0):
        return ending
    if passed < PENDING_SECONDS:
        return Course(Status.PENDING, order.quantity, over=False)
    lasts = STUCK_SECONDS if has_word(order.link, "stuck") else WORKING_SECONDS
    if passed >= lasts:
        return ending
    share = (passed - PENDING_SECONDS) / (lasts - PENDING_SECONDS)
    done = int((order.quantity - ending.remains) * share)
    return Course(Status.IN_PROGRESS, order.quantity - done, over=False)


def _ending(order: SimulatedOrder) -> Course:
    if has_word(order.link, "failed"):
        return Course(Status.FAILED, order.quantity, over=True, back_micros=order.price_micros)
    if has_word(order.link, "canceled"):
        return Course(Status.CANCELED, order.quantity, over=True, back_micros=order.price_micros)
    left = order.quantity - order.quantity // 2
    if has_word(order.link, "partial"):
        back_micros = round_refund(order.price_micros * left, order.quantity)
        return Course(Status.PARTIAL, left, over=True, back_micros=back_micros)
    return Course(Status.COMPLETED, 0, over=True)


def state_of(order: SimulatedOrder, now: datetime) -> State:
    """Return where a number is now."""
    passed = (now - order.created_at).total_seconds()
    if order.canceled_at is not None or (order.phone == CANCELED_NUMBER and passed >= CODE_SECONDS):
        return State.CANCELED
    if order.phone == NO_CODE and passed >= NO_CODE_SECONDS:
        return State.EXPIRED
    waits_for = {CODE_AT_ONCE: 0, NO_CODE: NO_CODE_SECONDS, CANCELED_NUMBER: CODE_SECONDS}
    return State.RECEIVED if passed >= waits_for.get(order.phone, CODE_SECONDS) else State.WAITING


def back_micros_of(order: SimulatedOrder, now: datetime) -> int | None:
    """Return what is due back of an order or number that is over, None while it is not."""
    if order.kind == SimulatedOrder.Kind.SERVICE:
        course = course_of(order, now)
        return course.back_micros if course.over else None
    state = state_of(order, now)
    if state == State.WAITING:
        return None
    return 0 if state == State.RECEIVED else order.price_micros


def code_of(order: SimulatedOrder) -> str:
    """Return the code that comes to a number: six digits, other ones for each."""
    return f"{order.pk * 7919 % 1_000_000:06}"


def expires_at(order: SimulatedOrder) -> datetime:
    """Return when a number ends."""
    seconds = NO_CODE_SECONDS if order.phone == NO_CODE else settings.SMS_LIFETIME_SECONDS
    return order.created_at + timedelta(seconds=seconds)
