"""After a pause one order goes first; refused again, the wait grows; nobody loses a place in the queue."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.fulfilment.pauses import end_pause, end_probing, resume_forwarding, take_probe_turn
from orders.fulfilment.queue import forward_waiting
from orders.models import ForwardingPause, Order, Status, UpstreamBalance, UpstreamEntry
from tests.clock import stopped_at

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
REFUSAL = {"text": "Insufficient balance"}


@pytest.fixture
def queue(place, client_upstream, sandbox) -> list[Order]:
    """Four paid orders, of which the first has been refused for lack of money that the balance does not show."""
    orders = [place(quantity=100) for _each in range(4)]
    sandbox.fail_next("refuse", action="add", **REFUSAL)
    forward_order(orders[0].pk, client=client_upstream, clock=timezone.now)
    assert ForwardingPause.objects.get(ended_at=None).reason == "balance"
    return orders


def statuses() -> list[str]:
    return list(Order.objects.order_by("id").values_list("status", flat=True))


def bought(sandbox) -> list[str]:
    return [str(placed["id"]) for placed in sandbox.orders]


def test_forward_waiting_after_a_pause_sends_one_order_and_then_the_rest_in_their_places(
    queue, client_upstream, sandbox
):
    assert resume_forwarding(client=client_upstream, now=timezone.now()) == ["balance"]
    assert statuses() == [Status.PAID] * 4

    assert forward_waiting(client=client_upstream, clock=timezone.now) == 1
    assert statuses() == [Status.PENDING, Status.PAID, Status.PAID, Status.PAID]
    assert ForwardingPause.objects.get().proved_at is not None
    assert forward_waiting(client=client_upstream, clock=timezone.now) == 3

    assert statuses() == [Status.PENDING] * 4
    assert len(bought(sandbox)) == 4


def test_forward_order_of_a_later_one_does_not_go_before_the_first_after_a_pause(queue, client_upstream, sandbox):
    resume_forwarding(client=client_upstream, now=timezone.now())

    assert not forward_order(queue[2].pk, client=client_upstream, clock=timezone.now)
    assert forward_order(queue[0].pk, client=client_upstream, clock=timezone.now)
    assert forward_order(queue[2].pk, client=client_upstream, clock=timezone.now)


def test_many_workers_after_a_pause_send_one_order_at_a_time(queue, client_upstream, sandbox):
    resume_forwarding(client=client_upstream, now=timezone.now())
    sandbox.fail_next("slow", action="add", seconds=1)

    def send(order: Order) -> bool:
        try:
            return forward_order(order.pk, client=client_upstream, clock=timezone.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        sent = sum(threads.map(send, queue))

    assert sent == len(bought(sandbox)) == 1


def test_take_probe_turn_while_another_worker_has_not_committed_its_claim_waits_for_it(queue, client_upstream):
    resume_forwarding(client=client_upstream, now=timezone.now())
    first, second = queue[:2]
    Order.objects.filter(pk=first.pk).update(held_because="a loss")  # so the second one's turn has come
    now, claimed = timezone.now(), Event()

    def claim_the_second() -> bool:
        try:
            with transaction.atomic():
                turn = take_probe_turn(second.pk, now=now)
                sending = {"status": Status.SENDING, "claim_token": uuid.uuid4(), "claim_deadline": now}
                Order.objects.filter(pk=second.pk).update(**sending)
                claimed.set()
                time.sleep(0.5)
                return turn
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        seconds_turn = threads.submit(claim_the_second)
        assert claimed.wait(10)
        Order.objects.filter(pk=first.pk).update(held_because="")
        with transaction.atomic():
            firsts_turn = take_probe_turn(first.pk, now=now)

    assert (seconds_turn.result(), firsts_turn) == (True, False)


def test_resume_forwarding_when_the_first_order_is_refused_again_waits_longer_each_time(
    queue, client_upstream, sandbox
):
    sandbox.fail_rate("refuse", 1, action="add", **REFUSAL)
    now = timezone.now()
    waits = []
    for _each in range(4):
        before = now
        while not resume_forwarding(client=client_upstream, now=now):
            now += timedelta(seconds=10)
        waits.append((now - before).total_seconds())
        assert forward_order(queue[0].pk, client=client_upstream, clock=stopped_at(now))
        assert statuses() == [Status.PAID] * 4

    assert waits == [0, 60, 120, 240]
    assert len([request for request in sandbox.requests if request["action"] == "add"]) == 5
    sandbox.clear_faults()
    now += timedelta(hours=1)
    assert resume_forwarding(client=client_upstream, now=now) == ["balance"]
    assert forward_order(queue[0].pk, client=client_upstream, clock=stopped_at(now))
    assert not ForwardingPause.objects.filter(proved_at=None).exists()


def test_resume_forwarding_when_money_came_in_does_not_wait(queue, client_upstream, sandbox):
    sandbox.fail_next("refuse", action="add", **REFUSAL)
    resume_forwarding(client=client_upstream, now=timezone.now())
    forward_waiting(client=client_upstream, clock=timezone.now)
    assert resume_forwarding(client=client_upstream, now=timezone.now()) == []

    sandbox.set_balance("2000.00")

    assert resume_forwarding(client=client_upstream, now=timezone.now()) == ["balance"]


def test_resume_forwarding_keeps_the_balance_it_saw(queue, client_upstream, sandbox):
    sandbox.set_balance("0.10")

    assert resume_forwarding(client=client_upstream, now=timezone.now()) == []

    assert UpstreamBalance.objects.latest("id").amount_upstream_micros == 100_000


def test_a_lost_answer_to_the_first_order_proves_nothing_and_the_next_one_is_tried(queue, client_upstream, sandbox):
    resume_forwarding(client=client_upstream, now=timezone.now())
    sandbox.fail_next("lose_reply", action="add")

    forward_waiting(client=client_upstream, clock=timezone.now)
    assert ForwardingPause.objects.get().proved_at is None
    forward_waiting(client=client_upstream, clock=timezone.now)

    assert statuses() == [Status.UNKNOWN, Status.PENDING, Status.PAID, Status.PAID]
    assert ForwardingPause.objects.get().proved_at is not None


def test_forward_waiting_after_staff_resumed_by_hand_sends_one_order_first_too(queue, client_upstream, sam):
    end_pause(ForwardingPause.objects.get().pk, actor=sam, now=timezone.now())

    assert forward_waiting(client=client_upstream, clock=timezone.now) == 1


def test_forward_waiting_after_the_admins_own_pause_sends_all_at_once(place, client_upstream):
    for _each in range(2):
        place(quantity=100)
    now = timezone.now()
    ForwardingPause.objects.create(reason="admin", ended_at=now)

    assert forward_waiting(client=client_upstream, clock=timezone.now) == 2


def test_an_order_accepted_before_the_pause_ended_proves_nothing(queue, client_upstream):
    UpstreamEntry.objects.get_or_create(kind="opening", defaults={"amount_upstream_micros": 1})
    now = timezone.now()
    Order.objects.filter(pk=queue[3].pk).update(
        status=Status.PENDING, upstream_id="77", sent_at=now - timedelta(minutes=1)
    )
    resume_forwarding(client=client_upstream, now=timezone.now())
    end_probing(queue[3].pk, now=now)

    assert ForwardingPause.objects.get().proved_at is None
