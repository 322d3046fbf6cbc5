"""What the pages of a report about goods show: its lines, and what an answer would do to whose money."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from orders.claims.terms import Terms, paid_order, terms_of
from orders.lifecycle.complaints import complaint_deadline
from orders.lifecycle.goods import masked_lines
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.own_orders import refuse_own_order
from orders.models import ClaimAnswer, GoodsClaim, Order
from wallet.models import MoneyRequest
from wallet.operations.second_person import moved_alone

Kind = ClaimAnswer.Kind


@dataclass(frozen=True)
class ClaimedLine:
    """A line of a report; `columns` are the names of what it has, and whether anything stands there."""

    claim: GoodsClaim
    columns: list[tuple[str, bool]]
    until: datetime | None

    @property
    def waits(self) -> bool:
        return self.claim.state == GoodsClaim.State.WAITING


@dataclass(frozen=True)
class Preview:
    """What an answer would do: to the customer, to the shop, and whether it takes a second person."""

    terms: Terms
    lines: str
    several: bool
    order: Order
    paid: Order
    waits: bool

    @property
    def refuses(self) -> bool:
        return self.terms.kind == Kind.REFUSED

    @property
    def replaces(self) -> bool:
        return self.terms.kind == Kind.REPLACED

    @property
    def left_micros(self) -> int:
        """What the customer would have paid in the end."""
        return self.paid.kept_micros - self.terms.refund_micros


def lines_of(claim: GoodsClaim) -> list[ClaimedLine]:
    """Return all lines that were reported together with this one; a few queries, whatever their number."""
    together = GoodsClaim.objects.filter(order=claim.order, claimed_at=claim.claimed_at).order_by("line")
    claims = list(together.select_related("answer__answered_by", "answer__replacement"))
    masked = masked_lines(claim.order, [each.line for each in claims])
    return [ClaimedLine(each, masked.get(each.line, []), complaint_deadline(each.delivered_at)) for each in claims]


def pending_answers(order: Order) -> QuerySet[ClaimAnswer]:
    """Return the answers that wait for a second person."""
    waiting = ClaimAnswer.objects.filter(order=order, carried_out_at=None, request__state=MoneyRequest.State.WAITING)
    return waiting.select_related("request", "answered_by")


def replacements_of(order: Order) -> QuerySet[ClaimAnswer]:
    """Return the answers that replaced lines of this order, with how their orders go."""
    return ClaimAnswer.objects.filter(order=order, replacement__isnull=False).select_related("replacement")


def preview_of(order: Order, kind: str, lines: Iterable[int], *, actor: User) -> Preview:
    """Return what the answer would do now. Raises AnswerRefused, NotYourOwnMoney."""
    now = timezone.now()
    refuse_own_order(actor, order)
    terms = terms_of(order, kind, lines, now=now)
    limit = settings.ADJUST_APPROVAL_MICROS
    waits = bool(limit) and moved_alone(actor, now) + terms.amount_micros > limit
    return Preview(
        terms,
        spans_of(terms.lines),
        len(terms.lines) > 1,
        order,
        paid_order(order),
        waits=waits and terms.amount_micros > 0,
    )
