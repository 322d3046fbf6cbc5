"""A customer's number as the page shows it: how it is dialled, and what can be done with it now."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.conf import settings

from accounts.models import User
from sms.models import Number, SwapRule
from sms.operations import Exchange, exchanges_of, may_be_swapped
from sms.pages.number_forms import SwapRuleForm
from sms.pricing import number_book

EXCHANGES_SHOWN = 3


@dataclass(frozen=True)
class NumberCard:
    """`exchanges` is what the number can be exchanged for now; `again_micros` buys another code to the same number."""

    number: Number
    open_for_wishes: bool = False
    may_be_swapped: bool = False
    exchanges: Sequence[Exchange] = ()
    again_micros: int | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def rule(self) -> SwapRule | None:
        """What the customer wished to happen by itself."""
        return getattr(self.number, "swap_rule", None)

    @cached_property
    def rule_form(self) -> SwapRuleForm:
        """The form that says so."""
        return SwapRuleForm(order=self.number.order)

    @property
    def swap_after_minutes(self) -> str:
        """How long a number waits before it can be exchanged, `2:00`."""
        seconds = int(settings.SMS_SWAP_AFTER_SECONDS)
        return f"{seconds // 60}:{seconds % 60:02}"


def cards_of(numbers: Sequence[Number], user: User, now: datetime) -> list[NumberCard]:
    """Return the cards of these numbers of one customer; a few queries, however many there are.

    The numbers come with order, project, country, website and swap rule.
    """
    book = number_book(user)
    patient = [number for number in numbers if may_be_swapped(number, now)]
    exchanges = exchanges_of(patient, book) if patient else {}
    return [
        NumberCard(
            number,
            open_for_wishes=number.order.is_open and number.given_up_at is None,
            may_be_swapped=number.pk in exchanges,
            exchanges=exchanges.get(number.pk, [])[:EXCHANGES_SHOWN],
            again_micros=book.price_micros(number.project) if _can_be_used_again(number) else None,
        )
        for number in numbers
    ]


def _can_be_used_again(number: Number) -> bool:
    """Whether another code can be waited for on it; the supplier may still say no."""
    return number.state == Number.State.RECEIVED and bool(number.phone) and number.project.is_on_sale
