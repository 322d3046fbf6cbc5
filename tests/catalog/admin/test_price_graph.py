"""A service's page draws what it sold for against what it cost, with the days in a table."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.admin.price_graph import HEIGHT, MARGIN, WIDTH, price_graph
from catalog.models import ExchangeRate, PricePoint, Service, ServiceChange, SyncRun
from catalog.pricing.cost_steps import cost_steps
from tests.storefront.admin_rows import make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(db: None) -> Service:
    """A service of 1.50 per 1,000 upstream, which sells for 2.00, seen first two hundred days ago."""
    made = make_service(1)
    Service.objects.filter(pk=made.pk).update(
        selling_rate_micros=2_000_000, selling_per_thousand_micros=2_000_000, first_seen_at=days_ago(200)
    )
    return Service.objects.select_related("category").get(pk=made.pk)


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def change_rate(service: Service, *, before: int, after: int, days: int) -> None:
    run = SyncRun.objects.create(kind=SyncRun.Kind.CATALOG, status=SyncRun.Status.APPLIED)
    ServiceChange.objects.create(
        run=run,
        service=service,
        kind=ServiceChange.Kind.RATE,
        rate_before_micros=before,
        rate_after_micros=after,
        created_at=days_ago(days),
    )


def day(days: int) -> date:
    return timezone.localdate(days_ago(days))


def test_cost_steps_when_upstream_changed_its_rate_then_the_last_of_a_day_counts(service: Service) -> None:
    change_rate(service, before=1_000_000, after=1_200_000, days=10)
    change_rate(service, before=1_200_000, after=1_500_000, days=10)

    steps = cost_steps(service, since=day(30), today=day(0))

    assert steps == [(day(30), 1_000_000), (day(10), 1_500_000)]


def test_cost_steps_when_the_exchange_rate_changes_then_the_cost_does(service: Service, settings: Any) -> None:
    settings.STORE_CURRENCY, settings.UPSTREAM_CURRENCY, settings.UPSTREAM_EXCHANGE_RATE = "EUR", "USD", Decimal(1)
    ExchangeRate.objects.create(rate_micros=900_000, valid_from=days_ago(5))

    steps = cost_steps(service, since=day(30), today=day(0))

    assert steps == [(day(30), 1_500_000), (day(5), 1_350_000)]


def test_price_graph_when_price_and_rate_moved_then_both_lines_share_a_scale(service: Service) -> None:
    change_rate(service, before=1_000_000, after=1_500_000, days=10)
    PricePoint.objects.create(service=service, day=day(20), selling_per_thousand_micros=1_500_000)

    graph = price_graph(service)

    assert graph is not None
    top, bottom = float(MARGIN), float(HEIGHT - MARGIN)
    assert graph.cost.split()[0] == f"0.0,{bottom:.1f}"  # 1.00 is the lowest of both
    assert graph.selling.split()[-1] == f"{WIDTH:.1f},{top:.1f}"  # 2.00 the highest
    assert [row[1:] for row in graph.table["rows"]] == [
        ["$2.00", "$1.50", "$0.50", "+33.3%"],
        ["$1.50", "$1.50", "$0.00", "+0.0%"],
        ["$1.50", "$1.00", "$0.50", "+50.0%"],
        ["–", "$1.00", "–", "–"],
    ]


def test_service_page_when_opened_then_it_has_the_drawing_and_asks_as_often_with_more_history(
    service: Service, sam: User, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(sam)
    for days in range(1, 30):
        change_rate(service, before=days * 10_000, after=days * 10_000 + 5_000, days=days)
    address = reverse("admin:catalog_service_change", args=[service.pk])
    client.get(address)

    with django_assert_max_num_queries(25):
        page = client.get(address).content.decode()

    assert page.count("<polyline") == 2
    assert "Show as a table" in page


def test_price_graph_when_nothing_was_priced_yet_then_there_is_none(service: Service) -> None:
    service.selling_per_thousand_micros = 0

    assert price_graph(service) is None
