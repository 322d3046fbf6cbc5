"""A customer's number as the page shows it: how it is dialled, and what can be done with it now."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.conf import settings

from accounts.models import User
from sms.models import Number, ReplacementRule
from sms.operations import ReplacementCandidate, can_be_replaced, candidates_for
from sms.pages.number_forms import ReplacementRuleForm
from sms.pricing import number_book

CANDIDATES_SHOWN = 3


@dataclass(frozen=True)
class NumberCard:
    """`candidates` are what the number can be replaced with now; `again_micros` buys one more code to it."""

    number: Number
    has_actions: bool = False
    can_be_replaced: bool = False
    candidates: Sequence[ReplacementCandidate] = ()
    again_micros: int | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    wrong: ReplacementRuleForm | None = None  # what was typed about this number and could not be read

    @property
    def rule(self) -> ReplacementRule | None:
        """What the customer asked to happen by itself."""
        return getattr(self.number, "replacement_rule", None)

    @cached_property
    def rule_form(self) -> ReplacementRuleForm:
        """The form that says so."""
        return self.wrong or ReplacementRuleForm(order=self.number.order)

    @property
    def replace_after_minutes(self) -> str:
        """How long a number waits before it can be replaced, `2:00`."""
        seconds = int(settings.SMS_REPLACE_AFTER_SECONDS)
        return f"{seconds // 60}:{seconds % 60:02}"


def cards_of(
    numbers: Sequence[Number], user: User, now: datetime, wrong: ReplacementRuleForm | None = None
) -> list[NumberCard]:
    """Return the cards of these numbers of one customer; a few queries, however many there are.

    The numbers come with order, project, country, website and replacement rule.
    """
    book = number_book(user)
    patient = [number for number in numbers if can_be_replaced(number, now)]
    candidates = candidates_for(patient, book) if patient else {}
    return [
        NumberCard(
            number,
            has_actions=number.order.is_open and number.cancel_requested_at is None,
            can_be_replaced=number.pk in candidates,
            candidates=candidates.get(number.pk, [])[:CANDIDATES_SHOWN],
            again_micros=book.price_micros(number.project) if _can_be_used_again(number) else None,
            wrong=wrong if wrong and wrong.order.pk == number.order_id else None,
        )
        for number in numbers
    ]


def _can_be_used_again(number: Number) -> bool:
    """Whether another code can be waited for on it; the supplier may still say no."""
    return number.state == Number.State.RECEIVED and bool(number.phone) and number.project.is_on_sale
