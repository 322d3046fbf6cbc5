"""How many questions no human had to answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from support.models import Message, Ticket

DAYS = 30


@dataclass(frozen=True)
class Shares:
    """Of the tickets of the last days: how many there were, how many rules settled alone, and which rules did."""

    tickets: int
    by_rules: int
    by_rule: dict[str, int]

    @property
    def percent(self) -> int | None:
        """The share that rules settled, rounded down; None without a ticket."""
        return 100 * self.by_rules // self.tickets if self.tickets else None


def shares_of_rules(*, now: datetime, days: int = DAYS) -> Shares:
    """Count what was asked in the last days. A ticket that waits for staff, or that staff wrote in, is not a rule's."""
    asked = Ticket.objects.filter(created_at__gt=now - timedelta(days=days))
    alone = ~Q(state=Ticket.State.OPEN) & Q(first_answer_at=None, closed_by=None)
    said = Message.objects.filter(kind=Message.Kind.RULE).exclude(rule=None)
    counted = (
        said.filter(ticket__in=asked.filter(alone)).values("rule__code").annotate(count=Count("ticket", distinct=True))
    )
    by_rule = {row["rule__code"]: row["count"] for row in counted.order_by("-count", "rule__code")}
    by_rules = asked.filter(alone, pk__in=said.values("ticket")).count()
    return Shares(asked.count(), by_rules, by_rule)
