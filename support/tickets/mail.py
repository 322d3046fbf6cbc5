"""Who is told what of a ticket: its customer of every answer, the admins once that somebody has to look."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from notifications.kinds import ANSWERS, ASKED_FOR
from notifications.outbox import tell_admins, tell_customer
from support.first_answers.moments_in_text import in_words
from support.models import Message, Ticket
from upstream.reading.text import shortened

LONGEST_IN_MAIL = 2_000


def tell_of_answer(ticket: Ticket, message: Message, *, became: str = "", now: datetime) -> None:
    """Tell an answer to who asked, by the channels they chose for answers.

    `became` says before it what became of a request, in the customer's language.
    """
    user = ticket.user
    path = reverse("support:ticket", args=[ticket.pk])
    key = f"{ASKED_FOR}ticket:{ticket.pk}:{message.pk}"
    with translation.override(user.mail_language):
        subject, body = words_of_answer(ticket, message, became=became, with_files=message.attachments.exists())
        tell_customer(user, key, subject, body, now, kind=ANSWERS, url=path)


def words_of_answer(ticket: Ticket, message: Message, *, became: str, with_files: bool) -> tuple[str, str]:
    """Return subject and text by which the customer is told the answer, in the language that is active."""
    address = settings.SITE_URL + reverse("support:ticket", args=[ticket.pk])
    said = in_words(message.text) if message.kind == Message.Kind.RULE else message.text
    body = [text for text in (became, shortened(said, LONGEST_IN_MAIL)) if text]
    if with_files:
        body.append(_("We have attached files. You can download them on the page of your question."))
    body.append(_("Reply here: %(address)s") % {"address": address})
    return _("Our answer: %(subject)s") % {"subject": ticket.subject}, "\n\n".join(body)


def tell_staff(ticket: Ticket, text: str, *, now: datetime) -> None:
    """Mail the admins that a human has to look at a ticket: once, however often it opens."""
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Ticket #%(number)s: %(reason)s") % {"number": ticket.pk, "reason": ticket.get_reason_display()}
        about = [ticket.order.title] if ticket.order is not None else []
        page = f"{settings.ADMIN_URL}{reverse('admin:index')}support/ticket/{ticket.pk}/change/"
        body = "\n".join([*about, ticket.user.email, "", shortened(text, LONGEST_IN_MAIL)])
        tell_admins(f"ticket:{ticket.pk}", subject, f"{body}\n\n{page}", now)
