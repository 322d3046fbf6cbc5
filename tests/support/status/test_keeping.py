"""Measures become days in UTC: midnight, clocks that are changed, rounds of beat that were missed, two at once."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from catalog.models import SyncRun
from support import tasks
from support.models import Health, MeasuredPart, Part, PartDay
from support.status import keeping
from support.status.keeping import clean_status_days, days_between, keep_measure, measure_status
from support.status.measures import Measure

OK, SLOW, DOWN = Measure(Health.OK), Measure(Health.SLOW), Measure(Health.DOWN)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str, part: str = Part.ORDERS) -> tuple[int, int, int]:
    row = PartDay.objects.get(day=date.fromisoformat(text), part=part)
    return row.ok_seconds, row.slow_seconds, row.down_seconds


@pytest.mark.django_db
def test_measure_when_the_next_one_comes_counts_until_then() -> None:
    keep_measure(Part.ORDERS, OK, now=at("2026-03-01T12:00:00"))
    assert not PartDay.objects.exists()  # nothing is known of what was before

    keep_measure(Part.ORDERS, DOWN, now=at("2026-03-01T12:03:00"))
    keep_measure(Part.ORDERS, OK, now=at("2026-03-01T12:05:00.900"))

    assert day("2026-03-01") == (180, 0, 120)
    assert MeasuredPart.objects.get().health == Health.OK


@pytest.mark.django_db
def test_measure_when_it_holds_over_midnight_in_utc_belongs_to_both_days() -> None:
    keep_measure(Part.ORDERS, SLOW, now=at("2026-03-01T23:59:00"))
    keep_measure(Part.ORDERS, OK, now=at("2026-03-02T00:02:00"))

    assert day("2026-03-01") == (0, 60, 0)
    assert day("2026-03-02") == (0, 120, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("day_of_it", ["2026-03-29", "2026-10-25"])  # Berlin's clocks go forward and back at 01:00 UTC
def test_day_when_clocks_are_changed_has_as_many_seconds_as_any(settings: Any, day_of_it: str) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    half_an_hour = {"measure_status": {"schedule": 1800}}
    settings.CELERY_BEAT_SCHEDULE = {**settings.CELERY_BEAT_SCHEDULE, **half_an_hour}
    berlin, midnight = ZoneInfo("Europe/Berlin"), at(f"{day_of_it}T00:00:00")

    for number in range(49):
        keep_measure(Part.ORDERS, OK, now=(midnight + number * timedelta(minutes=30)).astimezone(berlin))

    assert day(day_of_it) == (86_400, 0, 0)
    assert PartDay.objects.count() == 1
    whole = list(days_between(midnight.astimezone(berlin), (midnight + timedelta(days=1)).astimezone(berlin)))
    assert whole == [(date.fromisoformat(day_of_it), 86_400)]


@pytest.mark.django_db
def test_measure_when_nobody_measured_for_long_counts_for_two_rounds_and_no_more() -> None:
    keep_measure(Part.ORDERS, OK, now=at("2026-03-01T12:00:00"))
    keep_measure(Part.ORDERS, OK, now=at("2026-03-01T18:00:00"))

    assert day("2026-03-01") == (360, 0, 0)


@pytest.mark.django_db
def test_measure_when_it_is_repeated_or_older_changes_nothing() -> None:
    keep_measure(Part.ORDERS, OK, now=at("2026-03-01T12:00:00"))

    assert not keep_measure(Part.ORDERS, DOWN, now=at("2026-03-01T12:00:00"))
    assert not keep_measure(Part.ORDERS, DOWN, now=at("2026-03-01T11:00:00"))
    assert MeasuredPart.objects.get().health == Health.OK


@pytest.mark.django_db
def test_measuring_when_one_part_fails_measures_the_others(settings: Any) -> None:
    now = at("2026-03-01T12:00:00")
    SyncRun.objects.create(kind="catalog", status="applied", started_at=now, finished_at=now)
    every = settings.CELERY_BEAT_SCHEDULE
    settings.CELERY_BEAT_SCHEDULE = {"measure_status": every["measure_status"]}  # nobody knows how often it is read

    found = measure_status(now=now)

    assert Part.CATALOG not in found
    assert found[Part.DELIVERY] == Health.OK
    assert not MeasuredPart.objects.filter(part=Part.CATALOG).exists()


@pytest.mark.django_db
def test_task_measures_and_old_days_are_forgotten() -> None:
    tasks.measure_status()
    assert MeasuredPart.objects.filter(part=Part.WEBSITE, health=Health.OK).exists()

    PartDay.objects.create(part=Part.ORDERS, day=date(2026, 3, 1), ok_seconds=1)
    PartDay.objects.create(part=Part.ORDERS, day=date(2026, 3, 2), ok_seconds=1)
    assert clean_status_days(now=at("2026-05-30T23:59:00")) == 1
    assert PartDay.objects.get().day == date(2026, 3, 2)


@pytest.mark.django_db(transaction=True)
def test_measures_when_two_keep_them_at_once_count_no_second_twice() -> None:
    keep_measure(Part.ORDERS, OK, now=at("2026-03-01T12:00:00"))
    barrier, failures = threading.Barrier(4), []

    def keep() -> None:
        try:
            barrier.wait()
            keep_measure(Part.ORDERS, OK, now=at("2026-03-01T12:03:00"))
        except Exception as error:  # the test's own thread says it
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=keep) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert day("2026-03-01") == (180, 0, 0)
    assert keeping.KEPT_DAYS == 90
