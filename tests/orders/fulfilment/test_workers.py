"""The whole way of an order with a real worker, a real beat and a real broker, and what survives their loss."""

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection, transaction

from notifications.models import Notice
from notifications.outbox import tell_customer
from notifications.wake_worker import Messenger, Wake
from orders.models import Order, Status
from storefront.celery import app
from tests.warm import WarmProcesses
from tests.workers import Workers, wait_for
from wallet.models import Wallet

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def workers(tmp_path: Path, transactional_db: None, sandbox) -> Iterator[Workers]:
    with WarmProcesses() as processes:
        yield Workers(processes, tmp_path)
        processes.kill()  # whether they stop in order is not what these are about, and takes seconds


def statuses() -> list[str]:
    return list(Order.objects.order_by("id").values_list("status", flat=True))


def test_a_woken_worker_forwards_an_order_at_once(workers, place, sandbox):
    workers.worker()

    order = place()

    # No beat runs, so it can only be the message.
    wait_for(lambda: Order.objects.get(pk=order.pk).status == Status.PENDING, "the order is forwarded")
    assert len(sandbox.orders) == 1


def test_an_order_is_followed_to_its_end_by_worker_and_beat(workers, place, sandbox, ann):
    workers.worker()
    workers.beat()
    first, second = place(), place()
    wait_for(lambda: statuses() == [Status.PENDING, Status.PENDING], "both are forwarded")

    first.refresh_from_db()
    second.refresh_from_db()
    sandbox.set_order(first.upstream_id, status="Completed", remains=0)
    sandbox.set_order(second.upstream_id, status="Partial", remains=500)

    wait_for(lambda: statuses() == [Status.COMPLETED, Status.PARTIAL], "both are finished")
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - 2 * 1_875_000 + 937_500


def test_orders_survive_the_loss_of_everything_in_redis(workers, place, sandbox, redis_server: redis.Redis):
    orders = [place(quantity=100) for _each in range(5)]
    redis_server.flushdb()

    workers.worker()
    workers.beat()

    wait_for(lambda: statuses() == [Status.PENDING] * 5, "the sweep has found them")
    assert len(sandbox.orders) == len(orders)


def test_an_order_whose_worker_is_killed_during_the_call_is_unknown_and_never_sent_again(workers, place, sandbox):
    sandbox.fail_next("slow", action="add", seconds=4)
    # A short time-out makes a short claim: the deadline is three times as long.
    doomed = workers.worker("doomed", UPSTREAM_TIMEOUT_SECONDS="5", ORDERS_CLAIM_SECONDS="11")
    order = place()
    wait_for(lambda: statuses() == [Status.SENDING], "the worker has claimed it")
    time.sleep(0.5)  # long enough for the request to have left
    workers.kill(doomed)

    workers.worker("next")
    workers.beat()

    wait_for(lambda: statuses() == [Status.UNKNOWN], "the claim is past its deadline")
    time.sleep(3)  # several sweeps
    order.refresh_from_db()
    assert (order.status, order.attempts) == (Status.UNKNOWN, 1)
    assert len(sandbox.orders) == 1


def test_orders_that_come_together_are_all_forwarded_by_a_woken_worker(workers, place, sandbox):
    workers.worker()

    with transaction.atomic():  # their messages leave at one moment, so that one message names several
        orders = [place(quantity=100) for _each in range(9)]

    wait_for(lambda: statuses() == [Status.PENDING] * len(orders), "no beat runs, so it can only be the messages")
    assert len(sandbox.orders) == len(orders)


def test_a_shop_without_a_broker_still_takes_orders(place, caplog, monkeypatch):
    # A messenger of its own: this one has learned to keep quiet for a while.
    monkeypatch.setattr("notifications.wake_worker._messenger", Messenger())
    broker, app.conf.broker_url = app.conf.broker_url, "redis://127.0.0.1:9/0"
    app._after_fork()  # what Celery itself does when its connections must not be used any more
    try:
        orders = [place(), place()]
        wait_for(lambda: "worker_not_woken" in caplog.text, "the broker is tried")
    finally:
        app.conf.broker_url = broker
        app._after_fork()

    assert {Order.objects.get(pk=order.pk).status for order in orders} == {Status.PAID}
    assert caplog.text.count("worker_not_woken") == 1  # the second did not cost another attempt


def test_notices_when_there_is_news_are_sent_by_a_woken_worker(workers, place, ann):
    workers.worker()

    with transaction.atomic():
        for number in range(9):
            tell_customer(ann, f"news:{number}", "News", "Something has happened")

    wait_for(lambda: not Notice.objects.filter(sent_at=None).exists(), "no beat runs, so it can only be the message")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's sessions")
def test_worker_when_it_has_one_task_after_another_then_its_threads_keep_their_connections(workers, redis_server):
    before = sessions()  # those of other tests' threads are not this test's business
    workers.worker()  # of four threads

    first, later = (sessions_after(20, redis_server) - before for _round in range(2))

    assert 0 < len(first) <= 4
    assert len(first | later) <= 4


def sessions_after(tasks: int, redis_server: redis.Redis) -> set[int]:
    """Have a worker carry out so many tasks, and return the server's processes behind its connections."""
    for _each in range(tasks):
        app.send_task("orders.tasks.release_stale_claims")
    wait_for(lambda: redis_server.llen("money") == 0, "the tasks are taken")
    time.sleep(1)  # and the last ones done
    return sessions()


def sessions() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"  # and no autovacuum
        )
        return {pid for (pid,) in cursor.fetchall()}


def test_wake_worker_when_many_orders_come_in_a_moment_sends_few_messages(redis_server: redis.Redis):
    messenger = Messenger()

    for order_id in range(40):  # in half of the rest after a message
        messenger.tell(Wake("orders.tasks.forward_new_orders", order_id))
        time.sleep(0.0025)

    def waiting() -> list[list[int]]:
        bodies = [json.loads(base64.b64decode(json.loads(raw)["body"])) for raw in redis_server.lrange("money", 0, -1)]
        return [body[1]["ids"] for body in bodies]

    wait_for(lambda: sum(map(len, waiting())) == 40, "all are named")
    assert len(waiting()) <= 3  # the first at once


@pytest.mark.parametrize("of", ["orders", "notices"])
def test_wake_worker_when_the_broker_never_answers_then_the_buyer_does_not_wait(of):
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, says nothing
    messenger = Messenger()
    broker, app.conf.broker_url = app.conf.broker_url, f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
    app._after_fork()
    try:
        for order_id in range(20):
            orders, notices = (
                Wake("orders.tasks.forward_new_orders", order_id),
                Wake("notifications.tasks.send_notices"),
            )
            messenger.tell(orders if of == "orders" else notices)  # the test's own time limit is what would be missed
        silent.settimeout(10)
        first, _address = silent.accept()
        silent.settimeout(0.5)
        with pytest.raises(TimeoutError):
            silent.accept()  # one attempt, whatever gathers
        first.close()
    finally:
        app.conf.broker_url = broker
        app._after_fork()
        silent.close()
