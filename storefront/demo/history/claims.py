"""Goods that didn't work: a report with each of the three answers, and one that waits."""

from datetime import datetime, timedelta

from accounts.models import User
from orders.claims.answering import answer_claims
from orders.claims.terms import AnswerRefused
from orders.lifecycle.goods import reveal_all
from orders.lifecycle.goods_claims import claim_lines
from orders.models import ClaimAnswer, GoodsClaim, Order, Status

Kind, Reason = ClaimAnswer.Kind, GoodsClaim.Reason
LINES = 4
ANSWERS = (
    (1, Kind.REFUNDED, "You were right: it was locked before you had it. Sorry."),
    (2, Kind.REPLACED, "Here is another one."),
    (3, Kind.REFUSED, "We could sign in with it from two networks. Try again without a VPN."),
)


def report_goods(customer: User, staff: User, *, now: datetime) -> None:
    """Let the customer report lines of the newest goods that have enough of them, and staff answer most of it."""
    delivered = Order.objects.filter(user=customer, status=Status.COMPLETED, goods__pieces__gte=LINES)
    orders = list(delivered.select_related("goods").order_by("-goods__received_at")[:2])
    if not orders:
        return
    settled, open_one = orders[-1], orders[0]
    _report(settled, customer, [1, 2, 3], Reason.LOCKED, "They ask for a code by SMS.", hours=5, now=now)
    for line, kind, text in ANSWERS:
        try:
            answer_claims(settled.pk, kind=kind, lines=[line], text=text, actor=staff, now=now - timedelta(hours=1))
        except AnswerRefused:  # the catalog of the day doesn't sell it, or not so few
            continue
    _report(open_one, customer, [4], Reason.SIGN_IN, "", hours=2, now=now)


def _report(
    order: Order, customer: User, lines: list[int], reason: str, text: str, *, hours: int, now: datetime
) -> None:
    """Open the goods and report these lines, soon after they came: within whatever warranty they have."""
    opened_at = min(order.goods.received_at + timedelta(hours=1), now)
    at = min(order.goods.received_at + timedelta(hours=hours), now)
    reveal_all([order], user=customer, address="203.0.113.24", now=opened_at)
    claim_lines(order.pk, user=customer, lines=lines, reason=reason, text=text, now=at)
