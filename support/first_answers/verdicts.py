"""What a rule says to a question, if one of them has an answer."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import translation

from support.first_answers.asked import Asked
from support.first_answers.checks import CHECKS
from support.first_answers.rules import RULES
from support.first_answers.wording import fill
from support.models import FirstAnswerRule, Ticket


@dataclass(frozen=True)
class Verdict:
    """A rule's answer, in the customer's language, and what becomes of the ticket.

    `comes_back_at` is set for tickets that are watched. `supplier_text` and `note` are for staff, "" without any.
    """

    rule: FirstAnswerRule
    text: str
    state: Ticket.State
    comes_back_at: datetime | None = None
    supplier_text: str = ""
    note: str = ""


def verdict_of(ticket: Ticket, now: datetime) -> Verdict | None:
    """Return what the first rule that fits says, None where a human has to answer. Reads, and changes nothing.

    A rule that is switched off, or has no row, never answers.
    """
    checks = CHECKS.get(ticket.reason, ())
    if not checks:
        return None
    asked = Asked(ticket, now)
    rows = {row.code: row for row in FirstAnswerRule.objects.filter(active=True)}
    with translation.override(ticket.user.mail_language):
        for check in checks:
            rule = rows.get(check.__name__)
            found = check(asked, rule) if rule is not None else None
            if rule is not None and found is not None:
                text = fill(wording_of(rule, ticket.user.mail_language), found.values)
                return Verdict(rule, text, found.state, found.comes_back_at, found.supplier_text, found.note)
    return None


def wording_of(rule: FirstAnswerRule, language: str) -> str:
    """Return the rule's text in a language: the owner's, else the one it ships with; placeholders are not filled in."""
    own = rule.texts.get(language)
    if own:
        return str(own)
    with translation.override(language):
        return str(RULES[rule.code].text)
