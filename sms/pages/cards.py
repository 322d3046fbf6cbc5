"""A customer's number as the page shows it: how it is dialled, and what can be done with it now."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone

from accounts.models import User
from sms.models import Number, ReplacementRule
from sms.operations import ReplacementCandidate, can_be_replaced, candidates_for
from sms.pages.number_forms import ReplacementRuleForm
from sms.preferences import REPLACED_AFTER
from sms.pricing import number_book

CANDIDATES_SHOWN = 3
# What has had its code, or got none, stays in sight for so long, and is folded away then.
IN_SIGHT = timedelta(minutes=10)


@dataclass(frozen=True)
class NumberCard:
    """`candidates` are what the number can be replaced with now; `again_micros` buys one more code to it.

    What `is_done` is folded away: nothing will happen to it any more, and there was time to read it.
    """

    number: Number
    has_actions: bool = False
    can_be_replaced: bool = False
    candidates: Sequence[ReplacementCandidate] = ()
    again_micros: int | None = None
    is_done: bool = False
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
    def best(self) -> ReplacementCandidate | None:
        """What it is replaced with unless its customer chooses."""
        return self.candidates[0] if self.candidates else None

    @property
    def others(self) -> Sequence[ReplacementCandidate]:
        """What else it can be replaced with."""
        return self.candidates[1:]

    @property
    def patience_seconds(self) -> int:
        """How long it still has to wait before it can be replaced."""
        since = self.number.order.sent_at or self.number.created_at
        ripe_at = since + REPLACED_AFTER.value
        return max(0, int((ripe_at - timezone.now()).total_seconds()))

    @property
    def patience(self) -> str:
        """The same as minutes and seconds, `2:00`."""
        return f"{self.patience_seconds // 60}:{self.patience_seconds % 60:02}"


def is_done(number: Number, now: datetime, *, in_use: int = 0) -> bool:
    """Whether a number is folded away; the one of the order `in_use`, which its reader is at, is not."""
    ended_at = number.received_at or number.order.finished_at
    over = number.state not in (Number.State.ORDERED, Number.State.WAITING) and not number.order.is_open
    return over and ended_at is not None and now >= ended_at + IN_SIGHT and number.order_id != in_use


def cards_of(
    numbers: Sequence[Number],
    user: User,
    now: datetime,
    *,
    in_use: int = 0,
    wrong: ReplacementRuleForm | None = None,
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
            is_done=is_done(number, now, in_use=in_use),
            wrong=wrong if wrong and wrong.order.pk == number.order_id else None,
        )
        for number in numbers
    ]


def _can_be_used_again(number: Number) -> bool:
    """Whether another code can be waited for on it; the supplier may still say no."""
    return number.state == Number.State.RECEIVED and bool(number.phone) and number.project.is_on_sale
