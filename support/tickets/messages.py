"""Putting something into a ticket, and moving it from state to state; each within its caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from orders.models import ServiceRequest
from support.attachments.reading import ReadFile, Upload, read_files
from support.attachments.refusals import FileRefused
from support.attachments.storing import keep_files
from support.models import FirstAnswerRule, Message, Ticket
from support.tickets.limits import LONGEST_TEXT
from support.tickets.refusals import TicketRefused
from upstream.reading.text import paragraphs

State = Ticket.State
Kind = Message.Kind
MOVED = ("state", "waiting_since", "comes_back_at", "closed_at", "closed_by", "changed_at", "first_answer_at")


def checked_text(text: str, *, field: str = "text") -> str:
    """Return a text as it is kept. Raises TicketRefused for none, and for one that is too long."""
    kept = paragraphs(text)
    if not kept:
        raise TicketRefused(_("Write a few words."), field)
    if len(kept) > LONGEST_TEXT:
        raise TicketRefused(_("Use at most %(count)d characters.") % {"count": LONGEST_TEXT}, field)
    return kept


def checked_files(files: Iterable[Upload]) -> Sequence[ReadFile]:
    """Return the files as they are kept. Raises TicketRefused for what is not taken."""
    try:
        return read_files(files)
    except FileRefused as refusal:
        raise TicketRefused(str(refusal), "files") from None


def locked(ticket_id: int, *, user: User | None = None) -> Ticket:
    """Return a ticket that nobody else changes until the transaction ends; of this customer, if one is given.

    Raises Ticket.DoesNotExist.
    """
    own = Ticket.objects.filter(pk=ticket_id) if user is None else Ticket.objects.filter(pk=ticket_id, user=user)
    request_id = own.values_list("request", flat=True).first()
    if request_id is not None:
        # As whoever closes a request holds it first and its ticket then.
        ServiceRequest.objects.select_for_update(no_key=True).filter(pk=request_id).values_list("pk").first()
    tickets = own.select_for_update(of=("self",), no_key=True)
    return tickets.select_related("user", "order", "top_up", "request").get()


def say(
    ticket: Ticket,
    kind: Kind,
    text: str,
    *,
    now: datetime,
    author: User | None = None,
    rule: FirstAnswerRule | None = None,
    files: Sequence[ReadFile] = (),
    key: str = "",
) -> Message:
    """Add a message; its text and files have been checked."""
    message = Message.objects.create(
        ticket=ticket, kind=kind, text=text, author=author, rule=rule, key=key, created_at=now
    )
    keep_files(message, files, now=now)
    return message


def said_before(ticket: Ticket, key: str) -> bool:
    """Whether a message with this key is in the ticket already; never without a key."""
    return bool(key) and ticket.messages.filter(key=key).exists()


def move(
    ticket: Ticket, to: State, *, now: datetime, by: User | None = None, comes_back_at: datetime | None = None
) -> None:
    """Put the ticket, which is locked or new, into a state, with the moments that belong to it.

    Who waits already goes on waiting since then: asking again is no reason to be answered later.
    """
    if to != State.OPEN:
        ticket.waiting_since = None
    elif ticket.state != State.OPEN or ticket.waiting_since is None:
        ticket.waiting_since = now
    ticket.state, ticket.changed_at = to, now
    ticket.comes_back_at = comes_back_at if to == State.WATCHED else None
    ticket.closed_at, ticket.closed_by = (now, by) if to == State.CLOSED else (None, None)
    ticket.save(update_fields=MOVED)
