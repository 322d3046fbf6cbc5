"""Goods that didn't work: a report with each of the three answers, and one that waits."""

from contextlib import suppress
from datetime import datetime, timedelta

from accounts.models import User
from orders.claims.answering import answer_claims
from orders.claims.terms import AnswerRefused
from orders.lifecycle.goods import reveal_all
from orders.lifecycle.goods_claims import ClaimRefused, claim_lines
from orders.models import ClaimAnswer, GoodsClaim, Order, Status

Kind, Reason = ClaimAnswer.Kind, GoodsClaim.Reason
LINES = 4  # three with an answer, and one that may wait
ANSWERS = (
    (Kind.REFUNDED, "You were right: it was locked before you had it. Sorry."),
    (Kind.REPLACED, "Here is another one."),
    (Kind.REFUSED, "It has been checked and works. Please try again without a VPN."),
)


def report_goods(customer: User, staff: User, *, now: datetime) -> None:
    """Let the customer report lines of the newest goods that have enough of them, and staff answer most of it."""
    delivered = Order.objects.filter(user=customer, status=Status.COMPLETED, goods__isnull=False)
    newest_first = delivered.select_related("goods").order_by("-goods__received_at")
    settled, newest = newest_first.filter(goods__pieces__gte=LINES)[:1], newest_first[:1]
    for order in newest:
        _report(order, customer, [1], Reason.SIGN_IN, "", hours=3, now=now)
    for order in settled:
        _answer(order, customer, staff, now)


def _answer(order: Order, customer: User, staff: User, now: datetime) -> None:
    free = [number for number in range(1, order.goods.pieces + 1) if not order.goods_claims.filter(line=number)]
    lines = free[: len(ANSWERS)]
    _report(order, customer, lines, Reason.LOCKED, "They ask for a code by SMS.", hours=5, now=now)
    for line, (kind, text) in zip(lines, ANSWERS, strict=False):
        try:
            answer_claims(order.pk, kind=kind, lines=[line], text=text, actor=staff, now=now)
        except AnswerRefused:  # the catalog of the day doesn't sell it, or not so few
            continue


def _report(
    order: Order, customer: User, lines: list[int], reason: str, text: str, *, hours: int, now: datetime
) -> None:
    """Open the goods and report these lines, soon after they came: within whatever warranty they have."""
    opened_at = min(order.goods.received_at + timedelta(hours=1), now)
    at = min(order.goods.received_at + timedelta(hours=hours), now)
    reveal_all([order], user=customer, address="203.0.113.24", now=opened_at)
    with suppress(ClaimRefused):  # the catalog of the day may sell without a warranty
        claim_lines(order.pk, user=customer, lines=lines, reason=reason, text=text, now=at)
