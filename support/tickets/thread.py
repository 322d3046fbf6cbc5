"""What is said and decided in a ticket after it was opened, by its customer and by the staff."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.batches import batches
from accounts.models import User
from orders.lifecycle.service_requests import close_request
from orders.models import ServiceRequest
from support.attachments.reading import Upload
from support.models import Message, Ticket
from support.tickets.limits import check_day, lock_customer
from support.tickets.mail import tell_of_answer, tell_staff
from support.tickets.messages import checked_files, checked_text, locked, move, said_before, say
from support.tickets.outcomes import LONGEST_OUTCOME, outcome_key, say_outcome
from support.tickets.refusals import TicketRefused
from support.tickets.settled import STOPPED, is_settled
from upstream.reading.text import line, paragraphs, shortened

log = structlog.get_logger(__name__)
State = Ticket.State
Kind = Message.Kind
REOPENS_WITHIN = timedelta(days=7)
TRIED_AGAIN_AFTER = timedelta(hours=1)
LONGEST_RATING_TEXT = 500


def reopens_until(ticket: Ticket) -> datetime | None:
    """Return until when its customer can write into a ticket; None: as long as they like."""
    over = ticket.state in (State.ANSWERED, State.CLOSED)
    # Not since it was closed: what closes itself a week after its answer doesn't begin another week.
    return ticket.changed_at + REOPENS_WITHIN if over else None


def write_again(
    ticket_id: int, *, user: User, text: str, files: Iterable[Upload] = (), key: str = "", now: datetime
) -> Ticket:
    """Add what the customer says to their own ticket, which waits for us again; return it.

    A known `key` writes nothing. Raises Ticket.DoesNotExist for anybody else's, TicketRefused for text and files that
    we don't take, and for a ticket that was answered or closed more than a week ago.
    """
    text, files = checked_text(text), list(files)
    if files:  # before anything is drawn, which takes far longer than a look
        ticket = Ticket.objects.get(pk=ticket_id, user=user)
        if said_before(ticket, key):
            return ticket
        _refuse_over(ticket, now)
        check_day(user, 1, now=now)
    read = checked_files(files)
    with transaction.atomic():
        lock_customer(user)
        ticket = locked(ticket_id, user=user)
        if said_before(ticket, key):
            return ticket
        _refuse_over(ticket, now)
        check_day(user, sum(len(file.data) for file in read), now=now)
        say(ticket, Kind.CUSTOMER, text, author=user, files=read, key=key, now=now)
        move(ticket, State.OPEN, now=now)
        Ticket.objects.filter(pk=ticket.pk).update(seen_at=now)
        tell_staff(ticket, text, now=now)
    return ticket


def answer(
    ticket_id: int,
    *,
    actor: User,
    text: str,
    files: Iterable[Upload] = (),
    close: bool = False,
    outcome: str = "",
    after: int | None = None,
    key: str = "",
    now: datetime,
) -> Ticket:
    """Answer as a member of the staff, mail it to the customer, and return the ticket.

    `outcome` answers the open request of the ticket in the same step: ServiceRequest.State.DONE or DECLINED. Without
    one a request stays open, and so does its ticket, whatever was said: somebody has to decide still. `after` is the
    id of the newest message that the writer has seen. A known `key` writes nothing.
    Raises Ticket.DoesNotExist; TicketRefused for text and files that we don't take, for one's own ticket, for closing
    with a request open, for an outcome where none is open, and when somebody has written since `after`;
    NotYourOwnMoney for a request of a referral relation.
    """
    text, read = checked_text(text), checked_files(files)
    with transaction.atomic():
        ticket = locked(ticket_id)
        if said_before(ticket, key):
            return ticket
        _refuse_own(ticket, actor)
        _refuse_overtaken(ticket, after)
        request = ticket.request if _decides(ticket) else None
        if outcome and request is None:
            raise TicketRefused(_("A colleague has already answered this request. Nothing was changed."), "outcome")
        if close and request is not None and not outcome:
            raise TicketRefused(_("Say first what becomes of the request: done or declined."), "outcome")
        became = say_outcome(ticket, request, outcome, now=now) if request is not None and outcome else ""
        message = say(ticket, Kind.STAFF, text, author=actor, files=read, key=key, now=now)
        ticket.first_answer_at = ticket.first_answer_at or now
        to = State.OPEN if request is not None and not outcome else State.CLOSED if close else State.ANSWERED
        move(ticket, to, now=now, by=actor)
        tell_of_answer(ticket, message, became=became, now=now)
        if request is not None and outcome:
            # Its listener finds the outcome said already, by the key.
            close_request(
                request.pk, state=outcome, answer=shortened(line(text), LONGEST_OUTCOME), actor=actor, now=now
            )
    return ticket


def add_note(ticket_id: int, *, actor: User, text: str, now: datetime) -> Message:
    """Add a note that only the staff reads; nothing else changes. Raises Ticket.DoesNotExist, TicketRefused."""
    text = checked_text(text)
    with transaction.atomic():
        return say(locked(ticket_id), Kind.NOTE, text, author=actor, now=now)


def assign(ticket_id: int, *, to: User | None, actor: User, now: datetime) -> Ticket:
    """Let one of the staff see to a ticket, or nobody in particular; return it.

    A note says who gave it to whom. Raises Ticket.DoesNotExist, TicketRefused for who is not of the staff.
    """
    if to is not None and not (to.is_active and to.is_staff):
        raise TicketRefused(_("Tickets are seen to by the staff."), "assignee")
    with transaction.atomic():
        ticket = locked(ticket_id)
        if ticket.assignee_id != (to.pk if to else None):
            ticket.assignee = to
            ticket.save(update_fields=["assignee"])
            words = _("Assigned to %(name)s.") % {"name": to.email} if to else _("Assigned to nobody.")
            say(ticket, Kind.NOTE, words, author=actor, now=now)
    return ticket


def close(ticket_id: int, *, actor: User, now: datetime) -> Ticket:
    """Close a ticket without a word more; return it.

    Raises Ticket.DoesNotExist, TicketRefused for one that is closed, is one's own or has an open request.
    """
    with transaction.atomic():
        ticket = locked(ticket_id)
        _refuse_own(ticket, actor)
        if ticket.state == State.CLOSED:
            raise TicketRefused(_("A colleague has already closed this ticket. Nothing was changed."))
        if _decides(ticket):
            raise TicketRefused(_("Say first what becomes of the request: done or declined."), "outcome")
        with translation.override(ticket.user.mail_language):
            say(ticket, Kind.EVENT, _("We have closed this question."), now=now)
        move(ticket, State.CLOSED, now=now, by=actor)
    return ticket


def come_back(*, now: datetime) -> int:
    """See to the watched tickets whose time has passed; return how many.

    Where what one is about is still unsettled, it waits for the staff; else it closes with a word, and so does its
    request. One that can't be seen to is logged and tried again later, behind the others. Goes on with the next run
    where there are many.
    """
    due = Ticket.objects.filter(state=State.WATCHED, comes_back_at__lte=now).order_by("comes_back_at")
    seen = 0
    for ids in batches(due):
        for pk in ids:
            try:
                seen += _see_to(pk, now)
            except Exception:  # whatever is wrong with one of them, the others have waited long enough
                log.exception("ticket_not_brought_back", ticket_id=pk)
                due.filter(pk=pk).update(comes_back_at=now + TRIED_AGAIN_AFTER)
    return seen


def _see_to(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        ticket = locked(pk)
        if ticket.state != State.WATCHED or ticket.comes_back_at is None or ticket.comes_back_at > now:
            return False  # another worker was faster, or its customer has written
        _come_back(ticket, now)
    return True


def close_answered(*, now: datetime) -> int:
    """Close tickets whose answer nobody has replied to for as long as they could; return how many."""
    silent = Ticket.objects.filter(state=State.ANSWERED, changed_at__lt=now - REOPENS_WITHIN)
    return sum(silent.filter(pk__in=ids).update(state=State.CLOSED, closed_at=now) for ids in batches(silent))


def rate(ticket_id: int, *, user: User, rating: int, text: str, now: datetime) -> Ticket:
    """Keep what a customer says of the answer to their own ticket, in place of what they said before; return it.

    Raises Ticket.DoesNotExist for anybody else's, ValueError for an unknown rating, TicketRefused for one that waits
    for us and a text that is too long.
    """
    rating, text = Ticket.Rating(rating), paragraphs(text)
    if len(text) > LONGEST_RATING_TEXT:
        raise TicketRefused(_("Use at most %(count)d characters.") % {"count": LONGEST_RATING_TEXT}, "rating_text")
    with transaction.atomic():
        ticket = locked(ticket_id, user=user)
        if ticket.state not in (State.ANSWERED, State.CLOSED):
            raise TicketRefused(_("We haven't answered yet."))
        ticket.rating, ticket.rating_text, ticket.rated_at = rating, text, now
        ticket.save(update_fields=["rating", "rating_text", "rated_at"])
    return ticket


def _come_back(ticket: Ticket, now: datetime) -> None:
    settled = is_settled(ticket)
    with translation.override(ticket.user.mail_language):
        words = (
            _("It is settled, so we have closed this question.")
            if settled
            else _("The time we named has passed. Our team is looking into it.")
        )
    request = ticket.request if _decides(ticket) else None
    ended = settled and request is not None
    key = outcome_key(request.pk) if ended and request is not None else ""
    say(ticket, Kind.EVENT, words, key=key, now=now)
    move(ticket, State.CLOSED if settled else State.OPEN, now=now)
    if ended and request is not None:
        stopped = ticket.order is not None and ticket.order.status in STOPPED
        state = ServiceRequest.State.DONE if stopped else ServiceRequest.State.DECLINED
        close_request(request.pk, state=state, answer=words, actor=None, now=now)
    if not settled:
        tell_staff(ticket, words, now=now)


def _decides(ticket: Ticket) -> bool:
    """Whether the staff still has to decide about a request."""
    return ticket.request is not None and ticket.request.state == ServiceRequest.State.OPEN


def _refuse_over(ticket: Ticket, now: datetime) -> None:
    until = reopens_until(ticket)
    if until is not None and now > until:
        raise TicketRefused(_("This was answered more than a week ago. Please ask a new question."))


def _refuse_own(ticket: Ticket, actor: User) -> None:
    if ticket.user_id == actor.pk:
        raise TicketRefused(_("This is your own question: a colleague has to answer it."))


def _refuse_overtaken(ticket: Ticket, after: int | None) -> None:
    if after is None:
        return
    newer = ticket.messages.filter(pk__gt=after).exclude(kind=Kind.NOTE).last()
    if newer is None:
        return
    if newer.kind == Kind.CUSTOMER:
        raise TicketRefused(_("The customer has written meanwhile. Read that first; nothing was sent."))
    raise TicketRefused(_("A colleague has answered meanwhile. Nothing was sent."))
