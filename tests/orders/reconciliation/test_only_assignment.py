"""Several lost answers at once: whatever only one assignment explains is settled, true ties are a human's."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Service, ServiceChange, SyncRun
from notifications.models import Notice
from orders.accounting.audit import audit
from orders.attempts.assumptions import probe_foreign_ids
from orders.fulfilment.forward import forward_order
from orders.lifecycle.supply import Report, supply_of
from orders.models import LostAttempt, Order, Status, UpstreamAssumption
from orders.reconciliation.candidates import charge_is_possible
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_by_refund
from tests.clock import stopped_at
from tests.orders.attention import attempt_of, flags_of

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
Doubt, State = LostAttempt.Doubt, LostAttempt.State


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def in_minutes(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def synced(minutes: float) -> SyncRun:
    """A sync that was applied then."""
    at = in_minutes(minutes)
    return SyncRun.objects.create(
        kind=SyncRun.Kind.CATALOG, status=SyncRun.Status.UNCHANGED, started_at=at, finished_at=at
    )


def ids_of(sandbox: Any, order: Order) -> list[str]:
    return [str(one["id"]) for one in sandbox.orders if one["link"] == order.link]


def test_two_lost_orders_of_different_size_get_their_own_ids_once_the_prices_are_certain(
    send, client_upstream, sandbox
):
    synced(-5)
    send(quantity=100)
    small = send(fault="lose_reply", quantity=500, link="https://instagram.com/small")
    large = send(fault="lose_reply", quantity=2000, link="https://instagram.com/large")
    send(minutes=11, quantity=100)
    assert reconcile_orders(client=client_upstream, now=in_minutes(12)) == 0
    assert {attempt_of(order).doubt for order in (small, large)} == {Doubt.PRICES}

    synced(12)

    assert reconcile_orders(client=client_upstream, now=in_minutes(13)) == 2
    for order in (small, large):
        assert [fresh(order).upstream_id] == ids_of(sandbox, order)
    assert audit(client=None, now=timezone.now()).problems == []


def test_one_of_two_lost_orders_that_was_placed_is_adopted_and_the_other_sent_again(send, client_upstream, sandbox):
    synced(-5)
    send(quantity=100)
    placed = send(fault="lose_reply", quantity=500, link="https://instagram.com/placed")
    absent = send(fault="lose_request", quantity=2000, link="https://instagram.com/absent")
    send(minutes=11, quantity=100)
    synced(12)

    assert reconcile_orders(client=client_upstream, now=in_minutes(13)) == 2

    assert [fresh(placed).upstream_id] == ids_of(sandbox, placed)
    assert (fresh(absent).status, attempt_of(absent).state) == (Status.PAID, State.ABSENT)


def test_a_rate_that_rose_unseen_keeps_the_order_from_losing_its_id_to_another(send, client_upstream, sandbox, service):
    """The dearer of two charges is what the smaller order costs at the new rate."""
    synced(-5)
    send(quantity=100)
    sandbox.set_service(service.upstream_id, rate="3.00")
    first = send(fault="lose_reply", quantity=500, link="https://instagram.com/first")  # charged 1.50
    second = send(fault="lose_request", quantity=1000, link="https://instagram.com/second")  # would be 1.50 at 1.50
    send(minutes=11, quantity=100)
    run = synced(12)
    ServiceChange.objects.create(
        run=run,
        service=service,
        kind=ServiceChange.Kind.RATE,
        rate_before_micros=1_500_000,
        rate_after_micros=3_000_000,
        created_at=run.finished_at,
    )

    reconcile_orders(client=client_upstream, now=in_minutes(13))

    assert fresh(second).upstream_id is None
    assert fresh(first).upstream_id in (None, *ids_of(sandbox, first))


def test_two_lost_orders_that_look_the_same_are_never_told_apart(send, client_upstream):
    synced(-5)
    send(quantity=100)
    pair = [send(fault=fault) for fault in ("lose_reply", "lose_request")]
    send(minutes=11, quantity=100)
    synced(12)

    assert reconcile_orders(client=client_upstream, now=in_minutes(13)) == 0

    for order in pair:
        [candidate] = attempt_of(order).evidence["candidates"]
        assert (attempt_of(order).doubt, candidate["orders"]) == (Doubt.CANDIDATES, [one.pk for one in pair])


def test_an_order_that_nobody_explains_settles_nothing_and_is_told(send, client_upstream, sandbox, settings):
    settings.ADMINS = [("Admin", "admin@example.com")]
    synced(-5)
    send(quantity=100)
    lost = send(fault="lose_reply", quantity=500)
    sandbox.set_order(str(sandbox.orders[-1]["id"]), charge="40.00")
    send(minutes=11, quantity=100)
    synced(12)

    assert reconcile_orders(client=client_upstream, now=in_minutes(13)) == 0

    assert (fresh(lost).status, attempt_of(lost).doubt) == (Status.UNKNOWN, Doubt.UNEXPLAINED)
    assert Notice.objects.filter(user=None, key__startswith="unexplained:service:").count() == 1


def test_both_attempts_of_one_order_that_was_bought_twice_are_found(send, client_upstream, sandbox, sam):
    send(quantity=100)
    order = send(fault="lose_reply", link="https://instagram.com/twice")
    resolve_as_not_placed(order.pk, actor=sam, now=timezone.now())
    sandbox.fail_next("lose_reply", action="add")
    forward_order(order.pk, client=client_upstream, clock=stopped_at(in_minutes(1)))
    send(minutes=13, quantity=100)

    for minutes in (14, 15):
        reconcile_orders(client=client_upstream, now=in_minutes(minutes))

    states = sorted(order.lost_attempts.values_list("state", flat=True))
    assert (fresh(order).status, states) == (Status.PENDING, [State.ADOPTED, State.LOSS])
    kept = order.lost_attempts.values_list("upstream_id", flat=True)
    assert sorted(kept) == sorted(ids_of(sandbox, order))


def test_a_refunded_attempt_that_certainly_has_an_id_is_booked_as_the_shops_loss(send, client_upstream, sandbox, sam):
    synced(-5)
    send(quantity=100)
    refunded = send(fault="lose_reply", quantity=2000, link="https://instagram.com/refunded")
    resolve_by_refund(refunded.pk, actor=sam, now=timezone.now())
    lost = send(fault="lose_request", quantity=500)
    send(minutes=11, quantity=100)
    synced(12)

    assert reconcile_orders(client=client_upstream, now=in_minutes(13)) == 2

    assert (fresh(lost).status, attempt_of(refunded).state) == (Status.PAID, State.LOSS)
    assert [attempt_of(refunded).upstream_id] == ids_of(sandbox, refunded)


# --- A quiet shop ---------------------------------------------------------------------------------------------------
def test_quiet_shop_when_the_settling_time_is_over_then_ids_after_the_last_known_are_asked(
    send, client_upstream, sandbox, settings
):
    settings.RECONCILE_LOOK_AHEAD = 5
    last = send(quantity=100)
    lost = send(fault="lose_reply")
    assert reconcile_orders(client=client_upstream, now=in_minutes(9)) == 0
    before = len(sandbox.requests)

    assert reconcile_orders(client=client_upstream, now=in_minutes(11)) == 1

    assert len(sandbox.requests) - before == 5
    assert fresh(lost).upstream_id == str(int(last.upstream_id) + 1)


def test_quiet_shop_when_nothing_is_found_then_the_order_stays_unknown_and_says_what_was_asked(
    send, client_upstream, sandbox, settings
):
    settings.RECONCILE_LOOK_AHEAD = 5
    last = send(quantity=100)
    lost = send(fault="lose_request")

    questions = []
    for minutes in (11, 12, 75):
        before = len(sandbox.requests)
        assert reconcile_orders(client=client_upstream, now=in_minutes(minutes)) == 0
        questions.append(len(sandbox.requests) - before)

    assert questions == [5, 0, 5]  # again from time to time
    attempt = attempt_of(lost)
    assert (fresh(lost).status, attempt.doubt) == (Status.UNKNOWN, Doubt.OPEN)
    assert (attempt.evidence["asked"], attempt.evidence["asked_until"]) == (5, int(last.upstream_id) + 5)


# --- What is taken for granted ---------------------------------------------------------------------------------------
def test_a_number_that_was_sold_between_two_services_breaks_no_assumption(
    send,
    client_upstream,
    buy,
):
    send(quantity=100)
    [number] = buy()
    forward_order(number.pk, client=client_upstream, clock=timezone.now)
    send(quantity=100)

    probe_foreign_ids(client=client_upstream, now=timezone.now())

    assert not UpstreamAssumption.objects.filter(broken_at__isnull=False).exists()
    assert flags_of(number) == []


def test_costs_while_the_unit_is_unconfirmed_have_both_readings(send, client_upstream, service):
    send(quantity=100)
    lost = send(fault="lose_reply", quantity=100)
    Service.objects.filter(pk=service.pk).update(rate_per_override=None)
    service.category.__class__.objects.update(rate_confirmed_at=None)
    attempt = LostAttempt.objects.select_related("order__service__category").get(order=lost)

    costs = supply_of(lost).cost_range(attempt)

    assert (costs.low, costs.high, costs.settled) == (150, 150_000_000, False)


def test_a_lost_order_is_looked_at_again_once_the_price_of_a_rival_of_the_other_kind_is_certain(
    send, client_upstream, sandbox, buy
):
    """The number, which was not placed and cost less, could have had the order's id for all that was known."""
    synced(-5)
    SyncRun.objects.update(kind=SyncRun.Kind.SMS)
    synced(-5)
    send(quantity=100)
    lost = send(fault="lose_reply")
    [number] = buy()
    sandbox.fail_next("lose_request", action="add_sms")
    forward_order(number.pk, client=client_upstream, clock=timezone.now)
    send(minutes=11, quantity=100)
    synced(12)
    reconcile_orders(client=client_upstream, now=in_minutes(13))
    assert attempt_of(lost).doubt == Doubt.PRICES

    SyncRun.objects.filter(pk=synced(13).pk).update(kind=SyncRun.Kind.SMS)
    reconcile_orders(client=client_upstream, now=in_minutes(14))

    assert (fresh(lost).status, attempt_of(lost).state) == (Status.PENDING, State.ADOPTED)


def test_costs_of_a_number_whose_price_nobody_will_learn_any_more_contradict_no_charge(client_upstream, sandbox, buy):
    SyncRun.objects.filter(pk=synced(-5).pk).update(kind=SyncRun.Kind.SMS)
    [number] = buy()
    sandbox.fail_next("lose_reply", action="add_sms")
    forward_order(number.pk, client=client_upstream, clock=timezone.now)
    for minutes in (12, 24):
        SyncRun.objects.filter(pk=synced(minutes).pk).update(kind=SyncRun.Kind.SMS, changed=1)
    costs = supply_of(number).cost_range(attempt_of(number))

    assert costs.settled
    assert charge_is_possible(costs, Report(status=None, word="active", charge_upstream_micros=123_456_789))
