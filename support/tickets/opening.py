"""A customer asks something: a ticket begins, a rule may answer at once, otherwise the staff is told."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from orders.lifecycle.service_requests import close_request
from orders.models import Order, ServiceRequest
from support.attachments.reading import Upload
from support.first_answers.moments_in_text import in_words
from support.first_answers.verdicts import Verdict, verdict_of
from support.models import Message, SupplierMessage, Ticket
from support.tickets.limits import CAUSED_BY_ORDERS, check_day, check_new_ticket, lock_customer
from support.tickets.mail import tell_of_answer, tell_staff
from support.tickets.messages import checked_files, checked_text, move, say
from support.tickets.outcomes import LONGEST_OUTCOME, outcome_key
from support.tickets.refusals import TicketRefused
from upstream.reading.text import line, shortened
from wallet.models import TopUp

LONGEST_SUBJECT = 150
SUBJECT_FROM_TEXT = 80
_SENTENCE = re.compile(r".{12,}?[.?!…](?=\s)")
REASONS_OF_REQUESTS = {
    ServiceRequest.Kind.REFILL: Ticket.Reason.REFILL,
    ServiceRequest.Kind.CANCEL: Ticket.Reason.CANCEL,
}


def open_ticket(
    *,
    user: User,
    reason: str,
    text: str,
    subject: str = "",
    order: Order | None = None,
    top_up: TopUp | None = None,
    request: ServiceRequest | None = None,
    files: Iterable[Upload] = (),
    key: str = "",
    now: datetime,
) -> Ticket:
    """Open a customer's ticket and return it, answered already where a rule has an answer.

    `subject` is made of the text's beginning where there is none. With the `key` of an earlier one (a form's random
    text) that one is returned and nothing is written. A ticket of a `request`, and one whose key begins with
    CAUSED_BY_ORDERS, does not count towards the limits: there was one for what caused it.
    Raises TicketRefused for text, files or numbers that we don't take, Order.DoesNotExist and TopUp.DoesNotExist for
    what is another customer's, ValueError for an unknown reason.
    """
    reason = Ticket.Reason(reason)
    if order is not None and order.user_id != user.pk:
        raise Order.DoesNotExist(order.pk)
    if top_up is not None and top_up.user_id != user.pk:
        raise TopUp.DoesNotExist(top_up.pk)
    text, files = checked_text(text), list(files)
    known = _known(user, key, request)
    if known is not None:
        return known
    subject = line(subject) or _first_words(text)
    if len(subject) > LONGEST_SUBJECT:
        raise TicketRefused(_("Use at most %(count)d characters.") % {"count": LONGEST_SUBJECT}, "subject")
    limited = request is None and not key.startswith(CAUSED_BY_ORDERS)
    if files and limited:
        _check_limits(user, 1, now)  # before anything is drawn
    read = checked_files(files)
    with transaction.atomic():
        lock_customer(user)
        known = _known(user, key, request)
        if known is not None:
            return known
        if limited:
            _check_limits(user, sum(len(file.data) for file in read), now)
        ticket = Ticket.objects.create(
            user=user,
            order=order,
            top_up=top_up,
            request=request,
            reason=reason,
            subject=subject,
            created_at=now,
            changed_at=now,
            waiting_since=now,
            seen_at=now,
        )
        say(ticket, Message.Kind.CUSTOMER, text, author=user, files=read, key=key, now=now)
        _answer_at_once(ticket, text, now)
    return ticket


def open_for_request(request: ServiceRequest, *, now: datetime) -> Ticket:
    """Open the ticket of a request for a refill or a cancel; return it, or the one there is."""
    known = _known(request.order.user, "", request)
    if known is not None:
        return (
            known  # without the customer's lock: whoever closes a request holds it, and comes after a customer's reply
        )
    order = request.order
    with translation.override(order.user.mail_language):
        if request.kind == ServiceRequest.Kind.REFILL:
            subject, text = _("Refill of order #%(number)s"), _("Please refill order #%(number)s.")
        else:
            subject, text = _("Cancel order #%(number)s"), _("Please cancel order #%(number)s.")
    number = {"number": order.pk}
    return open_ticket(
        user=order.user,
        reason=REASONS_OF_REQUESTS[ServiceRequest.Kind(request.kind)],
        text=text % number,
        subject=subject % number,
        order=order,
        request=request,
        key=f"{CAUSED_BY_ORDERS}request:{request.pk}",
        now=now,
    )


def _first_words(text: str) -> str:
    """Return the first sentence of a text, or as many of its words as a subject takes."""
    first = line(text.split("\n", 1)[0])
    sentence = _SENTENCE.match(first)
    if sentence and len(sentence[0]) <= SUBJECT_FROM_TEXT:
        return sentence[0]
    if len(first) <= SUBJECT_FROM_TEXT:
        return first
    words = first[:SUBJECT_FROM_TEXT].rpartition(" ")[0]
    return f"{words}…" if words else shortened(first, SUBJECT_FROM_TEXT)


def _check_limits(user: User, new_bytes: int, now: datetime) -> None:
    check_new_ticket(user, now=now)
    check_day(user, new_bytes, now=now)


def _known(user: User, key: str, request: ServiceRequest | None) -> Ticket | None:
    if request is not None:
        return Ticket.objects.filter(request=request).first()
    if not key:
        return None
    said = Message.objects.filter(author=user, kind=Message.Kind.CUSTOMER, key=key, ticket__user=user)
    message = said.select_related("ticket").first()
    return message.ticket if message else None


def _answer_at_once(ticket: Ticket, text: str, now: datetime) -> None:
    """Let a rule answer, or tell the staff. A request that was closed before has its outcome already."""
    request = ticket.request
    open_request = request if request is not None and request.state == ServiceRequest.State.OPEN else None
    if request is not None and open_request is None:
        return
    verdict = verdict_of(ticket, now)
    if verdict is None:
        tell_staff(ticket, text, now=now)
        return
    closes = open_request if verdict.state in (Ticket.State.ANSWERED, Ticket.State.CLOSED) else None
    _apply(ticket, verdict, closes, now)
    if verdict.state == Ticket.State.OPEN:
        tell_staff(ticket, text, now=now)


def _apply(ticket: Ticket, verdict: Verdict, closes: ServiceRequest | None, now: datetime) -> None:
    if verdict.text:
        key = outcome_key(closes.pk) if closes else f"rule:{verdict.rule.code}"
        message = say(ticket, Message.Kind.RULE, verdict.text, rule=verdict.rule, key=key, now=now)
        tell_of_answer(ticket, message, now=now)
    if verdict.note:
        say(ticket, Message.Kind.NOTE, verdict.note, rule=verdict.rule, now=now)
    if verdict.supplier_text:
        SupplierMessage.objects.create(ticket=ticket, text=verdict.supplier_text, created_at=now)
    move(ticket, Ticket.State(verdict.state), comes_back_at=verdict.comes_back_at, now=now)
    if closes is not None:
        # Its listener finds the outcome said already, by the key.
        close_request(
            closes.pk,
            state=ServiceRequest.State.DECLINED,
            answer=shortened(line(in_words(verdict.text)), LONGEST_OUTCOME),
            actor=None,
            now=now,
        )
