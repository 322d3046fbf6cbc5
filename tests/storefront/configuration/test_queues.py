"""Each task waits in a queue of its own kind, whoever sends it; and no message is left lying in any of them."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings

from notifications.wake_worker import Messenger, Wake
from storefront.celery import app
from storefront.configuration.queues import IN_EVERY_QUEUE, LEFT, QUEUES
from storefront.monitoring.health import silent_queues, tasks_waiting, tasks_waiting_by_queue
from tests.warm import WarmProcesses
from tests.workers import Workers, wait_for


def waiting(server: redis.Redis) -> dict[str, list[str]]:
    """Return the names of the tasks in each queue that has any."""
    found = {}
    for queue in (*QUEUES, LEFT):
        if messages := server.lrange(queue, 0, -1):
            found[queue] = [json.loads(message)["headers"]["task"] for message in reversed(messages)]
    return found


def test_every_task_has_one_queue_on_purpose():
    app.loader.import_default_modules()
    registered = {name for name in app.tasks if not name.startswith("celery.")}
    placed = Counter(task for tasks in QUEUES.values() for task in tasks)

    assert set(placed) == registered - {IN_EVERY_QUEUE}
    assert set(placed.values()) == {1}


def test_what_moves_money_waits_for_nothing_slow():
    money = set(QUEUES["money"])

    assert {"orders.tasks.forward_new_orders", "orders.tasks.forward_orders", "wallet.tasks.check_top_ups"} <= money
    assert not [task for task in money if "sync" in task or "notices" in task or "audit" in task]


def test_a_worker_that_is_given_no_queues_serves_all_of_them():
    assert set(app.amqp.queues.consume_from) == {*QUEUES, LEFT}


def test_beat_says_to_each_queue_that_it_is_alive():
    beats = [job for job in settings.CELERY_BEAT_SCHEDULE.values() if job["task"] == IN_EVERY_QUEUE]

    assert {(job["options"]["queue"], job["kwargs"]["queue"]) for job in beats} == {(name, name) for name in QUEUES}


@pytest.mark.parametrize(
    ("wake", "queue"),
    [
        (Wake("orders.tasks.forward_new_orders", 7), "money"),
        (Wake("notifications.tasks.send_letters"), "mail"),
        (Wake("jobs.tasks.run_jobs"), "sync"),
    ],
    ids=lambda value: value.task if isinstance(value, Wake) else value,
)
def test_a_wake_up_by_name_lands_in_the_queue_of_its_task(redis_server: redis.Redis, wake: Wake, queue: str):
    Messenger().tell(wake)

    wait_for(lambda: waiting(redis_server), "the message is on its way in a thread")
    assert waiting(redis_server) == {queue: [wake.task]}


def test_a_task_nobody_has_placed_waits_where_workers_look_too(redis_server: redis.Redis):
    app.send_task("of.another.version")

    assert waiting(redis_server) == {LEFT: ["of.another.version"]}


def test_tasks_waiting_counts_every_queue(redis_server: redis.Redis):
    for task in ("orders.tasks.forward_orders", "orders.tasks.poll_orders", "sms.tasks.sync_sms", "of.another.version"):
        app.send_task(task)

    assert tasks_waiting() == 4
    assert {name: count for name, count in tasks_waiting_by_queue().items() if count} == {
        "money": 1,
        "polling": 1,
        "sync": 1,
        LEFT: 1,
    }


@pytest.fixture
def workers(tmp_path: Path, transactional_db: None, redis_server: redis.Redis) -> Iterator[Workers]:
    with WarmProcesses() as processes:
        yield Workers(processes, tmp_path)
        processes.kill()


@pytest.mark.broker
def test_worker_without_queues_answers_in_every_one_of_them(workers: Workers, redis_server: redis.Redis):
    for queue in QUEUES:
        app.send_task(IN_EVERY_QUEUE, kwargs={"queue": queue}, queue=queue)
    assert silent_queues() == list(QUEUES)

    workers.worker()

    wait_for(lambda: not silent_queues(), "all were served")
    assert tasks_waiting() == 0


@pytest.mark.broker
def test_worker_of_money_serves_what_the_version_before_sent_and_nothing_of_others(
    workers: Workers, redis_server: redis.Redis
):
    app.send_task(IN_EVERY_QUEUE, kwargs={"queue": "polling"}, queue="polling")
    app.send_task(IN_EVERY_QUEUE, queue=LEFT)  # as that version did: without a word of a queue

    workers.worker(queues=f"money,{LEFT}")

    wait_for(lambda: not silent_queues(), "the old message was carried out")
    assert waiting(redis_server) == {"polling": [IN_EVERY_QUEUE]}


@pytest.mark.broker
def test_worker_for_a_queue_that_does_not_exist_ends_and_names_it(workers: Workers):
    child = workers.worker(queues="mony")

    assert child.process.wait(30) != 0
    assert "mony" in child.tail()
