"""How fast services are and what becomes of their orders, measured from orders with known times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from catalog.caching.version import catalog_version
from catalog.models import Service, ServiceQuality, in_steps
from catalog.models.services import NEVER_MEASURED
from orders.accounting.service_quality import first_day, measure_quality
from orders.models import Order, OrderEvent, ServiceRequest, Status
from storefront.configuration.quality import Quality
from tests.storefront.admin_rows import make_order, make_service

# The arithmetic is the database's on PostgreSQL and ours on SQLite.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
MINUTE, HOUR = 60, 3600


@pytest.fixture(autouse=True)
def terms(settings: Any) -> None:
    settings.QUALITY = Quality(days=30, least_orders=5, new_days=14)


def ended(
    user: User, service: Service, *, minutes: float, start: float | None = None, ago: float = 1, **fields: Any
) -> Order:
    """An order that ended `ago` days before NOON, so many minutes after it was paid; work began at `start`."""
    finished_at = NOON - timedelta(days=ago)
    created_at = finished_at - timedelta(minutes=minutes)
    values = {"status": Status.COMPLETED, "created_at": created_at, "finished_at": finished_at, **fields}
    order = make_order(user, service=service, **values)
    if start is not None:
        OrderEvent.objects.create(
            order=order,
            code=OrderEvent.Code.PROGRESS,
            status=Status.IN_PROGRESS,
            created_at=created_at + timedelta(minutes=start),
        )
    return order


def quality_of(service: Service) -> ServiceQuality | None:
    return ServiceQuality.objects.filter(service=service).first()


def test_measure_quality_finds_the_middle_and_nine_in_ten(ann: User) -> None:
    service = make_service(1)
    for minutes in range(10, 120, 10):  # 10, 20 … 110: eleven orders
        ended(ann, service, minutes=minutes, start=minutes / 10)

    assert measure_quality(now=NOON) == 1

    found = quality_of(service)
    assert found is not None
    assert (found.orders, found.completed, found.partial, found.refunded) == (11, 11, 0, 0)
    assert (found.done_seconds, found.done_seconds_most) == (HOUR, 105 * MINUTE)  # 100 minutes, in quarters of an hour
    assert (found.start_seconds, found.start_seconds_most) == (6 * MINUTE, 10 * MINUTE)
    service.refresh_from_db()
    assert (service.done_seconds, service.completed_percent) == (HOUR, 100)


def test_measure_quality_between_two_orders_takes_what_lies_between(ann: User) -> None:
    service = make_service(1)
    for minutes in (2, 4, 8, 10, 12, 60):
        ended(ann, service, minutes=minutes)

    measure_quality(now=NOON)

    found = quality_of(service)
    assert found is not None
    assert (found.done_seconds, found.done_seconds_most) == (
        9 * MINUTE,
        35 * MINUTE,
    )  # (8 + 10) / 2, (12 + 60) / 2 → 36
    # Nobody saw these begin: each had by the time it was done.
    assert (found.start_seconds, found.start_seconds_most) == (9 * MINUTE, 35 * MINUTE)


def test_measure_quality_counts_what_became_of_the_orders(ann: User, sam: User) -> None:
    service = make_service(1)
    for _each in range(5):
        ended(ann, service, minutes=30)
    part, whole = 100, 187_500
    ended(ann, service, minutes=999, status=Status.PARTIAL, refunded_micros=part)
    ended(ann, service, minutes=999, refunded_micros=part)  # completed, and support gave something back
    ended(ann, service, minutes=999, status=Status.PARTIAL, refunded_micros=whole)  # nothing was delivered
    ended(ann, service, minutes=999, status=Status.CANCELED, refunded_micros=whole)
    ended(ann, service, minutes=999, status=Status.FAILED, refunded_micros=whole)
    # None of these says anything about the service.
    ended(sam, service, minutes=1)
    ended(ann, service, minutes=1, ago=31)
    ended(ann, service, minutes=1, ago=-0.1)
    make_order(ann, service=service, created_at=NOON)
    unsent = ended(ann, service, minutes=1, status=Status.CANCELED, refunded_micros=whole)
    OrderEvent.objects.create(order=unsent, code="canceled", status=Status.CANCELED, data={"by": "customer"})
    ended(ann, service, minutes=1, price_micros=0, original=unsent)  # it replaced goods
    asked = ended(ann, service, minutes=1, status=Status.CANCELED, refunded_micros=whole)
    ServiceRequest.objects.create(order=asked, kind=ServiceRequest.Kind.CANCEL, state=ServiceRequest.State.DONE)
    begun = ended(ann, service, minutes=1, status=Status.PARTIAL, refunded_micros=part)
    ServiceRequest.objects.create(order=begun, kind=ServiceRequest.Kind.CANCEL, state=ServiceRequest.State.DONE)
    # Staff declined, and the supplier gave up later: that does.
    declined = ended(ann, service, minutes=1, status=Status.CANCELED, refunded_micros=whole)
    ServiceRequest.objects.create(order=declined, kind=ServiceRequest.Kind.CANCEL, state=ServiceRequest.State.DECLINED)

    measure_quality(now=NOON)

    found = quality_of(service)
    assert found is not None
    assert (found.orders, found.completed, found.partial, found.refunded) == (11, 5, 2, 4)
    assert (found.done_seconds, found.done_seconds_most) == (30 * MINUTE, 30 * MINUTE)
    service.refresh_from_db()
    assert (service.done_seconds, service.completed_percent) == (30 * MINUTE, 45)


def test_measure_quality_says_nothing_of_too_few_orders(ann: User) -> None:
    few, mixed = make_service(1), make_service(2)
    for _each in range(4):
        ended(ann, few, minutes=30)
        ended(ann, mixed, minutes=30)
    ended(ann, mixed, minutes=30, status=Status.FAILED)
    ended(ann, mixed, minutes=30, status=Status.PARTIAL, start=20)

    measure_quality(now=NOON)

    assert quality_of(few) is None
    found = quality_of(mixed)
    assert found is not None
    assert (found.orders, found.completed, found.start_seconds) == (6, 4, 30 * MINUTE)
    assert (found.done_seconds, found.done_seconds_most, set(found.by_day)) == (None, None, {None})
    mixed.refresh_from_db()
    assert (mixed.done_seconds, mixed.completed_percent) == (NEVER_MEASURED, 66)


def test_measure_quality_keeps_the_middle_of_each_day(ann: User) -> None:
    service = make_service(1)
    for ago, minutes in ((0, 10), (0.5, 16), (2, 3), (2, 5), (2, 40), (29.4, 7)):
        ended(ann, service, minutes=minutes, ago=ago)

    measure_quality(now=NOON)

    found = quality_of(service)
    assert found is not None
    by_day = {day: seconds / MINUTE for day, seconds in enumerate(found.by_day) if seconds is not None}
    assert (len(found.by_day), by_day) == (30, {0: 7, 27: 5, 29: 13})
    assert first_day(NOON) == datetime(2026, 4, 21, tzinfo=UTC)


def test_measure_quality_writes_only_what_differs_and_pages_are_made_anew_then(
    ann: User, django_assert_num_queries: Any
) -> None:
    first, second = make_service(1), make_service(2)
    for service in (first, second):
        for _each in range(5):
            ended(ann, service, minutes=30)
    assert measure_quality(now=NOON) == 2
    version = catalog_version()

    assert measure_quality(now=NOON + timedelta(minutes=5)) == 0
    assert catalog_version() == version

    ended(ann, first, minutes=30)
    assert measure_quality(now=NOON) == 1
    after = catalog_version()
    assert after > version
    assert [row.orders for row in ServiceQuality.objects.order_by("pk")] == [6, 5]

    # A month later nothing is known any more.
    with django_assert_num_queries(8):  # the same for however many services
        assert measure_quality(now=NOON + timedelta(days=40)) == 2
    assert not ServiceQuality.objects.exists()
    assert set(Service.objects.values_list("done_seconds", "completed_percent")) == {(NEVER_MEASURED, 0)}


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [
        (0, MINUTE),
        (89, MINUTE),
        (90, 2 * MINUTE),
        (19.4 * MINUTE, 19 * MINUTE),
        (33 * MINUTE, 35 * MINUTE),
        (100 * MINUTE, 105 * MINUTE),
        (6.6 * HOUR, 7 * HOUR),
        (60 * HOUR, 72 * HOUR),
        (10**12, NEVER_MEASURED - 1),
    ],
)
def test_in_steps(seconds: float, kept: int) -> None:
    assert in_steps(seconds) == kept
