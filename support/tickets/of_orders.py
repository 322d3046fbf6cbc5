"""What orders tell becomes tickets: requests for a refill or a cancel, reports about goods, and what became of them.

Listeners run inside the transaction of what they hear of: a request without its ticket never exists.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from orders.claims.answering import ANSWERED, what_became_of_lines
from orders.lifecycle.complaints import complaint_deadline
from orders.lifecycle.goods_claims import CLAIMED
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.service_requests import REQUEST_CLOSED, REQUESTED
from orders.models import ClaimAnswer, GoodsClaim, Order, ServiceRequest
from support.models import Message, Ticket
from support.tickets.limits import CAUSED_BY_ORDERS, lock_customer
from support.tickets.mail import tell_of_answer, tell_staff
from support.tickets.messages import locked, move, said_before, say
from support.tickets.opening import open_for_request, open_ticket
from support.tickets.outcomes import outcome_key, say_outcome

State = ServiceRequest.State


def hear_of_orders(order_ids: Sequence[int], code: str, *, now: datetime) -> None:
    """Write into tickets what these orders' customers asked for, and what they were answered beside their tickets."""
    if code == REQUESTED:
        for request in _requests(order_ids).filter(state=State.OPEN, ticket=None):
            open_for_request(request, now=now)
    elif code == REQUEST_CLOSED:
        for request in _requests(order_ids).filter(state__in=(State.DONE, State.DECLINED), closed_at=now):
            _write_outcome(request, now)
    elif code == CLAIMED:
        for order in Order.objects.filter(pk__in=order_ids).select_related("user"):
            _write_report(order, now)
    elif code == ANSWERED:
        answers = ClaimAnswer.objects.filter(order__in=order_ids, carried_out_at=now)
        for answer in answers.select_related("order__user", "answered_by"):
            _write_claim_answer(answer, now)


def _requests(order_ids: Sequence[int]) -> QuerySet[ServiceRequest]:
    return ServiceRequest.objects.filter(order__in=order_ids).select_related(
        "order__user", "order__service", "closed_by"
    )


def _write_outcome(request: ServiceRequest, now: datetime) -> None:
    """Say what became of a request, unless its ticket knows, as it does where it was answered there."""
    ticket = locked(open_for_request(request, now=now).pk)
    if said_before(ticket, outcome_key(request.pk)):
        return
    became = say_outcome(ticket, request, request.state, now=now)
    if request.answer:
        kind = Message.Kind.STAFF if request.closed_by else Message.Kind.EVENT
        message = say(ticket, kind, request.answer, author=request.closed_by, now=now)
        tell_of_answer(ticket, message, became=became, now=now)
    else:
        tell_of_answer(ticket, ticket.messages.get(key=outcome_key(request.pk)), now=now)
    if request.closed_by is not None:
        ticket.first_answer_at = ticket.first_answer_at or now
    move(ticket, Ticket.State.ANSWERED, now=now)


def _write_report(order: Order, now: datetime) -> None:
    """Write a report about goods into the ticket that is at work on this order's goods, or a new one."""
    claims = list(GoodsClaim.objects.filter(order=order, claimed_at=now).order_by("line"))
    if not claims:
        return
    with translation.override(order.user.mail_language):
        subject = _("Goods of order #%(number)s don't work") % {"number": order.pk}
        lines = _("Lines: %(lines)s") % {"lines": spans_of(claim.line for claim in claims)}
        why = _("Reason: %(reason)s") % {"reason": claims[0].get_reason_display()}
    text = "\n".join(part for part in (lines, why, claims[0].text) if part)
    key = f"{CAUSED_BY_ORDERS}claim:{claims[0].pk}"
    lock_customer(order.user)
    known = _about_goods(order).exclude(state=Ticket.State.CLOSED).first()
    if known is None:
        ticket = open_ticket(
            user=order.user,
            reason=Ticket.Reason.NOT_WORKING,
            text=text,
            subject=subject,
            order=order,
            key=key,
            now=now,
        )
    else:
        ticket = locked(known.pk)
        say(ticket, Message.Kind.CUSTOMER, text, author=order.user, key=key, now=now)
        move(ticket, Ticket.State.OPEN, now=now)
        tell_staff(ticket, text, now=now)
    say(ticket, Message.Kind.NOTE, _evidence(claims), now=now)


def caused_by_claims() -> Exists:
    """Return the question whether reports about goods caused a ticket: their answer is its answer."""
    return Exists(Message.objects.filter(ticket=OuterRef("pk"), key__startswith=f"{CAUSED_BY_ORDERS}claim:"))


def _about_goods(order: Order) -> QuerySet[Ticket]:
    """Return the tickets that reports about this order's goods caused, the newest first."""
    return Ticket.objects.filter(caused_by_claims(), order=order)


def _write_claim_answer(answer: ClaimAnswer, now: datetime) -> None:
    """Write what was decided about lines into their ticket; orders mail it. It waits on while other lines do."""
    order = answer.order
    known = _about_goods(order).first()
    key = f"claim-answer:{answer.pk}"
    if known is None or said_before(known, key):
        return
    ticket = locked(known.pk)
    with translation.override(order.user.mail_language):
        text = what_became_of_lines(answer.kind, answer.lines, answer.replacement_id, answer.text)
    say(ticket, Message.Kind.STAFF, text, author=answer.answered_by, key=key, now=now)
    ticket.first_answer_at = ticket.first_answer_at or now
    waits = GoodsClaim.objects.filter(order=order, state=GoodsClaim.State.WAITING).exists()
    move(ticket, Ticket.State.OPEN if waits else Ticket.State.ANSWERED, now=now)


def _evidence(claims: Sequence[GoodsClaim]) -> str:
    """Return in the shop's language when the lines came and were first opened."""
    by_moments: dict[tuple[datetime, datetime], list[int]] = {}
    for claim in claims:
        by_moments.setdefault((claim.delivered_at, claim.first_opened_at), []).append(claim.line)
    with translation.override(settings.LANGUAGE_CODE):
        words = _("Lines %(lines)s: delivered %(delivered)s, first opened %(opened)s")
        said = [
            words % {"lines": spans_of(lines), "delivered": _moment(delivered), "opened": _moment(opened)}
            for (delivered, opened), lines in by_moments.items()
        ]
        until = complaint_deadline(min(claim.delivered_at for claim in claims))
        if until is not None:
            said.append(_("The supplier hears complaints until %(moment)s.") % {"moment": _moment(until)})
    return "\n".join(said)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
