"""The page of one ticket: what was said, what is known beside it, and the forms; as the template is given it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe

from orders.models import load_sold
from support.admin.evidence import evidence_of, others_of
from support.admin.forms import AnswerForm, AssignForm, NoteForm
from support.first_answers.asked import Asked
from support.first_answers.canned import offered_for
from support.first_answers.moments_in_text import in_html
from support.first_answers.rules import RULES
from support.first_answers.supplier_text import supplier_text
from support.models import Message, Ticket

Kind = Message.Kind
# Notes are what no customer reads: nobody should take one for an answer.
LOOKS = {
    Kind.NOTE: "bg-orange-100 dark:bg-orange-500/20",
    Kind.CUSTOMER: "bg-white dark:bg-base-900",
}
OTHER_LOOK = "bg-base-50 dark:bg-base-800"


@dataclass(frozen=True)
class Said:
    """A message as it is shown: by whom, when, in which frame."""

    message: Message
    who: str
    text: SafeString
    files: list[Any]

    @property
    def look(self) -> str:
        """The theme's classes for its frame."""
        return LOOKS.get(Kind(self.message.kind), OTHER_LOOK)

    @classmethod
    def of(cls, message: Message) -> "Said":
        if message.kind == Kind.RULE:
            rule = RULES.get(message.rule.code) if message.rule else None
            who = str(rule.title) if rule else str(message.get_kind_display())
        else:
            who = message.author.email if message.author else str(message.get_kind_display())
        html = mark_safe(linebreaks(message.text, autoescape=True))  # noqa: S308 - it escapes
        text = in_html(html) if message.kind in (Kind.RULE, Kind.NOTE) else html
        return cls(message, who, text, list(message.attachments.all()))


def page_of(
    ticket: Ticket, request: HttpRequest, *, may_answer: bool, now: datetime, forms: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the context; `forms` are those that came back with errors, by name."""
    messages = list(ticket.messages.select_related("author", "rule").prefetch_related("attachments").order_by("pk"))
    newest = max((one.pk for one in messages if one.kind != Kind.NOTE), default=0)
    if ticket.order is not None:
        load_sold([ticket.order])
    shown: dict[str, Any] = {
        "answer": AnswerForm(ticket=ticket, newest=newest),
        "note": NoteForm(),
        "assign": AssignForm(initial={"to": ticket.assignee_id}),
        **(forms or {}),
    }
    return {
        "ticket": ticket,
        "thread": [Said.of(message) for message in messages],
        "evidence": evidence_of(ticket, request, now=now),
        "others": others_of(ticket),
        "supplier": _to_supplier(ticket, may_answer=may_answer, now=now),
        "canned": offered_for(ticket),
        "forms": shown,
        "may_answer": may_answer,
        "own": ticket.user_id == request.user.pk,
    }


def _to_supplier(ticket: Ticket, *, may_answer: bool, now: datetime) -> dict[str, Any]:
    """Another message can be prepared once those before it are sent."""
    messages = list(ticket.supplier_messages.select_related("sent_by"))
    all_sent = all(one.sent_at for one in messages)
    may_prepare = may_answer and all_sent and bool(supplier_text(Asked(ticket, now)))
    return {"messages": messages, "may_answer": may_answer, "may_prepare": may_prepare}
