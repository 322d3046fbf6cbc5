"""What became of a request for a refill or a cancel, as its ticket says it: once, whoever decided."""

from datetime import datetime

from django.utils import translation

from orders.lifecycle.service_requests import what_became_of
from orders.models import ServiceRequest
from support.models import Message, Ticket
from support.tickets.messages import say

LONGEST_OUTCOME = 300  # as an order's page shows it; the ticket has the whole


def outcome_key(request_id: int) -> str:
    """Return the key of the message that says what became of a request."""
    return f"request:{request_id}:closed"


def say_outcome(ticket: Ticket, request: ServiceRequest, state: str, *, now: datetime) -> str:
    """Say in the ticket what became of its request; return it, in the customer's language."""
    with translation.override(ticket.user.mail_language):
        words = what_became_of(request.kind, state, "")
    say(ticket, Message.Kind.EVENT, words, key=outcome_key(request.pk), now=now)
    return words
