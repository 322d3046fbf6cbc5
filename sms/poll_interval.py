"""How often the code of a number is asked for: often while codes usually come, ever more seldom afterwards.

Upstream answers about one number at a time, so thousands of open numbers share what may be asked in a second. Nine of
ten codes come within the first minute, hardly any after the third: the age of a number decides, and a crowd is made
room for where it costs least. First the old numbers wait longer, and only when that is not enough all of them do.
"""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from sms.models import Number
from sms.preferences import POLL_LATEST, POLL_SOONEST

EAGER_SECONDS = 85.0
STEEPNESS = 6
LONGEST_SECONDS = 300.0  # for an old number in a crowd
# Of the calls a second that upstream allows; the others are for purchases and for orders of services.
SHARE = 0.9
LOOKED_AT_EVERY = 5.0
_latest: tuple[float, tuple[float, ...], "Pace"] | None = None


class Pace(NamedTuple):
    """What the crowd of open numbers makes of the intervals: the longest one, and a factor on those below it."""

    longest_seconds: float
    factor: float
    soonest_seconds: float = 0.0  # what is set now, where it was not looked up

    def interval(self, age_seconds: float) -> float:
        """Return the seconds until a number of this age is asked about again.

        It stays at the shortest one for as long as all but one code of a hundred take, and then grows steeply: what a
        late code is asked less often, all the others are asked more often.
        """
        soonest = (self.soonest_seconds or POLL_SOONEST.value.total_seconds()) * self.factor
        growing = soonest * max(1.0, age_seconds / EAGER_SECONDS) ** STEEPNESS
        return float(min(growing, max(self.longest_seconds, soonest)))


def pace_for(ages_seconds: Iterable[float], *, calls_per_second: float) -> Pace:
    """Return the pace at which numbers of these ages are asked about at most so many times a second."""
    ages = list(ages_seconds)
    soonest, latest = POLL_SOONEST.value.total_seconds(), POLL_LATEST.value.total_seconds()
    pace = Pace(max(latest, soonest), 1.0, soonest)
    while sum(1 / pace.interval(age) for age in ages) > calls_per_second:
        if pace.longest_seconds < LONGEST_SECONDS:
            pace = pace._replace(longest_seconds=min(pace.longest_seconds * 1.5, LONGEST_SECONDS))
        else:
            pace = pace._replace(factor=pace.factor * 1.05)
    return pace


def current_pace(now: datetime) -> Pace:
    """Return the pace for the numbers that are open; counted again every few seconds."""
    global _latest
    limits = (
        POLL_SOONEST.value.total_seconds(),
        POLL_LATEST.value.total_seconds(),
        float(settings.UPSTREAM_MAX_PER_SECOND),
    )
    if _latest is None or _latest[1] != limits or time.monotonic() - _latest[0] >= LOOKED_AT_EVERY:
        opened = Number.objects.filter(state=Number.State.WAITING).values_list("created_at", flat=True)
        ages = [max((now - moment).total_seconds(), 0.0) for moment in opened.iterator()]
        pace = pace_for(ages, calls_per_second=settings.UPSTREAM_MAX_PER_SECOND * SHARE)
        _latest = time.monotonic(), limits, pace
    return _latest[2]


def next_question(asked_since: datetime, now: datetime) -> datetime:
    """Return when to ask again about a number that was sent for at `asked_since`."""
    age_seconds = max((now - asked_since).total_seconds(), 0.0)
    return now + timedelta(seconds=current_pace(now).interval(age_seconds))
