"""Samples of our answers to what customers ask."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications.kinds import ANSWERS
from notifications.samples import Sample
from support.models import Message, Ticket
from support.tickets.mail import words_of_answer


def _answer(reader: User) -> tuple[str, str]:
    ticket = Ticket(pk=17, user=reader, subject=gettext("It takes too long"))
    text = gettext("Your order is under way. It should be done by tonight; we keep an eye on it.")
    message = Message(pk=1, ticket=ticket, kind=Message.Kind.STAFF, text=text)
    return words_of_answer(ticket, message, became="", with_files=False)


SAMPLES = [Sample("ticket-answer", ANSWERS, _("An answer to a question"), _answer)]
