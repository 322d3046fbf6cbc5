"""How long customers waited for a first answer by a human, and how many needed none: what stands above the queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from django.db.models import Case, F, Max, Q, When

from catalog.browse.durations import write_duration
from support.first_answers.rules import RULES
from support.first_answers.shares import DAYS, shares_of_rules
from support.models import Message, Ticket


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
    answered = Ticket.objects.filter(created_at__gt=now - timedelta(days=DAYS)).exclude(first_answer_at=None)
    # What brings a watched ticket back is an event before the answer; nothing else happens before it.
    back = Q(messages__kind=Message.Kind.EVENT, messages__created_at__lt=F("first_answer_at"))
    watched = Q(messages__kind=Message.Kind.RULE)
    rows = answered.annotate(
        back_at=Max("messages__created_at", filter=back), ruled_at=Max("messages__created_at", filter=watched)
    ).annotate(since=Case(When(ruled_at=None, then=F("created_at")), default=F("back_at")))
    pairs = rows.values_list("created_at", "since", "first_answer_at")
    return [(first - (since or created)).total_seconds() for created, since, first in pairs if first is not None]
