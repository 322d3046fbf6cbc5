"""Texts that staff answers with: what they may name, and how one looks for a ticket."""

from django.conf import settings
from django.utils import translation

from accounts.templatetags.money import money
from preferences.face import STORE_NAME
from support.first_answers.asked import count
from support.first_answers.wording import fill, names_in
from support.models import CannedAnswer, Ticket

# In the order in which the admin lists them; docs/support.md says what each is.
NAMES = ("name", "email", "ticket", "order", "item", "link", "quantity", "price", "refunded", "payment", "store")


def offered_for(ticket: Ticket) -> list[tuple[CannedAnswer, str]]:
    """Return the answers in use with their texts, filled in for this ticket; those for its reason come first.

    An answer that names what the ticket is not about, like a payment, is not offered.
    """
    language = ticket.user.mail_language
    with translation.override(language):
        values = values_of(ticket)
    found = []
    for answer in CannedAnswer.objects.filter(active=True).order_by("name"):
        text = _text_of(answer, language)
        if text and all(values[name] for name in names_in(text) if name in values):
            found.append((answer, fill(text, values)))
    return sorted(found, key=lambda pair: ticket.reason not in pair[0].reasons)


def _text_of(answer: CannedAnswer, language: str) -> str:
    """Return the text in a language, else in the shop's own, else any there is."""
    texts = {code: text for code, text in answer.texts.items() if text}
    return texts.get(language) or texts.get(settings.LANGUAGE_CODE) or next(iter(texts.values()), "")


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
