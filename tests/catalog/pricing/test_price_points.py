"""Prices kept by day, and what a page makes of them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from catalog.browse.price_history import price_history
from catalog.models import PricePoint, Service
from catalog.pricing.price_points import keep_price_points, price_steps
from tests.catalog.listing_rows import put_on_sale

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOON.date()


def cost(service: Service, micros: int) -> None:
    Service.objects.filter(pk=service.pk).update(selling_per_thousand_micros=micros)
    service.refresh_from_db()


def points() -> list[tuple[date, int]]:
    return list(PricePoint.objects.order_by("day").values_list("day", "selling_per_thousand_micros"))


def test_keep_price_points_keeps_a_price_only_when_it_is_another_one() -> None:
    service, gone = put_on_sale("A"), put_on_sale("B", withdrawn_at=NOON, selling_per_thousand_micros=5)
    cost(service, 2_000_000)

    assert keep_price_points(now=NOON) == 1
    assert keep_price_points(now=NOON + timedelta(days=1)) == 0
    cost(service, 3_000_000)
    assert keep_price_points(now=NOON + timedelta(days=2)) == 1
    cost(service, 4_000_000)
    assert keep_price_points(now=NOON + timedelta(days=2, hours=1)) == 1  # the last price of a day counts

    assert points() == [(TODAY, 2_000_000), (TODAY + timedelta(days=2), 4_000_000)]
    assert not PricePoint.objects.filter(service=gone).exists()


def test_keep_price_points_forgets_what_is_old_but_not_what_still_counts() -> None:
    service = put_on_sale("A")
    for days, micros in ((900, 1), (500, 2), (100, 3)):
        PricePoint.objects.create(service=service, day=TODAY - timedelta(days=days), selling_per_thousand_micros=micros)
    cost(service, 3)

    keep_price_points(now=NOON)

    assert [micros for _day, micros in points()] == [2, 3]


def test_price_steps_begin_with_what_counted_then_and_end_with_today() -> None:
    service = put_on_sale("A")
    for days, micros in ((300, 1), (200, 2), (100, 3), (50, 3)):
        PricePoint.objects.create(service=service, day=TODAY - timedelta(days=days), selling_per_thousand_micros=micros)
    cost(service, 4)

    steps = price_steps(service, since=TODAY - timedelta(days=180), today=TODAY)

    assert [((TODAY - day).days, micros) for day, micros in steps] == [(200, 2), (100, 3), (0, 4)]


def test_price_history_is_a_line_of_steps_in_the_services_own_unit() -> None:
    service = put_on_sale("A", rate_per_override=1)
    PricePoint.objects.create(
        service=service, day=TODAY - timedelta(days=100), selling_per_thousand_micros=2_000_000_000
    )
    PricePoint.objects.create(
        service=service, day=TODAY - timedelta(days=50), selling_per_thousand_micros=4_000_000_000
    )
    cost(service, 4_000_000_000)

    history = price_history(service, today=TODAY)

    assert history is not None
    assert [step.micros for step in history.steps] == [4_000_000, 2_000_000]
    assert history.line == "0.0,88.0 300.0,88.0 300.0,8.0 600.0,8.0"
    assert history.words == "Since Nov 21, 2025 between $2.00 and $4.00; now $4.00."


def test_price_history_of_a_price_that_never_changed_is_none() -> None:
    service = put_on_sale("A")
    PricePoint.objects.create(service=service, day=TODAY - timedelta(days=100), selling_per_thousand_micros=2)
    cost(service, 2)

    assert price_history(service, today=TODAY) is None


def test_price_history_of_a_price_that_is_back_on_the_same_day_is_none() -> None:
    service = put_on_sale("A")
    for day, micros in ((TODAY - timedelta(days=100), 2_000_000), (TODAY, 3_000_000)):
        PricePoint.objects.create(service=service, day=day, selling_per_thousand_micros=micros)
    cost(service, 2_000_000)

    assert price_history(service, today=TODAY) is None
