"""A deploy stops a worker in the middle: it finishes what it has begun, begins nothing new, the next one goes on."""

import time
from ipaddress import ip_network

import pytest
from django.db import transaction
from django.utils import timezone

from api.models import WebhookDelivery
from api.webhooks.operations import add_webhook
from catalog.models import SyncRun
from orders.fulfilment.forward import forward_order
from orders.models import Order, Status
from storefront.celery import app
from tests.api.webhooks.messages import make
from tests.api.webhooks.receiver import OK, Receiver
from tests.storefront.stops.servers import asked
from tests.workers import wait_for

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]

SLOW_SECONDS = 2.0


def stopped_within(child, seconds: float) -> bool:
    """Ask a worker to stop, and say whether it went by itself in time."""
    child.process.send_signal(child.stop_signal)
    return child.process.wait(seconds) == 0


def by_status() -> dict[str, int]:
    statuses = list(Order.objects.values_list("status", flat=True))
    return {status: statuses.count(status) for status in set(statuses)}


def test_worker_when_it_is_stopped_while_it_sends_then_all_orders_are_bought_once_and_no_call_begins(
    workers, place, sandbox, books_add_up
):
    """Eight answers at once that take two seconds each: a worker that went on would send all of them."""
    sandbox.set(latency_seconds=SLOW_SECONDS)
    with transaction.atomic():
        orders = [place(quantity=100, link=f"https://instagram.com/{number}") for number in range(24)]
    old = workers.worker("old")
    workers.beat()
    wait_for(asked(sandbox, "add"), "the first purchases have reached the supplier")

    assert stopped_within(old, 20)

    left = by_status()
    assert set(left) == {Status.PENDING, Status.PAID}, left  # else it would have stayed for all of them
    assert left[Status.PENDING] == asked(sandbox, "add")()
    sandbox.set(latency_seconds=0)
    workers.worker("new")
    wait_for(lambda: by_status() == {Status.PENDING: len(orders)}, "the next worker has sent the rest")
    links = [order["link"] for order in sandbox.orders]
    assert len(links) == len(set(links)) == len(orders)
    books_add_up(sandbox)


@pytest.mark.long
def test_worker_when_it_is_stopped_while_it_polls_then_answers_are_recorded_and_the_rest_is_free_for_the_next(
    workers, place, sandbox, client_upstream
):
    orders = [place(quantity=100) for _each in range(20)]
    for order in orders:
        assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
        sandbox.set_order(Order.objects.get(pk=order.pk).upstream_id, status="Completed", remains=0)
    Order.objects.update(next_poll_at=timezone.now())
    sandbox.set(latency_seconds=SLOW_SECONDS)
    old = workers.worker("old")
    app.send_task("orders.tasks.poll_orders")
    wait_for(asked(sandbox, "status"), "the first questions have reached the supplier")

    assert stopped_within(old, 20)

    done = Order.objects.filter(status=Status.COMPLETED).count()
    assert done == asked(sandbox, "status")() < len(orders)
    assert not Order.objects.filter(status=Status.PENDING).exclude(poll_claimed_until=None).exists()
    sandbox.set(latency_seconds=0)
    workers.worker("new")
    app.send_task("orders.tasks.poll_orders")
    wait_for(lambda: by_status() == {Status.COMPLETED: len(orders)}, "the next worker has asked about the rest")


@pytest.mark.long
def test_worker_when_it_is_stopped_while_it_syncs_then_the_next_sync_is_not_kept_out(workers, sandbox):
    old = workers.worker("old")
    sandbox.set(latency_seconds=SLOW_SECONDS)
    app.send_task("catalog.tasks.sync_catalog")
    wait_for(lambda: SyncRun.objects.exists(), "the sync has begun")

    assert stopped_within(old, 20)

    assert SyncRun.objects.get().status == SyncRun.Status.FAILED
    sandbox.set(latency_seconds=0)
    workers.worker("new")
    app.send_task("catalog.tasks.sync_catalog")
    applied = SyncRun.objects.filter(status=SyncRun.Status.APPLIED)
    wait_for(applied.exists, "the next one has the catalog")


@pytest.mark.long
def test_worker_when_it_is_stopped_while_a_receiver_is_slow_then_every_message_arrives_once(workers, settings, ann):
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver() as receiver:
        receiver.answer = lambda out: (time.sleep(SLOW_SECONDS), out.write(OK))
        hook, _secret = add_webhook(user=ann, url=receiver.url, name="shop")
        workers.environment |= {"WEBHOOK_ALLOW_HTTP": "true", "WEBHOOK_ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8"}
        messages = make(hook, 8)  # of which two at once go to one host
        waiting = WebhookDelivery.objects.filter(delivered_at=None)
        old = workers.worker("old")
        app.send_task("api.tasks.send_webhooks")
        wait_for(lambda: receiver.received, "the first message has arrived")

        assert stopped_within(old, 20)

        assert WebhookDelivery.objects.exclude(delivered_at=None).count() == len(receiver.received) < len(messages)
        assert not WebhookDelivery.objects.exclude(claimed_until=None).exists()
        receiver.answer = lambda out: out.write(OK)
        workers.worker("new")
        app.send_task("api.tasks.send_webhooks")
        wait_for(lambda: not waiting.exists(), "the next worker has sent the rest")
        ids = [one.headers["x-webhook-id"] for one in receiver.received]
        assert len(ids) == len(set(ids))
