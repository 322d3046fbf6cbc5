"""A worker whose clock is wrong sends nothing, and says so."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications.models import Notice
from orders.fulfilment.clock_skew import clock_is_right, forget_measurement, skew_of
from orders.fulfilment.forward import forward_order
from orders.models import Status

only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own")


@pytest.fixture(autouse=True)
def _measure_again():
    forget_measurement()
    yield
    forget_measurement()


@only_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [15, -15])
def test_skew_when_a_clock_is_off_is_how_far(minutes: int) -> None:
    def off():
        return timezone.now() + timedelta(minutes=minutes)

    assert abs(skew_of(off) - timedelta(minutes=minutes)) < timedelta(seconds=5)
    assert not clock_is_right(off)
    assert Notice.objects.get().key.startswith("clock:")


@only_postgresql
@pytest.mark.django_db
def test_clock_when_it_agrees_is_right_and_measured_once_a_minute(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert clock_is_right()
        assert clock_is_right()


@only_postgresql
def test_forward_order_when_the_clock_is_wrong_leaves_it_waiting(paid_order, client_upstream, sandbox, settings):
    settings.MAX_CLOCK_SKEW_SECONDS = -1  # the clocks of one machine agree: no difference is small enough

    assert not forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, sandbox.orders) == (Status.PAID, [])
