"""Forwarding: claim, call, record; the four answers; nothing is sent twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Service
from orders.accounting.audit import audit
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.fulfilment.pauses import resume_forwarding
from orders.fulfilment.poll import poll_due
from orders.fulfilment.queue import forward_waiting
from orders.lifecycle.transitions import WrongStatus
from orders.models import ForwardingPause, KnownRefusal, Order, OrderEvent, Status, UpstreamEntry
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_by_refund
from tests.clock import stopped_at
from tests.orders.attention import Flag, attempt_of, flags_of, said_of
from upstream.client import Client
from wallet.models import LedgerEntry, Wallet

pytestmark = pytest.mark.sqlite

Code = OrderEvent.Code


def codes(order: Order) -> list[str]:
    return list(order.events.values_list("code", flat=True))


def refunds(order: Order) -> list[int]:
    mine = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND, reference__startswith=f"order:{order.pk}:")
    return list(mine.order_by("id").values_list("amount_micros", flat=True))


def test_forward_order_when_accepted_keeps_the_upstream_id(paid_order, client_upstream, sandbox):
    assert forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    [placed] = sandbox.orders
    assert (paid_order.status, paid_order.upstream_id) == (Status.PENDING, str(placed["id"]))
    assert (placed["quantity"], placed["link"]) == (1000, "https://instagram.com/ann")
    assert paid_order.next_poll_at is not None
    assert codes(paid_order) == [Code.PLACED, Code.CLAIMED, Code.ACCEPTED]


def test_forward_order_sends_comments_one_a_line(place, service, client_upstream, sandbox):
    row = {"name": "Comments", "type": "Custom Comments", "category": "Instagram", "rate": "2.00", "min": 1, "max": 50}
    sandbox.add_service(service=900_002, **row)
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=1, upstream_id=900_002)
    order = place(quantity=None, comments="nice\nso nice")

    forward_order(order.pk, client=client_upstream, clock=timezone.now)

    assert [placed["comments"] for placed in sandbox.orders] == ["nice\nso nice"]


def test_forward_order_a_second_time_sends_nothing(sent_order, client_upstream, sandbox):
    assert not forward_order(sent_order.pk, client=client_upstream, clock=timezone.now)

    assert len(sandbox.orders) == 1


def test_the_opening_balance_is_noted_before_the_first_order(sent_order, sandbox):
    opening = UpstreamEntry.objects.get(kind=UpstreamEntry.Kind.OPENING)

    assert opening.amount_upstream_micros == 1_000_000_000


@pytest.mark.parametrize("fault", ["lose_reply", "500_after", "garbage", "half_body", "lose_request", "500_before"])
def test_forward_order_when_no_clear_answer_comes_waits_unknown(paid_order, client_upstream, sandbox, fault):
    sandbox.fail_next(fault, action="add")

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    placed = 0 if fault in ("lose_request", "500_before") else 1
    assert (paid_order.status, paid_order.refunded_micros, len(sandbox.orders)) == (Status.UNKNOWN, 0, placed)
    assert flags_of(paid_order) == [Flag.PERHAPS_PLACED]


def test_forward_order_when_another_shop_has_had_too_many_requests_sends_it_again_later(
    paid_order, client_upstream, sandbox
):
    sandbox.fail_next("refuse", action="add", text="Too many requests, rate limit exceeded")

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, flags_of(paid_order), sandbox.orders) == (Status.PAID, [], [])
    assert paid_order.not_before > timezone.now()
    assert forward_order(paid_order.pk, client=client_upstream, clock=stopped_at(timezone.now() + timedelta(minutes=1)))
    assert not ForwardingPause.objects.exists()


def test_forward_order_when_upstream_answers_too_late_waits_unknown(paid_order, sandbox):
    sandbox.fail_next("slow", action="add", seconds=3)
    client = sandbox.client(timeout_seconds=1)

    forward_order(paid_order.pk, client=client, clock=timezone.now)

    paid_order.refresh_from_db()
    assert paid_order.status == Status.UNKNOWN


def test_forward_order_when_nothing_reached_upstream_goes_back_to_the_queue(paid_order, client_upstream, sandbox):
    UpstreamEntry.objects.create(kind="opening", amount_upstream_micros=1)
    nobody_there = Client("http://127.0.0.1:9/api/v2", "key", 5)

    forward_order(paid_order.pk, client=nobody_there, clock=timezone.now)

    paid_order.refresh_from_db()
    assert paid_order.status == Status.PAID
    assert codes(paid_order) == [Code.PLACED, Code.CLAIMED, Code.NOT_SENT]
    assert paid_order.not_before > timezone.now()
    Order.objects.update(not_before=None)
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    paid_order.refresh_from_db()
    assert (paid_order.status, len(sandbox.orders)) == (Status.PENDING, 1)


def test_forward_order_when_throttled_goes_back_to_the_queue(paid_order, client_upstream, sandbox):
    sandbox.fail_next("429", action="add")

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, len(sandbox.orders)) == (Status.PAID, 0)


def test_forward_order_of_a_service_that_is_gone_fails_refunds_and_withdraws_it(
    paid_order, client_upstream, sandbox, ann, service
):
    sandbox.remove_service(service.upstream_id)

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    service.refresh_from_db()
    assert (paid_order.status, paid_order.refunded_micros) == (Status.FAILED, paid_order.price_micros)
    assert refunds(paid_order) == [1_875_000]
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    assert service.withdrawn_at is not None


def test_forward_order_refused_for_its_quantity_refunds_and_asks_the_admin(paid_order, client_upstream, sandbox):
    sandbox.fail_next("refuse", action="add", text="Quantity is less than minimum")

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, refunds(paid_order)) == (Status.FAILED, [1_875_000])
    assert said_of(paid_order) == "Refused upstream: Quantity is less than minimum"


def test_forward_order_with_an_unlisted_error_text_waits_until_the_admin_lists_it(place, client_upstream, sandbox):
    first, second = place(), place()
    sandbox.fail_next("refuse", action="add", text="Drip feed is off", times=2)

    forward_order(first.pk, client=client_upstream, clock=timezone.now)
    KnownRefusal.objects.create(text="Drip feed is off")
    forward_order(second.pk, client=client_upstream, clock=timezone.now)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Status.UNKNOWN, Status.FAILED)
    assert first.events.last().evidence == {"cause": "unlisted", "detail": "Drip feed is off"}
    assert attempt_of(first).cause_text == "unlisted error text: Drip feed is off"


def test_forward_order_refused_with_a_known_text_but_status_500_is_unknown(paid_order, client_upstream, sandbox):
    sandbox.fail_next("refuse", action="add", text="Service not found", status=500)

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert paid_order.status == Status.UNKNOWN


def test_forwarding_pauses_without_upstream_money_and_resumes_by_itself(place, client_upstream, sandbox):
    first, second = place(), place()
    sandbox.set_balance("0.00")

    forward_order(first.pk, client=client_upstream, clock=timezone.now)
    assert not forward_order(second.pk, client=client_upstream, clock=timezone.now)
    assert resume_forwarding(client=client_upstream, now=timezone.now()) == []
    sandbox.set_balance("500.00")
    assert resume_forwarding(client=client_upstream, now=timezone.now()) == [ForwardingPause.Reason.BALANCE]
    for order in (first, second):
        assert forward_order(order.pk, client=client_upstream, clock=timezone.now)

    assert {order.status for order in Order.objects.all()} == {Status.PENDING}
    assert refunds(first) == []
    assert [int(placed["id"]) for placed in sandbox.orders] == [
        int(upstream_id) for upstream_id in Order.objects.order_by("id").values_list("upstream_id", flat=True)
    ]


def test_forwarding_pauses_with_a_wrong_key_and_resumes_with_the_right_one(paid_order, client_upstream, sandbox):
    UpstreamEntry.objects.create(kind="opening", amount_upstream_micros=1_000_000_000)
    wrong = sandbox.client(key="wrong")

    forward_order(paid_order.pk, client=wrong, clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, ForwardingPause.objects.get(ended_at=None).reason) == (Status.PAID, "key")
    assert resume_forwarding(client=wrong, now=timezone.now()) == []
    assert resume_forwarding(client=client_upstream, now=timezone.now()) == ["key"]
    assert forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)


def test_a_worker_that_slept_through_its_deadline_sends_nothing(paid_order, client_upstream, sandbox):
    times = iter([timezone.now(), timezone.now()])  # it looks whether forwarding is paused, and claims
    last = timezone.now() + timedelta(hours=1)

    assert not forward_order(paid_order.pk, client=client_upstream, clock=lambda: next(times, last))

    paid_order.refresh_from_db()
    assert (sandbox.orders, paid_order.status) == ([], Status.PAID)


def test_a_worker_whose_claim_was_released_sends_nothing(paid_order, client_upstream, sandbox):
    UpstreamEntry.objects.create(kind="opening", amount_upstream_micros=1_000_000_000)
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))

    assert not claim.stands(now=timezone.now(), call_seconds=1)
    paid_order.refresh_from_db()
    assert paid_order.status == Status.UNKNOWN


def test_an_answer_that_comes_after_the_deadline_is_recorded(paid_order, client_upstream, sandbox):
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))

    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.upstream_id) == (Status.PENDING, str(sandbox.orders[0]["id"]))
    assert flags_of(paid_order) == []


def test_an_answer_that_comes_after_the_admin_refunded_is_booked_as_loss(paid_order, client_upstream, sandbox, sam):
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_by_refund(paid_order.pk, actor=sam, now=timezone.now())

    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, refunds(paid_order)) == (Status.FAILED, [1_875_000])
    assert paid_order.events.last().code == Code.LOSS
    assert paid_order.charge_upstream_micros == 1_500_000
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert str(sandbox.orders[0]["id"]) in said_of(paid_order)


def test_a_loss_that_a_late_answer_brought_is_asked_what_it_really_cost(paid_order, client_upstream, sandbox, sam):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_by_refund(paid_order.pk, actor=sam, now=timezone.now())
    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)
    sandbox.set_order(sandbox.orders[0]["id"], status="Canceled", charge="0")

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(minutes=1)))

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.charge_upstream_micros) == (Status.FAILED, 0)


def test_release_stale_claims_leaves_fresh_ones_alone(paid_order):
    engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")

    assert release_stale_claims(now=timezone.now()) == 0
    assert release_stale_claims(now=timezone.now() + timedelta(hours=1)) == 1


@pytest.fixture
def unknown_order(paid_order, client_upstream, sandbox):
    sandbox.fail_next("lose_reply", action="add")
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    paid_order.refresh_from_db()
    assert paid_order.status == Status.UNKNOWN
    return paid_order


def test_resolve_as_not_placed_sends_it_again(unknown_order, client_upstream, sandbox, sam):
    resolve_as_not_placed(unknown_order.pk, actor=sam, now=timezone.now())

    assert forward_order(unknown_order.pk, client=client_upstream, clock=timezone.now)
    assert len(sandbox.orders) == 2


@pytest.mark.parametrize("resolve", [resolve_as_not_placed, resolve_by_refund])
def test_resolve_twice_or_of_an_order_that_is_not_unknown_changes_nothing(paid_order, sam, resolve):
    with pytest.raises(WrongStatus):
        resolve(paid_order.pk, actor=sam, now=timezone.now())

    paid_order.refresh_from_db()
    assert (paid_order.status, refunds(paid_order)) == (Status.PAID, [])


@pytest.mark.django_db(transaction=True)
def test_forward_waiting_sends_every_order_once_even_with_two_sweeps(place, client_upstream, sandbox):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    orders = [place(quantity=100) for _each in range(12)]

    def sweep(_number: int) -> int:
        try:
            return forward_waiting(client=client_upstream, clock=timezone.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        sent = sum(threads.map(sweep, range(2)))

    assert sent == len(sandbox.orders) == len(orders)
    assert set(Order.objects.values_list("status", flat=True)) == {Status.PENDING}
