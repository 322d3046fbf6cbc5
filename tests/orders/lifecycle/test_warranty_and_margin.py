"""What an order earned is settled no sooner than its goods' warranty: until then a replacement may cost something."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.lifecycle.cashback import credit_cashback
from orders.lifecycle.final_margin import LONGEST_WAIT, not_final_before
from orders.lifecycle.referrals import credit_referrals
from orders.models import CashbackEarning, DeliveredGoods, Order, ReferralEarning
from tests.conftest import customer
from tests.orders.claims.claiming import COST, answer, books_add_up, fresh

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH_HOURS = 720


@pytest.fixture(autouse=True)
def a_week(settings: Any) -> None:
    settings.LATE_CHANGE_DAYS = 7


def finished(order: Order, *, hours: int | None, since: timedelta = 8 * DAY) -> datetime:
    """Have it finished and delivered a while ago, under a warranty of so many hours; return when."""
    at = timezone.now() - since
    Order.objects.filter(pk=order.pk).update(finished_at=at, next_poll_at=None, warranty_hours=hours)
    DeliveredGoods.objects.filter(order=order).update(received_at=at, arrivals=[[10, at.isoformat()]])
    return at


def earns(order: Order) -> None:
    """Its customer is promised half of the margin, and somebody else ten percent."""
    due = {"due_at": timezone.now(), "order": order}
    CashbackEarning.objects.create(user=order.user, percent=Decimal(50), **due)
    ReferralEarning.objects.create(referrer=customer("rita@example.com"), percent=Decimal(10), **due)
    Order.objects.filter(pk=order.pk).update(pricing={**order.pricing, "cashback_percent": "50"})


def settled(now: datetime) -> tuple[int, int]:
    return credit_referrals(now=now), credit_cashback(now=now)


def test_both_wait_for_the_end_of_the_warranty(bought: Order) -> None:
    at = finished(bought, hours=MONTH_HOURS)
    earns(bought)
    ends = at + timedelta(hours=MONTH_HOURS)

    assert settled(timezone.now()) == (0, 0)
    assert set(CashbackEarning.objects.values_list("due_at", flat=True)) == {ends + HOUR}
    assert set(ReferralEarning.objects.values_list("due_at", flat=True)) == {ends + HOUR}
    assert settled(ends) == (0, 0)

    assert settled(ends + HOUR) == (1, 1)
    books_add_up()


def test_replacements_within_the_warranty_are_paid_from_the_margin_first(
    bought: Order, claim: Any, sam: Any, poll: Any, sandbox: Any, client_upstream: Any
) -> None:
    at = finished(bought, hours=MONTH_HOURS)
    earns(bought)
    settled(timezone.now())
    claim(1)
    made = answer(fresh(bought), sam, "replaced", 1).replacement
    forward_order(made.pk, client=client_upstream, clock=timezone.now)
    sandbox.set_order(fresh(made).upstream_id, status="Completed", remains=0, accounts=["new1:a-secret"])
    poll(days=1)
    came = timezone.now()
    DeliveredGoods.objects.filter(order=made).update(received_at=came, arrivals=[[1, came.isoformat()]])

    assert settled(at + timedelta(hours=MONTH_HOURS) + HOUR) == (0, 0)  # the new one is covered for longer
    assert settled(came + timedelta(hours=MONTH_HOURS) + HOUR) == (1, 1)

    left = 10 * 375_000 - COST
    assert ReferralEarning.objects.get().amount_micros == left // 10
    assert CashbackEarning.objects.get().amount_micros == left // 2
    books_add_up()


@pytest.mark.parametrize("hours", [0, None])
def test_without_a_warranty_nothing_is_waited_for(bought: Order, hours: int | None) -> None:
    finished(bought, hours=hours)
    earns(bought)

    assert settled(timezone.now()) == (1, 1)


def test_warranty_without_an_end_is_waited_for_a_year(bought: Order) -> None:
    at = finished(bought, hours=36_500 * 24)

    assert not_final_before(fresh(bought), timezone.now()) == at + LONGEST_WAIT + HOUR
    assert not_final_before(fresh(bought), at + LONGEST_WAIT + HOUR) is None


def test_lines_that_came_later_are_covered_for_longer(bought: Order) -> None:
    at = finished(bought, hours=24 * 10)
    later = at + 3 * DAY
    DeliveredGoods.objects.filter(order=bought).update(arrivals=[[4, at.isoformat()], [10, later.isoformat()]])

    assert not_final_before(fresh(bought), timezone.now()) == later + 10 * DAY + HOUR


def test_end_of_the_warranty_is_one_question_and_none_without_goods(bought: Order) -> None:
    finished(bought, hours=MONTH_HOURS)

    with CaptureQueriesContext(connection) as asked:
        not_final_before(fresh(bought), timezone.now())
    assert len([query for query in asked if "orders_deliveredgoods" in query["sql"]]) == 1
    Order.objects.filter(pk=bought.pk).update(warranty_hours=None)
    with CaptureQueriesContext(connection) as asked:
        not_final_before(fresh(bought), timezone.now())
    assert not [query for query in asked if "orders_deliveredgoods" in query["sql"]]
