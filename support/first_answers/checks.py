"""What each rule looks at. A check reads and changes nothing; it finds an answer, or None for "not my case"."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from catalog.browse.durations import write_duration
from catalog.titles.words import days_in_words
from orders.lifecycle.service_requests import what_became_of
from orders.models import DELIVERED, UPSTREAM_OPEN, OrderEvent, ServiceRequest, Status
from support.first_answers.asked import Asked, count
from support.first_answers.evidence import evidence_note
from support.first_answers.moments_in_text import keep_moment, round_up
from support.first_answers.supplier_text import supplier_text
from support.models import FirstAnswerRule, Ticket
from wallet.gateways import find_gateway
from wallet.models import OPEN_TOP_UPS, TopUp

Reason, State = Ticket.Reason, Ticket.State


@dataclass(frozen=True)
class Found:
    """What fills in the rule's text, and what becomes of the ticket; `supplier_text` and `note` are for staff."""

    values: dict[str, str]
    state: Ticket.State
    comes_back_at: datetime | None = None
    supplier_text: str = ""
    note: str = ""


Check = Callable[[Asked, FirstAnswerRule], Found | None]


def in_usual_time(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find when the order should be done, while it is younger than nine in ten others were when they were."""
    return _usual_time(asked, to_start=False)


def start_in_usual_time(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find when work should begin; once it has begun, when the order should be done is the other rule's."""
    return None if asked.began else _usual_time(asked, to_start=True)


def _usual_time(asked: Asked, *, to_start: bool) -> Found | None:
    seconds = asked.most_seconds(to_start=to_start)
    if asked.order is None or seconds is None or not asked.on_its_way:
        return None
    by = round_up(asked.order.created_at + timedelta(seconds=seconds))
    if by <= asked.now:
        return None
    values = {
        "most": write_duration(seconds),
        "by": keep_moment(by),
        "placed": keep_moment(asked.order.created_at),
    }
    return Found(values, State.WATCHED, comes_back_at=by)


def stalled(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find an order that takes far longer than others, and all that staff needs to ask the supplier."""
    order = asked.order
    to_start = asked.ticket.reason == Reason.NOT_STARTED and not asked.began
    if order is None or order.status not in UPSTREAM_OPEN:
        return None
    if not asked.has_stalled(to_start=to_start, unmeasured_hours=rule.hours):
        return None
    passed = int((asked.now - order.created_at).total_seconds())
    values = {"order": f"#{order.pk}", "passed": write_duration(passed)}
    return Found(values, State.OPEN, supplier_text=supplier_text(asked), note=evidence_note(asked, order))


def asked_already(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find the same request, or ticket, for the same order: one that waits, or was answered within the rule's hours."""
    return _earlier_request(asked, rule) or _earlier_ticket(asked)


def _earlier_request(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    ticket = asked.ticket
    kinds = {Reason.REFILL: ServiceRequest.Kind.REFILL, Reason.DROPPED: ServiceRequest.Kind.REFILL}
    kind = kinds.get(Reason(ticket.reason), ServiceRequest.Kind.CANCEL)
    if asked.order is None or ticket.reason not in (*kinds, Reason.CANCEL):
        return None
    since = asked.now - timedelta(hours=rule.hours or 0)
    for request in asked.order.requests.filter(kind=kind).exclude(ticket=ticket.pk).order_by("-id")[:5]:
        if request.state == ServiceRequest.State.OPEN:
            return _told(request.created_at, _("It is with our team; the answer comes on the page of your order."))
        if request.closed_at is not None and request.closed_at > since:
            return _told(request.created_at, what_became_of(request.kind, request.state, request.answer))
    return None


def _earlier_ticket(asked: Asked) -> Found | None:
    """Only one that staff has to answer: what a rule said is said again, as things stand now."""
    if asked.order is None:
        return None
    alike = Ticket.objects.filter(order=asked.order, user=asked.ticket.user_id, reason=asked.ticket.reason)
    waiting = alike.filter(state=State.OPEN).exclude(pk=asked.ticket.pk).order_by("id").first()
    if waiting is None:
        return None
    return _told(waiting.created_at, _("It is with our team; the answer comes in your question #%d.") % waiting.pk)


def _told(at: datetime, outcome: str) -> Found:
    return Found({"asked": keep_moment(at), "outcome": outcome}, State.ANSWERED)


def refill_not_offered(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find an order of a service without refill."""
    service = asked.service
    return _final(asked) if service is not None and not service.refill else None


def refill_too_late(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find an order whose end is longer ago than the days of refill its service promises."""
    order, days = asked.order, asked.refill_days
    if order is None or order.status not in DELIVERED or order.finished_at is None or days is None:
        return None
    ended = order.finished_at + timedelta(days=days)
    if ended > asked.now:
        return None
    return _final(asked, days=days_in_words(days), done=keep_moment(order.finished_at), ended=keep_moment(ended))


def refill_cool_down(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find an order that ended, or was refilled, less than the rule's hours ago: it is looked at after them."""
    order = asked.order
    if order is None or order.status not in DELIVERED:
        return None
    refills = order.requests.filter(kind=ServiceRequest.Kind.REFILL, state=ServiceRequest.State.DONE)
    refilled = refills.exclude(ticket=asked.ticket.pk).order_by("-closed_at").values_list("closed_at", flat=True)
    ends = [at for at in (order.finished_at, refilled.first()) if at is not None]
    if not ends:
        return None
    until = round_up(max(ends) + timedelta(hours=rule.hours or 0))
    if until <= asked.now:
        return None
    return Found({"until": keep_moment(until), "order": f"#{order.pk}"}, State.WATCHED, comes_back_at=until)


def cancel_not_offered(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find an order at work of a service that can't be canceled; where it has usual times, it is watched for them."""
    order, service = asked.order, asked.service
    if order is None or service is None or service.cancel or order.status not in UPSTREAM_OPEN:
        return None
    usual = in_usual_time(asked, rule)
    if usual is None:
        return _final(asked, estimate="")
    estimate = _("It should be done by %(moment)s; if it isn't, this question comes back to us by itself.")
    values = {"estimate": estimate % {"moment": usual.values["by"]}, "order": f"#{order.pk}"}
    return Found(values, State.WATCHED, comes_back_at=usual.comes_back_at)


def cancel_in_usual_time(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find an order that may be canceled and is still within its usual time."""
    service = asked.service
    return in_usual_time(asked, rule) if service is not None and service.cancel else None


def partial_refunded(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find an order that was delivered in part, with what went back for the rest."""
    order = asked.order
    if order is None or order.status != Status.PARTIAL or not order.refunded_micros or order.done is None:
        return None
    refund = order.events.filter(code=OrderEvent.Code.REFUNDED).order_by("-id").first()
    return _final(
        asked,
        done=count(order.done),
        quantity=count(order.quantity),
        amount=money(order.refunded_micros),
        refunded=keep_moment(refund.created_at if refund is not None else order.finished_at or asked.now),
    )


def payment_awaited(asked: Asked, rule: FirstAnswerRule) -> Found | None:
    """Find a payment of which its way to pay has said nothing final yet, and what is awaited of whom."""
    top_up = asked.ticket.top_up
    if top_up is None or top_up.status not in OPEN_TOP_UPS or top_up.attention:
        return None
    values = {"awaited": _awaited(top_up), "amount": money(top_up.pay_micros), "reference": top_up.reference}
    comes_back_at = round_up(asked.now + timedelta(hours=rule.hours or 1))
    return Found(values, State.WATCHED, comes_back_at=comes_back_at)


def _awaited(top_up: TopUp) -> str:
    gateway = find_gateway(top_up.gateway)
    words = {"way": str(gateway.title) if gateway else top_up.gateway, "amount": money(top_up.pay_micros)}
    if top_up.gateway == "manual" and top_up.status == TopUp.Status.PENDING:
        return _("We are waiting for your transfer of %(amount)s to arrive, and confirm it by hand.") % words
    if top_up.gateway == "manual":
        return _("We are waiting for your transfer of %(amount)s; you haven't told us yet that you sent it.") % words
    if top_up.status == TopUp.Status.PENDING:
        return _("Your payment of %(amount)s (%(way)s) has been made, but is still being confirmed.") % words
    return _("We have had no word of your payment of %(amount)s (%(way)s) yet.") % words


def _final(asked: Asked, **values: str) -> Found:
    order = asked.order
    return Found({**values, "order": f"#{order.pk}" if order is not None else ""}, State.ANSWERED)


# By reason, in the order in which they are asked; each check is called as its rule is.
_TIME: tuple[Check, ...] = (in_usual_time, stalled)
_REFILL: tuple[Check, ...] = (refill_not_offered, asked_already, refill_too_late, refill_cool_down)
CHECKS: dict[str, tuple[Check, ...]] = {
    Reason.SLOW: (asked_already, *_TIME),
    Reason.NOT_STARTED: (asked_already, start_in_usual_time, *_TIME),
    Reason.REFILL: _REFILL,
    Reason.DROPPED: _REFILL,
    Reason.CANCEL: (asked_already, cancel_not_offered, cancel_in_usual_time),
    Reason.PARTIAL: (partial_refunded,),
    Reason.PAYMENT: (payment_awaited,),
}
