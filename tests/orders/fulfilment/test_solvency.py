"""The upstream account: what it holds, what paid orders will take of it, how long it lasts, and when to say so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from orders.fulfilment.solvency import can_afford, check_balance, forecast, reserved_upstream_micros
from orders.models import Order, Status, UpstreamBalance

pytestmark = pytest.mark.django_db


def warnings() -> int:
    return Notice.objects.filter(key__startswith="balance-low:").count()


def test_check_balance_keeps_it_when_it_changes_and_once_an_hour(client_upstream, sandbox):
    now = timezone.now()
    for minutes in (0, 1, 2, 59, 61):
        check_balance(client=client_upstream, now=now + timedelta(minutes=minutes))
    sandbox.set_balance("999.00")

    assert check_balance(client=client_upstream, now=now + timedelta(minutes=62)) == 999_000_000

    kept = UpstreamBalance.objects.order_by("asked_at").values_list("amount_upstream_micros", flat=True)
    assert list(kept) == [1_000_000_000, 1_000_000_000, 999_000_000]


def test_check_balance_forgets_what_is_older_than_thirty_days(client_upstream):
    now = timezone.now()
    for days in (31, 29):
        UpstreamBalance.objects.create(amount_upstream_micros=days, asked_at=now - timedelta(days=days))

    check_balance(client=client_upstream, now=now)

    assert set(UpstreamBalance.objects.values_list("amount_upstream_micros", flat=True)) == {29, 1_000_000_000}


def test_reserved_money_is_that_of_orders_not_surely_charged_yet(place):
    for status, cost in [
        (Status.PAID, 1),
        (Status.UNKNOWN, 20),
        (Status.PENDING, 300),
        (Status.COMPLETED, 4000),
        (Status.FAILED, 50_000),
    ]:
        order = place()
        Order.objects.filter(pk=order.pk).update(status=status, cost_upstream_micros=cost)

    assert reserved_upstream_micros() == 21


def test_reserved_money_counts_an_order_on_its_way(paid_order, client_upstream):
    assert reserved_upstream_micros() == 1_500_000

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    assert reserved_upstream_micros() == 0


def test_forecast_divides_what_is_left_by_the_burn_of_the_last_days(place, client_upstream, sandbox):
    now = timezone.now()
    sandbox.set_balance("101.50")
    for number, days in enumerate((0, 1, 2, 4)):
        order = place()
        Order.objects.filter(pk=order.pk).update(
            status=Status.COMPLETED,
            upstream_id=f"u{number}",
            created_at=now - timedelta(days=days),
            charge_upstream_micros=None if days else 2_000_000,
        )
    place()  # paid: 1.50 are spoken for

    check_balance(client=client_upstream, now=now)
    outlook = forecast(now=now)

    assert (outlook.balance_micros, outlook.reserved_micros) == (101_500_000, 1_500_000)
    assert outlook.burn_per_day_micros == 2_500_000  # 2.00 charged and twice 1.50 expected, in two days; not the fourth
    assert outlook.hours_left == 960  # 100.00 at 2.50 a day


def test_forecast_before_the_first_look_and_without_sales_says_what_it_cannot_know(client_upstream):
    assert forecast(now=timezone.now()) is None

    check_balance(client=client_upstream, now=timezone.now())

    assert forecast(now=timezone.now()).hours_left is None


def test_check_balance_when_paid_orders_need_more_than_there_is_tells_once_an_episode(place, client_upstream, sandbox):
    now = timezone.now()
    place()
    sandbox.set_balance("1.49")
    for minutes in range(3):
        check_balance(client=client_upstream, now=now + timedelta(minutes=minutes))
    assert warnings() == 1

    sandbox.set_balance("100.00")
    check_balance(client=client_upstream, now=now + timedelta(minutes=4))
    assert warnings() == 1
    sandbox.set_balance("1.00")
    check_balance(client=client_upstream, now=now + timedelta(minutes=5))
    assert warnings() == 2


def test_check_balance_before_the_money_runs_out_tells_once_though_the_forecast_wavers(
    place, client_upstream, sandbox, settings
):
    now = timezone.now()
    order = place()
    Order.objects.filter(pk=order.pk).update(
        status=Status.COMPLETED,
        upstream_id="u",
        created_at=now - timedelta(hours=10),
        charge_upstream_micros=10_000_000,
    )  # 1.00 an hour
    counted = []
    for minutes, balance in enumerate(["25.00", "23.00", "25.00", "23.00", "40.00", "23.00"]):
        sandbox.set_balance(balance)
        check_balance(client=client_upstream, now=now + timedelta(seconds=minutes))
        counted.append(warnings())

    assert settings.BALANCE_LOW_HOURS == 24
    assert counted == [0, 1, 1, 1, 1, 2]


def test_can_afford_counts_what_is_spoken_for(paid_order, client_upstream, sandbox):
    assert can_afford(10**12)  # nobody has looked yet
    sandbox.set_balance("2.00")
    check_balance(client=client_upstream, now=timezone.now())

    assert can_afford(500_000)
    assert not can_afford(500_001)
