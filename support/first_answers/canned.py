"""Texts that staff answers with: what they may name, and how one looks for a ticket."""

from django.conf import settings
from django.db.models import Case, QuerySet, Value, When
from django.utils import translation

from accounts.templatetags.money import money
from preferences.face import STORE_NAME
from support.first_answers.asked import count
from support.first_answers.wording import fill
from support.models import CannedAnswer, Ticket

# In the order in which the admin lists them; docs/support.md says what each is.
NAMES = ("name", "email", "ticket", "order", "item", "link", "quantity", "price", "refunded", "payment", "store")


def filled_in(answer: CannedAnswer, ticket: Ticket) -> str:
    """Return the answer in the language of the ticket's customer, with everything filled in that is known.

    Without a text in that language it is the one in the shop's own, or any there is.
    """
    language = ticket.user.mail_language
    texts = {code: text for code, text in answer.texts.items() if text}
    text = texts.get(language) or texts.get(settings.LANGUAGE_CODE) or next(iter(texts.values()), "")
    with translation.override(language):
        return fill(text, values_of(ticket))


def values_of(ticket: Ticket) -> dict[str, str]:
    """Return what the placeholders stand for, in the active language; "" for what the ticket is not about."""
    user, order, top_up = ticket.user, ticket.order, ticket.top_up
    values = {
        "name": user.email.partition("@")[0],
        "email": user.email,
        "ticket": f"#{ticket.pk}",
        "payment": top_up.reference if top_up is not None else "",
        "store": str(STORE_NAME.value),
    }
    if order is not None:
        values |= {
            "order": f"#{order.pk}",
            "item": order.shown_title,
            "link": order.link,
            "quantity": count(order.quantity),
            "price": money(order.price_micros),
            "refunded": money(order.refunded_micros),
        }
    return {name: values.get(name, "") for name in NAMES}


def offered_for(ticket: Ticket) -> QuerySet[CannedAnswer]:
    """Return the canned answers in use, those for the ticket's reason first."""
    active = CannedAnswer.objects.filter(active=True)
    fitting = [answer.pk for answer in active if ticket.reason in answer.reasons]
    return active.alias(fits=Case(When(pk__in=fitting, then=Value(0)), default=Value(1))).order_by("fits", "name")
