"""How long customers waited for a first answer by a human, and how many needed none: what stands above the queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from django.db.models import Case, Exists, F, OuterRef, Subquery, When

from catalog.browse.durations import write_duration
from support.first_answers.rules import RULES
from support.first_answers.shares import DAYS, shares_of_rules
from support.models import Message, Ticket

STALLED = "stalled"  # the rule that hands a ticket on: it waits for staff from the beginning


@dataclass(frozen=True)
class AnswerTimes:
    """Figures of the last days, in words; `usual` and `most` are "" while nothing was answered."""

    usual: str
    most: str
    answered: int
    percent_by_rules: int | None
    by_rule: list[tuple[str, int]]
    days: int = DAYS


def answer_times(*, now: datetime) -> AnswerTimes:
    """Measure what was asked in the last DAYS days; a ticket that a rule watched counts from when it came back."""
    waited = sorted(_waited(now))
    usual = most = ""
    if waited:
        tenths = quantiles(waited, n=10, method="inclusive") if len(waited) > 1 else waited * 9
        usual, most = write_duration(int(tenths[4])), write_duration(int(tenths[8]))
    shares = shares_of_rules(now=now)
    by_rule = [(str(RULES[code].title) if code in RULES else code, count) for code, count in shares.by_rule.items()]
    return AnswerTimes(usual, most, len(waited), shares.percent, by_rule)


def _waited(now: datetime) -> list[float]:
    """Return the seconds each answered ticket waited for staff; what a rule had settled waits from what undid that."""
    answered = Ticket.objects.filter(created_at__gt=now - timedelta(days=DAYS)).exclude(first_answer_at=None)
    said = Message.objects.filter(ticket=OuterRef("pk"))
    settled = said.filter(kind=Message.Kind.RULE).exclude(rule__code=STALLED)
    undone = said.filter(kind__in=(Message.Kind.EVENT, Message.Kind.CUSTOMER), created_at__gt=OuterRef("created_at"))
    since = Case(
        When(Exists(settled), then=Subquery(undone.order_by("pk").values("created_at")[:1])), default=F("created_at")
    )
    pairs = answered.annotate(since=since).values_list("created_at", "since", "first_answer_at")
    return [max((first - (since or created)).total_seconds(), 0) for created, since, first in pairs if first]
