"""What the buttons at a ticket do: each is one operation, done or refused with everything as it was typed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin.widgets import member_of_staff
from accounts.power import NotYourOwnMoney
from orders.lifecycle.transitions import WrongStatus
from support.admin.forms import AnswerForm, AssignForm, NoteForm
from support.models import Ticket
from support.tickets import thread
from support.tickets.refusals import TicketRefused
from support.tickets.to_supplier import mark_sent, prepare_supplier_message


@dataclass(frozen=True)
class Done:
    """What was done, in words; `leaves` the ticket for the queue."""

    text: str
    leaves: bool = False


@dataclass(frozen=True)
class Refused:
    """Nothing was done, and why; the forms as they were typed."""

    text: str
    forms: dict[str, Any] = field(default_factory=dict)


Act = Callable[[Ticket, HttpRequest], Done | Refused]


def _answer(ticket: Ticket, request: HttpRequest, *, close: bool = False) -> Done | Refused:
    form = AnswerForm(request.POST, request.FILES, ticket=ticket, newest=0)
    if not form.is_valid():
        return _with_errors("answer", form)
    asked = form.cleaned_data
    text = _("The answer has been sent.") if not close else _("The answer has been sent and the ticket is closed.")
    return _try(
        lambda: thread.answer(
            ticket.pk,
            actor=member_of_staff(request),
            text=asked["text"],
            files=asked["files"],
            close=close,
            outcome=asked.get("outcome", ""),
            after=asked["after"],
            key=asked["key"],
            now=timezone.now(),
        ),
        Done(text, leaves=True),
        {"answer": form},
    )


def _answer_and_close(ticket: Ticket, request: HttpRequest) -> Done | Refused:
    return _answer(ticket, request, close=True)


def _note(ticket: Ticket, request: HttpRequest) -> Done | Refused:
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _with_errors("note", form)
    actor = member_of_staff(request)
    return _try(
        lambda: thread.add_note(ticket.pk, actor=actor, text=form.cleaned_data["note"], now=timezone.now()),
        Done(_("The note has been added.")),
        {"note": form},
    )


def _take(ticket: Ticket, request: HttpRequest) -> Done | Refused:
    actor = member_of_staff(request)
    return _try(
        lambda: thread.assign(ticket.pk, to=actor, actor=actor, now=timezone.now()), Done(_("The ticket is yours.")), {}
    )


def _assign(ticket: Ticket, request: HttpRequest) -> Done | Refused:
    form = AssignForm(request.POST)
    if not form.is_valid():
        return _with_errors("assign", form)
    actor, to = member_of_staff(request), form.cleaned_data["to"]
    said = _("The ticket is assigned to %(name)s.") % {"name": to} if to else _("The ticket is assigned to nobody.")
    return _try(lambda: thread.assign(ticket.pk, to=to, actor=actor, now=timezone.now()), Done(said), {"assign": form})


def _close(ticket: Ticket, request: HttpRequest) -> Done | Refused:
    actor, typed = member_of_staff(request), request.POST.get("text", "").strip()
    if typed:
        form = AnswerForm(request.POST, ticket=ticket, newest=0)
        return Refused(
            _("You have typed an answer: send it, or empty the field to close without one."), {"answer": form}
        )
    return _try(
        lambda: thread.close(ticket.pk, actor=actor, now=timezone.now()), Done(_("The ticket is closed."), True), {}
    )


def _prepare(ticket: Ticket, request: HttpRequest) -> Done | Refused:
    actor = member_of_staff(request)
    return _try(
        lambda: prepare_supplier_message(ticket.pk, actor=actor, now=timezone.now()),
        Done(_("The message to the supplier is ready to be copied.")),
        {},
    )


def _sent(ticket: Ticket, request: HttpRequest) -> Done | Refused:
    number = request.POST.get("message", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise PermissionDenied
    actor = member_of_staff(request)
    return _try(
        lambda: mark_sent(ticket.pk, int(number), actor=actor, now=timezone.now()), Done(_("Marked as sent.")), {}
    )


ACTS: dict[str, Act] = {
    "answer": _answer,
    "answer_and_close": _answer_and_close,
    "note": _note,
    "take": _take,
    "assign": _assign,
    "close": _close,
    "prepare": _prepare,
    "sent": _sent,
}


def _with_errors(name: str, form: Form) -> Refused:
    return Refused(_("Nothing was sent. Please look at what is marked."), {name: form})


def _try(operation: Callable[[], Any], done: Done, forms: dict[str, Any]) -> Done | Refused:
    try:
        operation()
    except TicketRefused as refusal:
        return Refused(str(refusal), forms)
    except NotYourOwnMoney as refusal:
        return Refused(str(refusal), forms)
    except WrongStatus:
        return Refused(_("A colleague has already answered this request. Nothing was changed."), forms)
    return done
