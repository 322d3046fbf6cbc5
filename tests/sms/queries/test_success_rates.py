"""How often codes came: who had a chance, how fast it was, and what is forgotten."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from sms.models import Country, Number, Project, SuccessRate
from sms.queries.success_rates import count_success_rates
from sms.tasks import count_success_rates as task
from tests.storefront.admin_rows import make_order

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
State = Number.State
NOW = timezone.now()


@pytest.fixture
def telegram() -> Project:
    country = Country.objects.create(code="us", name="United States")
    return Project.objects.create(upstream_id="t", country=country, name="Telegram", price_upstream_micros=1)


@pytest.fixture
def had(ann: Any, telegram: Project) -> Any:
    """A number of an hour ago: `had(state, seconds=…, …)`; its code came after so many seconds."""

    def make(state: str = State.RECEIVED, *, seconds: float | None = None, hours: float = 1, **fields: Any) -> Number:
        created_at = NOW - timedelta(hours=hours)
        received_at = None if seconds is None else created_at + timedelta(seconds=seconds)
        values = {"project": telegram, "phone": "+1", "received_at": received_at, **fields}
        return Number.objects.create(order=make_order(ann), state=state, created_at=created_at, **values)

    return make


def figures(project: Project) -> tuple[int, int, int | None] | None:
    count_success_rates(NOW)
    return SuccessRate.objects.filter(project=project).values_list("observed", "received", "median_seconds").first()


@pytest.mark.parametrize(
    ("seconds", "median"),
    [([9], 9), ([30, 8, 14], 14), ([40, 10, 20, 13], 17), ([5, 5, 600], 5)],
)
def test_count_success_rates_takes_the_median_of_the_codes_that_came(had, telegram, seconds, median) -> None:
    for each in seconds:
        had(seconds=each)
    had(State.EXPIRED)
    had(State.CANCELED)

    assert figures(telegram) == (len(seconds) + 2, len(seconds), median)


@pytest.mark.parametrize("microsecond", [0, 1, 2_500, 5_500, 999_500, 999_999])
def test_count_success_rates_counts_seconds_exactly_at_any_moment(had, telegram, monkeypatch, microsecond) -> None:
    """One of our databases rounds moments to milliseconds: thirteen seconds then may be a little less."""
    moment = datetime(2026, 11, 23, 12, 0, 12, microsecond, tzinfo=UTC)
    monkeypatch.setattr("tests.sms.queries.test_success_rates.NOW", moment)
    for passed in (13, 20):
        had(seconds=passed)

    assert figures(telegram) == (2, 2, 17)


def test_count_success_rates_when_no_code_came_has_no_median(had, telegram) -> None:
    had(State.EXPIRED)

    assert figures(telegram) == (1, 0, None)


def test_count_success_rates_leaves_out_numbers_that_had_no_chance(had, telegram, settings) -> None:
    settings.SMS_FAIR_CHANCE_SECONDS = 60
    hour_ago = NOW - timedelta(hours=1)
    had(seconds=10)
    had(State.WAITING)
    had(State.ORDERED, phone="")
    had(State.CANCELED, phone="")  # never came
    had(State.EXPIRED, hours=24 * 7 + 1)
    had(State.CANCELED, cancel_requested_at=hour_ago + timedelta(seconds=59))
    had(State.EXPIRED)
    replaced_early, replaced_late = had(State.EXPIRED), had(State.EXPIRED)
    for old, wait in ((replaced_early, 30), (replaced_late, 90)):
        new = had(State.WAITING, replaces=old)
        Number.objects.filter(pk=new.pk).update(created_at=hour_ago + timedelta(seconds=wait))
    had(State.CANCELED, cancel_requested_at=hour_ago + timedelta(seconds=61))

    # The code; the expired one; the one replaced late; the one canceled late.
    assert figures(telegram) == (4, 1, 10)


def test_count_success_rates_when_a_number_canceled_early_has_its_code_after_all_counts_it(had, telegram) -> None:
    had(seconds=50, cancel_requested_at=NOW - timedelta(minutes=59))

    assert figures(telegram) == (1, 1, 50)


def test_count_success_rates_counts_projects_apart_and_forgets_those_without_numbers(had, telegram) -> None:
    other = Project.objects.create(upstream_id="o", country=telegram.country, name="O", price_upstream_micros=1)
    old = Project.objects.create(upstream_id="p", country=telegram.country, name="P", price_upstream_micros=1)
    SuccessRate.objects.create(project=old, observed=50, received=50, counted_at=NOW - timedelta(days=1))
    SuccessRate.objects.create(project=telegram, observed=9, received=9, counted_at=NOW - timedelta(days=1))
    had(seconds=10)
    had(seconds=20, project=other)
    had(State.EXPIRED, project=other)

    assert count_success_rates(NOW) == 2
    assert (figures(telegram), figures(other), figures(old)) == ((1, 1, 10), (2, 1, 20), None)


@pytest.mark.parametrize("projects", [1, 4])
def test_count_success_rates_counts_many_projects_in_one_statement(
    had, telegram, projects, django_assert_num_queries
) -> None:
    for _each in range(projects):
        row = Project.objects.create(
            upstream_id=uuid.uuid4().hex, country=telegram.country, name="X", price_upstream_micros=1
        )
        had(seconds=1, project=row)

    with django_assert_num_queries(5):  # two looks for projects, the counting, the forgetting, how many there are
        count_success_rates(NOW)


def test_task_counts_with_the_clock_of_now(had, telegram) -> None:
    had(seconds=7)

    task()

    assert SuccessRate.objects.get().median_seconds == 7
