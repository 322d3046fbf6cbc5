"""One line of the report: what happened in a span of days, and how things stood at its end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from orders.accounting.report.periods import Span


@dataclass
class Line:
    """Amounts in micros of the shop's currency, `*_upstream` in upstream's; what left is above zero too.

    `money_in` is what gateways brought, by gateway. `cost` belongs to the orders sold in the span, as far as upstream
    has named it. What claims for goods cost stands apart: `claim_refunds` are not in `refunds`, nor is the cost of
    orders that replaced goods, `replacements`, in `cost`. The last five say how things stood at the end of the span;
    None where nobody looked.
    """

    span: Span
    money_in: dict[str, int] = field(default_factory=dict)
    bonus: int = 0
    taken_back: int = 0
    by_hand: int = 0
    withdrawn: int = 0
    sales: int = 0
    discounts: int = 0
    refunds: int = 0
    cost: int = 0
    claim_refunds: int = 0
    replacements: int = 0
    referral: int = 0
    cashback: int = 0
    newly_owed: int = 0  # less what was paid of it
    paid_in_upstream: int = 0
    liability: int = 0
    receivables: int = 0
    expected_upstream: int | None = None
    balance_upstream: int | None = None

    @property
    def margin(self) -> int:
        """What is left of the sales after discounts, refunds, claims and upstream's cost."""
        return self.sales - self.discounts - self.refunds - self.cost - self.claims

    @property
    def claims(self) -> int:
        """What claims for goods cost the shop: money given back, and replacements."""
        return self.claim_refunds + self.replacements

    @property
    def moved(self) -> int:
        """By how much all of it changed what the shop owes its customers."""
        paid = sum(self.money_in.values()) + self.bonus - self.taken_back + self.by_hand - self.withdrawn
        return paid - self.sales + self.discounts + self.refunds + self.claim_refunds + self.referral + self.cashback

    @property
    def unexplained_upstream(self) -> int | None:
        """What upstream's balance was above what our orders explain, below zero what was missing."""
        if self.balance_upstream is None or self.expected_upstream is None:
            return None
        return self.balance_upstream - self.expected_upstream


FLOWS = ("bonus", "taken_back", "by_hand", "withdrawn", "sales", "discounts", "refunds", "cost", "claim_refunds",
         "replacements", "referral", "cashback", "newly_owed", "paid_in_upstream")  # fmt: skip


def summed(lines: Sequence[Line]) -> Line:
    """Return one line for all of these, at least one, in their order: amounts added up, the standing of the last."""
    whole = Span(lines[0].span.first, lines[-1].span.last)
    seen = [line for line in lines if line.balance_upstream is not None]
    return replace(
        lines[-1],
        span=whole,
        money_in=_added(line.money_in for line in lines),
        expected_upstream=seen[-1].expected_upstream if seen else None,
        balance_upstream=seen[-1].balance_upstream if seen else None,
        **{name: sum(getattr(line, name) for line in lines) for name in FLOWS},
    )


def _added(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    whole: dict[str, int] = {}
    for part in parts:
        for name, micros in part.items():
            whole[name] = whole.get(name, 0) + micros
    return whole
