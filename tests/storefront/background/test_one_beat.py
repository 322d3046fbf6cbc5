"""Any number of beats may run, and one sends: real processes, a real broker."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from storefront.background.one_beat import HOLDS_SECONDS, LEASE_KEY, RUNS_KEY, OneBeat
from storefront.celery import app
from storefront.demo.processes import Child
from tests.warm import WarmProcesses
from tests.workers import Workers, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]
# Once a second; nobody serves the queue, so that all that was sent lies there.
QUEUE, EVERY_SECONDS = "numbers", 1.0
AT_ONCE = 4.0  # of starting a program that is warm, on a machine that has other things to do


@pytest.fixture
def beats(tmp_path: Path, transactional_db: None, redis_server: redis.Redis) -> Iterator[Workers]:
    with WarmProcesses() as processes:
        others = {"REPLACE_NUMBERS_EVERY_SECONDS": "86400", "HEARTBEAT_EVERY_SECONDS": "86400"}
        yield Workers(processes, tmp_path, LOG_LEVEL="DEBUG", **others)
        processes.kill()


def sent(server: redis.Redis) -> int:
    """Return how many messages have been sent."""
    messages = server.lrange(QUEUE, 0, -1)
    return sum(json.loads(message)["headers"]["task"] == "orders.tasks.poll_numbers" for message in messages)


def holder(server: redis.Redis) -> int:
    """Return the process that holds the lease, 0 for none."""
    return int((server.get(LEASE_KEY) or b":0:").split(b":")[1])


def begin(beats: Workers, server: redis.Redis) -> tuple[Child, Child]:
    """Start two; return the one that sends and the one that waits."""
    both = {child.process.pid: child for child in (beats.beat("first"), beats.beat("second"))}
    wait_for(lambda: sent(server) >= 2, "one of them sends")
    wait_for(lambda: all("beat_" in log(child) for child in both.values()), "both have asked for the lease")
    return both.pop(holder(server)), both.popitem()[1]


def log(child: Child) -> str:
    return child.log.read_text() if child.log.exists() else ""


def rate(server: redis.Redis, seconds: float = 4.0) -> float:
    """Return how many messages a second are sent now."""
    before, started = sent(server), time.monotonic()
    time.sleep(seconds)
    return (sent(server) - before) / (time.monotonic() - started)


def test_two_beats_send_each_message_once(beats: Workers, redis_server: redis.Redis):
    sender, waiting = begin(beats, redis_server)

    assert rate(redis_server) <= 1.3 / EVERY_SECONDS
    assert "beat_leads" in log(sender)
    assert "Sending due task" not in log(waiting)


def test_beat_when_it_is_told_to_end_while_its_file_is_written_ends(tmp_path: Path, redis_server: redis.Redis):
    scheduler = OneBeat(app=app, schedule_filename=str(tmp_path / "beat"))
    assert scheduler.tick() > 0
    scheduler._store.close()  # as it is in the middle of being written

    scheduler.close()  # what Celery does at SIGTERM; then it raises SystemExit, which may get lost

    assert redis_server.get(LEASE_KEY) is None
    with pytest.raises(SystemExit):
        scheduler.tick()


def test_when_the_beat_that_sends_is_killed_the_other_takes_over(beats: Workers, redis_server: redis.Redis):
    sender, waiting = begin(beats, redis_server)

    beats.kill(sender)

    before = sent(redis_server)
    wait_for(lambda: sent(redis_server) > before + 2, "the other sends", seconds=HOLDS_SECONDS + AT_ONCE + 3)
    assert holder(redis_server) == waiting.process.pid


def test_when_the_beat_that_sends_is_stopped_the_other_goes_on_at_once(beats: Workers, redis_server: redis.Redis):
    sender, waiting = begin(beats, redis_server)

    sender.process.send_signal(sender.stop_signal)
    assert sender.process.wait(10) == 0

    wait_for(lambda: holder(redis_server) == waiting.process.pid, "it has the lease", seconds=AT_ONCE)
    wait_for(lambda: "Sending due task poll_numbers" in log(waiting), "it sends")


def test_when_redis_is_emptied_one_beat_is_left_that_sends(beats: Workers, redis_server: redis.Redis):
    begin(beats, redis_server)

    redis_server.flushdb()

    wait_for(lambda: sent(redis_server) >= 1, "one of them sends")
    time.sleep(4)  # in which both have asked again
    assert holder(redis_server)
    assert rate(redis_server) <= 1.3 / EVERY_SECONDS


def test_a_beat_that_takes_over_neither_repeats_nor_puts_off_what_is_done_once_a_day(
    beats: Workers, redis_server: redis.Redis
):
    name = "audit_books"
    last = time.time() - 86_400 + 6  # so it is due in six seconds
    redis_server.hset(RUNS_KEY, mapping={name: last})

    first = beats.beat("first")

    wait_for(lambda: "Sending due task" in log(first), "it has begun")
    assert f"Sending due task {name} " not in log(first)
    wait_for(lambda: f"Sending due task {name} " in log(first), "it is due")
    # Without a file of its own, the next one knows that it was sent.
    wait_for(lambda: float(redis_server.hget(RUNS_KEY, name)) > last + 1, "it is noted")  # not its own rounding
    beats.kill(first)
    redis_server.delete(LEASE_KEY)
    second = beats.beat("second")
    wait_for(lambda: "Sending due task poll_numbers" in log(second), "it has taken over")
    time.sleep(2)
    assert f"Sending due task {name} " not in log(second)
