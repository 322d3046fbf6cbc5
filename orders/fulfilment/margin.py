"""Not selling at a loss: cost is looked at again before an order is sent, and a charge whenever upstream names one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Service
from catalog.pricing import exchange_rate_micros
from orders.fulfilment.rate_units import CENT_MICROS, charge_matches, contradicts_unit, learn_unit
from orders.lifecycle.attention import (
    FLAG_OF_HOLD,
    OF_HOLDS,
    Flag,
    clear_flags,
    raise_flag,
    text_for,
    text_of_hold,
)
from orders.lifecycle.holds import NOT_HELD
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import related_rows, supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import HoldReason, Order, OrderEvent, RefundReason, Status
from orders.notices.admin_notices import tell_of_hold, tell_of_paused_service
from orders.preferences import MARGIN_HELD
from upstream.money import MICROS, text_from_micros

log = structlog.get_logger(__name__)
Code = OrderEvent.Code

HELD = Q(status=Status.PAID) & ~Q(held_because="")
# What upstream takes for these is less than the order's cost, by what it did not deliver.
REDUCED = (Status.PARTIAL, Status.CANCELED)
# A charge that is a cent or less above the payment stops nothing: the whole shop would stand still for one tiny order.
# Five of them for one service that no rounding explains are a habit, and have cost five cents at most.
SMALL_LOSSES = 5
SMALL_LOSSES_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Hold:
    """Why an order should not be sent now; `details` are for people."""

    reason: HoldReason
    details: dict[str, Any]

    @property
    def text(self) -> str:
        """Return the reason in the language of whoever reads it."""
        return text_of_hold(self.reason, self.details)

    @property
    def evidence(self) -> dict[str, Any]:
        """Return the reason as the timeline keeps it."""
        return _evidence(self.reason, self.details)


@dataclass(frozen=True)
class Concern:
    """What a human should know about a charge, as a flag says it."""

    code: Flag
    details: dict[str, Any]


# --- Before an order is sent ----------------------------------------------------------------------------------------
def loss_at_sending(order: Order) -> Hold | None:
    """Return why this paid order should not be sent at today's cost, None when it may be; it comes with what it buys.

    A cost that was accepted when the order was sold is no reason, be it the loss that a promised price brought, nor is
    one that staff accepted since.
    """
    if order.hold_waived_at is not None:
        return None
    if order.service is not None and order.service.paused_because:
        return Hold(HoldReason.SERVICE_PAUSED, {"because": order.service.paused_because})
    cost_micros = supply_of(order).cost_now(order) * exchange_rate_micros() // MICROS
    accepted_micros = order.cost_upstream_micros * order.exchange_rate_micros // MICROS
    if cost_micros <= max(order.kept_micros, accepted_micros):
        return None
    return Hold(HoldReason.LOSS, {"cost_micros": cost_micros, "paid_micros": order.kept_micros})


def hold_order(order: Order, hold: Hold, *, now: datetime) -> bool:
    """Keep a paid order in its place but unsent, for MARGIN_HELD; return whether it was not held already."""
    until = now + MARGIN_HELD.value
    with transaction.atomic():
        free = Order.objects.filter(pk=order.pk, status=Status.PAID, held_because="", hold_waived_at=None)
        if not free.update(held_because=hold.reason, held_details=hold.details, held_until=until):
            return False
        raise_flag(order.pk, FLAG_OF_HOLD[hold.reason], now=now, **hold.details)
        evidence = {**hold.evidence, "cost_upstream_micros": supply_of(order).cost_now(order)}
        write_events([Change(order.pk, {}, evidence)], code=Code.ATTENTION, status=Status.PAID, now=now)
        tell_of_hold(order, hold.text, now=now)
    log.warning("order_held", order_id=order.pk, reason=hold.reason, details=hold.details)
    return True


def review_held_orders(*, now: datetime) -> int:
    """Release the held orders whose reason is gone and refund those whose time is over; return how many were either."""
    done = 0
    held = Order.objects.filter(HELD).exclude(held_because=HoldReason.STAFF)  # whose reason only staff knows
    for order in held.select_related(*related_rows()).order_by("id"):
        try:
            if not loss_at_sending(order):
                _release(order, Code.ATTENTION, now, {"released": order.held_because, "details": order.held_details})
            elif order.held_until is not None and order.held_until <= now:
                _refund(order, Code.REFUSED, why=RefundReason.FAILED, now=now)
            else:
                continue
        except WrongStatus:
            continue  # canceled or settled by staff a moment ago
        except Exception:  # the others must not wait for this one
            log.exception("held_order_not_reviewed", order_id=order.pk)
            continue
        done += 1
    return done


def send_held_anyway(order_id: int, *, actor: User, now: datetime) -> None:
    """Let a held order go out at whatever it costs; it is not held again.

    Raises WrongStatus when it is not held, or by staff, whose holds are released otherwise; NotYourOwnMoney: the shop
    pays what it costs more.
    """
    order = Order.objects.select_related("user").get(pk=order_id)
    refuse_own_order(actor, order)
    if order.held_because == HoldReason.STAFF:
        raise WrongStatus(f"order {order_id} is held by staff")
    evidence = {"sent_anyway": order.held_because, "details": order.held_details}
    _release(order, Code.RESOLVED, now, evidence, actor=actor, hold_waived_at=now)


def refund_held(order_id: int, *, actor: User, now: datetime) -> None:
    """Fail a held order and give all its money back. Raises WrongStatus when it is not held, NotYourOwnMoney."""
    order = Order.objects.select_related(*related_rows()).get(pk=order_id)
    refuse_own_order(actor, order)
    _refund(order, Code.RESOLVED, why=RefundReason.STAFF, now=now, actor=actor)


def _release(
    order: Order, code: str, now: datetime, evidence: dict[str, Any], *, actor: User | None = None, **fields: Any
) -> None:
    with transaction.atomic():
        # For the reason that was read: a colleague may have held it for another one since.
        held = Order.objects.filter(HELD, pk=order.pk, held_because=order.held_because)
        if not held.update(**NOT_HELD, **fields):
            raise WrongStatus(f"order {order.pk} is not held")
        clear_flags([order.pk], OF_HOLDS, now=now, actor=actor)
        write_events([Change(order.pk, {}, evidence)], code=code, status=Status.PAID, now=now, actor=actor)
        wake_forwarder(order.pk)


def _refund(order: Order, code: str, *, why: RefundReason, now: datetime, actor: User | None = None) -> None:
    with transaction.atomic():
        move_order(
            order.pk,
            Status.FAILED,
            code=code,
            now=now,
            where=HELD,
            evidence=_evidence(order.held_because, order.held_details),
            actor=actor,
            finished_at=now,
            **NOT_HELD,
        )
        clear_flags([order.pk], OF_HOLDS, now=now, actor=actor)
        order.status = Status.FAILED
        refund_up_to(order, order.price_micros, why=why, now=now, actor=actor)
        supply_of(order).record_closed(order, now)


def _evidence(reason: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"reason": reason, "details": details}


# --- When upstream names a charge -----------------------------------------------------------------------------------
def charge_is_news(order: Order, charge_micros: int | None) -> bool:
    """Whether a charge upstream reports says more than that all went as expected."""
    if charge_micros is None or charge_micros == order.charge_upstream_micros:
        return False
    unproved = order.service is not None and not order.service.rate_confirmed
    return (
        unproved
        or _is_above_payment(order, charge_micros)
        or (order.status == Status.CANCELED and charge_micros > 0)
        or not charge_matches(charge_micros, order.cost_upstream_micros)
    )


def review_charge(order: Order, charge_micros: int, *, rounding_micros: int = 0, now: datetime) -> Concern | None:
    """Compare a new charge with what was expected and paid; return what a human should know about it, if anything.

    Call it inside the transaction that records the charge, with the order's new status. A charge proves the rate's
    unit, or contradicts it; a contradiction, and a charge above what the customer paid, pause the service. A charge
    above it by a cent or less, or by the rounding of its own text, does not, unless that becomes a habit. That and
    any other difference is kept in the timeline for staff.
    """
    whole = order.status not in REDUCED and charge_micros > 0  # some charge only when the work begins
    if whole:
        learn_unit(order, charge_micros, now=now)
    other_unit = whole and contradicts_unit(order, charge_micros)
    exceeds = _is_above_payment(order, charge_micros - max(CENT_MICROS, rounding_micros))
    if exceeds or other_unit:
        details = {"other_unit_than": order.rate_per} if other_unit else {}
        concern = Concern(Flag.OVERCHARGED if exceeds else Flag.UNDERCHARGED, details)
        _pause_service(order, text_for(concern.code, details), charge_micros, now=now)
        return concern
    small_loss = _is_above_payment(order, charge_micros)
    if small_loss or (whole and not charge_matches(charge_micros, order.cost_upstream_micros)):
        unexplained = _is_above_payment(order, charge_micros - rounding_micros)
        return _note_charge(order, charge_micros, unexplained_loss=small_loss and unexplained, now=now)
    return None


def _note_charge(order: Order, charge_micros: int, *, unexplained_loss: bool, now: datetime) -> Concern | None:
    """Keep a charge in the timeline; one too many small losses of a service pauses it."""
    evidence: dict[str, Any] = {
        "charge_upstream_micros": charge_micros,
        "expected_upstream_micros": order.cost_upstream_micros,
    }
    concern: Concern | None = None
    if unexplained_loss:
        habit = _is_habit(order, now)
        evidence["small_loss"] = "habit" if habit else "noted"
        if habit:
            concern = Concern(Flag.OVERCHARGED, {"times": SMALL_LOSSES})
            _pause_service(order, text_for(concern.code, concern.details), charge_micros, now=now)
    write_events([Change(order.pk, {}, evidence)], code=Code.ATTENTION, status=order.status, now=now)
    return concern


def _is_habit(order: Order, now: datetime) -> bool:
    """Whether enough others of its service, or numbers, ended in a small loss since staff last dealt with that."""
    noted = OrderEvent.objects.filter(
        order__service=order.service_id,
        order__kind=order.kind,
        code=Code.ATTENTION,
        created_at__gte=now - SMALL_LOSSES_WITHIN,
        evidence__has_key="small_loss",
    ).exclude(order=order.pk)
    others: set[int] = set()
    for order_id, evidence in noted.order_by("-id").values_list("order_id", "evidence").iterator():
        if evidence["small_loss"] == "habit":
            return False
        others.add(order_id)
        if len(others) >= SMALL_LOSSES - 1:
            return True
    return False


def _is_above_payment(order: Order, charge_micros: int) -> bool:
    """Compared in the shop's currency, in whole micros; a loss accepted with a promised price counts as paid."""
    paid_micros = order.price_micros + order.accepted_loss_micros
    return charge_micros * order.exchange_rate_micros > paid_micros * MICROS


def _pause_service(order: Order, reason: str, charge_micros: int, *, now: datetime) -> None:
    if order.service is None:
        return
    because = f"{reason} (order {order.pk})"[:300]
    if Service.objects.filter(pk=order.service.pk, paused_because="").update(paused_because=because):
        charge = _("Expected charge: %(expected)s %(currency)s, actual charge: %(charge)s.") % {
            "expected": text_from_micros(order.cost_upstream_micros),
            "charge": text_from_micros(charge_micros),
            "currency": settings.UPSTREAM_CURRENCY,
        }
        tell_of_paused_service(order, because, charge, now=now)
