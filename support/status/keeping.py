"""Keeping what was measured: how each part is now, and for how long of each day it was how.

Days are in UTC, so that every one has 86,400 seconds. What was measured holds until the next measure, but not for
longer than two rounds of beat: of the time after that nobody knows anything.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from support.models import MeasuredPart, PartDay
from support.status.measures import MEASURES, Measure

log = structlog.get_logger(__name__)
KEPT_DAYS = 90


def holds_for() -> timedelta:
    """Return for how long a measure counts."""
    return timedelta(seconds=2 * float(settings.CELERY_BEAT_SCHEDULE["measure_status"]["schedule"]))


def measure_status(*, now: datetime) -> dict[str, str]:
    """Measure every part and keep it; return the health by part. A part that cannot be measured stops no other."""
    found = {}
    for part, measure in MEASURES.items():
        try:
            with transaction.atomic():  # a question that fails must not spoil what is asked after it
                measured = measure(now)
        except Exception:  # nothing is known of it, which the page says once its last measure is too old
            log.exception("part_not_measured", part=part)
            continue
        if measured is not None and keep_measure(part, measured, now=now):
            found[str(part)] = str(measured.health)
    return found


def keep_measure(part: str, measure: Measure, *, now: datetime) -> bool:
    """Note how a part is, and count the time since its last measure as that one said; False for what is no news.

    Two who measure at once count no second twice: the row is theirs one after the other.
    """
    moment = now.astimezone(UTC).replace(microsecond=0)
    with transaction.atomic():
        last = MeasuredPart.objects.select_for_update().filter(part=part).first()
        if last is None:
            try:
                with transaction.atomic():
                    MeasuredPart.objects.create(
                        part=part, health=measure.health, figure=measure.figure, measured_at=moment
                    )
            except IntegrityError:
                return False  # somebody else was first, a moment ago
            return True
        if moment <= last.measured_at:
            return False
        for day, seconds in days_between(last.measured_at, min(moment, last.measured_at + holds_for())):
            _count(part, day, f"{last.health}_seconds", seconds)
        last.health, last.figure, last.measured_at = measure.health, measure.figure, moment
        last.save(update_fields=["health", "figure", "measured_at"])
    return True


def days_between(since: datetime, until: datetime) -> Iterator[tuple[date, int]]:
    """Yield each day in UTC that lies between two moments at least in part, and how many seconds of it do."""
    begins, ends = since.astimezone(UTC), until.astimezone(UTC)
    while begins < ends:
        midnight = datetime.combine(begins.date() + timedelta(days=1), time(), UTC)
        upto = min(midnight, ends)
        yield begins.date(), round((upto - begins).total_seconds())
        begins = upto


def clean_status_days(*, now: datetime) -> int:
    """Delete the days that the page does not show any more; return how many rows."""
    gone, _models = PartDay.objects.filter(day__lte=now.astimezone(UTC).date() - timedelta(days=KEPT_DAYS)).delete()
    return gone


def _count(part: str, day: date, column: str, seconds: int) -> None:
    PartDay.objects.get_or_create(part=part, day=day)
    PartDay.objects.filter(part=part, day=day).update(**{column: F(column) + seconds})
