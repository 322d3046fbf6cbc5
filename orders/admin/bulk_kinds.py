"""What is done to many orders at once, by a worker: the same operations as the buttons of one order, one by one.

An order that has changed since it was chosen is left as it is: its status, its refunds or its hold are not what was
seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.power import NotYourOwnMoney
from jobs.kinds import NotDone, Row, Rows, declare
from jobs.models import StaffJob
from orders.attempts.not_found import is_forgotten
from orders.fulfilment.margin import send_held_anyway
from orders.lifecycle.attention import attention_of, clear_attention
from orders.lifecycle.staff_acts import ask_now, hold_by_hand, release_by_hand, write_note
from orders.lifecycle.transitions import WrongStatus
from orders.models import HoldReason, Order, Status
from orders.reconciliation.refunds_by_hand import may_be_refunded_in_part, refund_by_hand, refund_part_by_hand
from orders.reconciliation.resolve import resolve_as_not_placed
from wallet.models import MoneyRequest

# Carries it out on an order, as it was just read, with the note that was typed; returns a request where there is one.
Operation = Callable[[Order, str, User, datetime], MoneyRequest | None]


@dataclass(frozen=True)
class Act:
    """Something to do to many orders: what its button says, what it does, to which orders, how."""

    name: str
    title: Promise
    about: Promise
    fits: Callable[[Order], bool]
    do: Operation
    note: Promise | None = None  # what the text is called that it asks for
    moves_money: bool = False


class OrderAct(Rows):
    """An act as a kind of background work."""

    permission = "orders.change_order"

    def __init__(self, act: Act) -> None:
        self.act, self.name = act, f"orders.{act.name}"

    def describe(self, row: Row) -> tuple[str, str]:
        return f"#{row.key}", reverse("admin:orders_order_change", args=[row.key])

    def do(self, job: StaffJob, row: Row, *, now: datetime) -> str | None:
        order = Order.objects.select_related("user", "service").filter(pk=row.key).first()
        if order is None or seen_of(order) != row.seen or not self.act.fits(order):
            status = "" if order is None else order.get_status_display()
            raise NotDone(_("It has changed since you chose it; it is %(status)s now.") % {"status": status})
        try:
            request = self.act.do(order, job.params.get("note", ""), job.asked_by, now)
        except NotYourOwnMoney as refusal:
            raise NotDone(str(refusal)) from refusal
        except WrongStatus as refusal:
            raise NotDone(_("Its status has changed meanwhile.")) from refusal
        except ValueError as problem:  # its text says what to do instead
            raise NotDone(str(problem)) from problem
        if request is not None and request.state == MoneyRequest.State.WAITING:
            return _("Waits for a second person as request %(number)s.") % {"number": request.pk}
        return None


def seen_of(order: Order) -> list[Any]:
    """Return what of an order must not have changed between choosing it and doing something to it."""
    return [order.status, order.refunded_micros, order.held_because, order.attempts]


def _is_free(order: Order) -> bool:
    return order.status == Status.PAID and not order.held_because


def _is_held_by_staff(order: Order) -> bool:
    return order.status == Status.PAID and order.held_because == HoldReason.STAFF


def _is_held_otherwise(order: Order) -> bool:
    return order.status == Status.PAID and order.held_because not in ("", HoldReason.STAFF)


def _is_reviewable(order: Order) -> bool:
    return order.status != Status.UNKNOWN and not order.held_because and bool(attention_of(order))


def _is_refundable(order: Order) -> bool:
    held = order.status == Status.PAID and bool(order.held_because)
    return order.status == Status.UNKNOWN or held or is_forgotten(order) or may_be_refunded_in_part(order)


def _refund(order: Order, note: str, actor: User, now: datetime) -> MoneyRequest | None:
    """Give back all that is left of an order's price, in the way that fits how it stands."""
    if order.status == Status.UNKNOWN:
        return refund_by_hand(order.pk, act="unknown", actor=actor, now=now, note=note)
    if order.status == Status.PAID:
        return refund_by_hand(order.pk, act="held", actor=actor, now=now, note=note)
    if is_forgotten(order):
        return refund_by_hand(order.pk, act="forgotten", actor=actor, now=now, note=note)
    left_micros = order.price_micros - order.refunded_micros
    seen = order.refunded_micros
    return refund_part_by_hand(
        order.pk, amount_micros=left_micros, note=note, seen_refunded_micros=seen, actor=actor, now=now
    )


def _plain(operation: Callable[..., Any], *, takes_note: bool = False) -> Operation:
    """Return an operation of one order that moves no money, as an act carries it out."""

    def do(order: Order, note: str, actor: User, now: datetime) -> None:
        operation(order.pk, actor=actor, now=now, **({"note": note} if takes_note else {}))

    return do


ACTS = {
    act.name: act
    for act in (
        Act(
            "ask",
            gettext_lazy("Ask upstream now"),
            gettext_lazy("Their status is asked for within seconds, instead of when it would be their turn."),
            lambda order: order.next_poll_at is not None,
            _plain(ask_now),
        ),
        Act(
            "clear",
            gettext_lazy("Mark as reviewed"),
            gettext_lazy("Takes them off the list of orders that need attention. Nothing else changes."),
            _is_reviewable,
            _plain(clear_attention),
        ),
        Act(
            "hold",
            gettext_lazy("Hold back"),
            gettext_lazy("They keep their place but aren't sent until somebody releases or refunds them."),
            _is_free,
            _plain(hold_by_hand, takes_note=True),
            note=gettext_lazy("Reason"),
        ),
        Act(
            "release",
            gettext_lazy("Release"),
            gettext_lazy("What staff has held back goes on; what it costs is checked again before it is sent."),
            _is_held_by_staff,
            _plain(release_by_hand),
        ),
        Act(
            "send",
            gettext_lazy("Send anyway"),
            gettext_lazy("Orders that are held because of what they cost are sent; the shop takes any loss."),
            _is_held_otherwise,
            _plain(send_held_anyway),
        ),
        Act(
            "resend",
            gettext_lazy("Not placed: send again"),
            gettext_lazy(
                "Only if you are sure that upstream doesn't have them; otherwise they are bought twice. "
                "We keep looking for them, and what turns up later is booked as the shop's loss."
            ),
            lambda order: order.status == Status.UNKNOWN,
            _plain(resolve_as_not_placed),
        ),
        Act(
            "refund",
            gettext_lazy("Refund"),
            gettext_lazy(
                "Customers get back all that is left of the price. What is not sent, or not known to be, is closed; "
                "what is at work or delivered goes on, and upstream keeps what it charged."
            ),
            _is_refundable,
            _refund,
            note=gettext_lazy("Reason"),
            moves_money=True,
        ),
        Act(
            "note",
            gettext_lazy("Write a note"),
            gettext_lazy("For whoever looks at these orders next. Nothing else changes."),
            lambda _order: True,
            lambda order, note, actor, now: write_note(order.pk, note, actor=actor, now=now),
            note=gettext_lazy("Note"),
        ),
    )
}
KINDS = {name: OrderAct(act) for name, act in ACTS.items()}
for _kind in KINDS.values():
    declare(_kind)
