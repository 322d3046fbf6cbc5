"""What a rule says to a ticket before a human sees it."""

from dataclasses import dataclass
from datetime import datetime

from support.models import FirstAnswerRule, Ticket


@dataclass(frozen=True)
class Verdict:
    """The answer of a rule, in the customer's language; `supplier_text` is what the supplier should be told, or ""."""

    rule: FirstAnswerRule
    text: str
    state: Ticket.State
    comes_back_at: datetime | None
    supplier_text: str = ""


def verdict_of(ticket: Ticket, now: datetime) -> Verdict | None:
    """Return what a rule answers to this ticket, None where a human has to look."""
    return None
