"""What the shop pays for and no order follows: the books have what upstream charges in the end."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from orders.accounting.audit.upstream import charges_beside
from orders.attempts.answers import State, settle_attempt
from orders.fulfilment.follow_losses import follow_losses
from orders.models import LostAttempt, Order, OrderEvent
from tests.orders.attention import make_lost

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def loss(send, client_upstream) -> LostAttempt:
    """An attempt that came besides the order that is followed, for the same 1.50."""
    order, twin = send(), send()
    attempt = make_lost(order)
    found = {"upstream_id": twin.upstream_id, "charge_upstream_micros": 1_500_000}
    assert settle_attempt(attempt, State.LOSS, now=timezone.now(), **found)
    Order.objects.filter(pk=twin.pk).update(upstream_id=None)
    attempt.refresh_from_db()
    return attempt


@pytest.fixture
def look(client_upstream):
    def look_at(**later: float) -> int:
        return follow_losses(client=client_upstream, now=timezone.now() + timedelta(**later))

    return look_at


def booked() -> list[int]:
    return [micros for _attempt, micros in charges_beside(LostAttempt.objects.all())]


def test_follow_losses_when_upstream_gives_the_money_back_books_that(loss, look, sandbox):
    sandbox.set_order(loss.upstream_id, status="Canceled", charge="0.00")

    assert look(minutes=16) == 1

    assert booked() == [0]
    event = loss.order.events.filter(code=OrderEvent.Code.ATTENTION).latest("id")
    assert (event.evidence["charge"], event.evidence["charge_before"]) == ("0.00", "1.50")


def test_follow_losses_asks_ever_more_seldom_and_no_longer_than_upstream_may_change_its_mind(loss, look, sandbox):
    def asked() -> int:
        return sum(request["action"] == "status" for request in sandbox.requests)

    times = [asked()]
    for minutes in (14, 16, 17, 33, 35, 8 * 24 * 60):
        assert look(minutes=minutes) == 0
        times.append(asked())

    assert [after - before for before, after in pairwise(times)] == [0, 1, 0, 1, 0, 0]


def test_follow_losses_when_upstream_is_away_or_does_not_know_the_order_leaves_the_charge(loss, look, sandbox):
    sandbox.fail_next("500_before", action="status", times=10)
    assert look(minutes=16) == 0
    loss.refresh_from_db()
    assert loss.looked_at is None

    sandbox.fail_next("refuse", action="status", text="Order not found")
    assert look(minutes=17) == 0

    assert booked() == [1_500_000]


def test_follow_losses_in_a_foreign_currency_leaves_the_charge(loss, look, sandbox):
    sandbox.set_order(loss.upstream_id, status="Canceled", charge="0.10")
    sandbox.set(currency="EUR")

    assert look(minutes=16) == 0

    assert booked() == [1_500_000]


def test_follow_losses_leaves_a_loss_that_its_order_follows(send, look, sandbox):
    order = send()
    attempt = make_lost(order)
    settle_attempt(attempt, State.LOSS, now=timezone.now(), upstream_id=order.upstream_id, charge_upstream_micros=5)
    sandbox.set_order(order.upstream_id, status="Canceled", charge="0.00")

    assert look(minutes=16) == 0

    assert booked() == []


def test_follow_losses_when_upstream_refuses_one_goes_on_with_the_others(send, look, sandbox):
    twins = []
    for _each in range(2):
        order, twin = send(), send()
        found = {"upstream_id": twin.upstream_id, "charge_upstream_micros": 1_500_000}
        settle_attempt(make_lost(order), State.LOSS, now=timezone.now(), **found)
        Order.objects.filter(pk=twin.pk).update(upstream_id=None)
        twins.append(twin.upstream_id)
    sandbox.set_order(twins[1], status="Canceled", charge="0.00")
    sandbox.fail_next("refuse", action="status", text="Order is archived")

    assert look(minutes=16) == 1

    assert sorted(booked()) == [0, 1_500_000]
