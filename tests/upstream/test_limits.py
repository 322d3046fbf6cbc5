"""The limits on calls upstream: shared through Redis by threads and processes, and what happens without it."""

import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from upstream.client import Client
from upstream.errors import NotPlaced, Unavailable, Withheld
from upstream.limits.limiter import Limiter, Outcome
from upstream.limits.store import RATE_PERIOD_SECONDS, Breaker
from upstream.sandbox.process import Sandbox

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "redis://127.0.0.1:9/0"
# Notes, with Redis as the witness, how many are inside at once; says "inside" at the first one.
CALLER = """
import sys, time, redis
from upstream.limits.limiter import Limiter, Outcome
url, calls, seconds, in_flight, per_second = sys.argv[1], *map(float, sys.argv[2:])
witness = redis.Redis.from_url(url)
limiter = Limiter(url, per_second=int(per_second), in_flight=int(in_flight))
for number in range(int(calls)):
    slot = limiter.take(purchase=False, lease_seconds=seconds, patience_seconds=30)
    witness.rpush("inside", witness.incr("now"))
    print("inside", flush=True)
    time.sleep(seconds)
    witness.decr("now")
    limiter.release(slot, Outcome.ANSWERED)
"""


@pytest.fixture
def url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture
def caller(url: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process that makes calls: `caller(calls, seconds, in_flight, per_second)`."""
    started: list[subprocess.Popen[str]] = []

    def start(*numbers: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", CALLER, url, *map(str, numbers)]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def call(limiter: Limiter, outcome: Outcome = Outcome.ANSWERED, *, purchase: bool = False) -> None:
    slot = limiter.take(purchase=purchase, lease_seconds=5, patience_seconds=20)
    limiter.release(slot, outcome)


def in_threads(work: Callable[[int], object], times: int, threads: int) -> float:
    """Run `work` so many times and return the seconds it took."""
    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(times)))
    return time.monotonic() - began


def test_take_by_many_processes_never_lets_more_in_than_there_are_places(caller, redis_server):
    processes = [caller(8, 0.05, 3, 1000) for _each in range(4)]

    for process in processes:
        assert process.wait(timeout=60) == 0
    inside = [int(number) for number in redis_server.lrange("inside", 0, -1)]

    assert (len(inside), max(inside)) == (32, 3)


@pytest.mark.parametrize("server", ["redis", "nowhere"])
def test_take_by_many_threads_keeps_to_the_rate(url, server):
    limiters = [Limiter(url, per_second=20, in_flight=50) for _each in range(3)]
    if server == "nowhere":
        limiters = [Limiter(NOWHERE, per_second=20, in_flight=50)] * 3

    seconds = in_threads(lambda number: call(limiters[number % 3]), times=65, threads=12)

    assert 3 * RATE_PERIOD_SECONDS <= seconds < 8  # 20 at once, 20 a period later, and so on


def test_take_when_a_holder_was_killed_waits_for_its_lease_to_expire(caller, url, monkeypatch):
    doomed = caller(1, 0.5, 1, 100)
    assert doomed.stdout.readline() == "inside\n"
    doomed.kill()
    limiter = Limiter(url, per_second=100, in_flight=1)

    with pytest.raises(Withheld):
        limiter.take(purchase=True, lease_seconds=1, patience_seconds=0.2)
    assert limiter.under_way() == 1
    limiter.take(purchase=True, lease_seconds=1, patience_seconds=15)  # its half second, and the slack


def test_take_lets_a_waiting_purchase_go_before_the_reads(url):
    limiter = Limiter(url, per_second=10_000, in_flight=1)
    held = limiter.take(purchase=False, lease_seconds=5, patience_seconds=0)
    went: list[str] = []

    def take(purchase: bool) -> None:
        slot = limiter.take(purchase=purchase, lease_seconds=5, patience_seconds=10)
        went.append("purchase" if purchase else "read")
        limiter.release(slot, Outcome.ANSWERED)

    with ThreadPoolExecutor(6) as threads:
        for _each in range(5):
            threads.submit(take, False)
        threads.submit(take, True)
        time.sleep(0.3)
        limiter.release(held, Outcome.ANSWERED)

    assert went == ["purchase", *["read"] * 5]


def test_take_while_the_calls_of_a_second_are_used_up_gives_purchases_nearly_all_of_them(url):
    limiter = Limiter(url, per_second=20, in_flight=4)
    went: Counter[str] = Counter()
    counts_from = time.monotonic() + 2  # by then what the first second let through is over
    ends_at = counts_from + 2

    def call_on_and_on(purchase: bool) -> None:
        while time.monotonic() < ends_at:
            with suppress(Withheld):
                slot = limiter.take(purchase=purchase, lease_seconds=5, patience_seconds=5)
                if counts_from < time.monotonic() < ends_at:
                    went["purchase" if purchase else "read"] += 1
                limiter.release(slot, Outcome.ANSWERED)

    with ThreadPoolExecutor(12) as threads:  # as many as poll, then as many as forward
        for purchase in (False, True):
            for _each in range(6):
                threads.submit(call_on_and_on, purchase)

    assert went["purchase"] > 4 * went["read"]


@pytest.mark.parametrize("server", ["redis", "nowhere"])
def test_breaker_after_failures_in_a_row_stops_all_and_lets_one_read_try(url, server, caplog):
    breaker = Breaker(failures=3, first_wait_seconds=0.3, longest_wait_seconds=0.6)
    limiter = Limiter(url if server == "redis" else NOWHERE, per_second=1000, in_flight=8, breaker=breaker)
    for outcome in (Outcome.FAILED, Outcome.FAILED, Outcome.ANSWERED, Outcome.FAILED, Outcome.FAILED):
        call(limiter, outcome)
    assert limiter.down() is None  # never three in a row

    call(limiter, Outcome.FAILED)

    assert limiter.down() is not None
    for purchase in (False, True):
        with pytest.raises(Withheld):
            call(limiter, purchase=purchase)
    time.sleep(0.35)
    with pytest.raises(Withheld):
        call(limiter, purchase=True)  # a purchase never tries: its answer could be lost
    probe = limiter.take(purchase=False, lease_seconds=5, patience_seconds=0)
    with pytest.raises(Withheld):
        call(limiter)  # one at a time
    limiter.release(probe, Outcome.FAILED)
    time.sleep(0.35)
    with pytest.raises(Withheld):
        call(limiter)  # the wait has doubled
    time.sleep(0.35)
    call(limiter, Outcome.ANSWERED)
    call(limiter, purchase=True)
    assert limiter.down() is None
    said = [record.getMessage() for record in caplog.records if record.name == "upstream.limits.limiter"]
    assert [text for text in said if text.startswith("upstream_")] == ["upstream_down", "upstream_back"]

    for _each in range(3):
        call(limiter, Outcome.FAILED)
    assert caplog.records[-1].getMessage() == "upstream_down_again"  # a warning: it was mailed a moment ago


def test_breaker_when_the_one_that_tries_is_killed_lets_another_try(url):
    breaker = Breaker(failures=1, first_wait_seconds=0.05)
    limiter, other = (Limiter(url, per_second=1000, in_flight=8, breaker=breaker) for _each in range(2))
    call(limiter, Outcome.FAILED)
    time.sleep(0.1)
    limiter.take(purchase=False, lease_seconds=-4.5, patience_seconds=0)  # half a second with the slack

    with pytest.raises(Withheld):
        call(other)
    time.sleep(0.6)
    call(other)

    assert limiter.down() is None


def test_limits_without_redis_hold_for_the_process_and_are_logged_once(caplog):
    limiter = Limiter(NOWHERE, per_second=1000, in_flight=2)
    first, _second = (limiter.take(purchase=True, lease_seconds=5, patience_seconds=0) for _each in range(2))

    with pytest.raises(Withheld):
        limiter.take(purchase=True, lease_seconds=5, patience_seconds=0.1)
    limiter.release(first, Outcome.ANSWERED)
    limiter.take(purchase=True, lease_seconds=5, patience_seconds=0.1)

    assert [record.getMessage() for record in caplog.records].count("limits_without_redis") == 1


@pytest.mark.parametrize("jump_seconds", [-3600, 3600])
def test_limits_without_redis_when_the_clock_jumps_then_calls_go_on_at_the_same_pace(monkeypatch, jump_seconds):
    limiter = Limiter(NOWHERE, per_second=3, in_flight=3)
    wall = time.time
    slots = [limiter.take(purchase=True, lease_seconds=5, patience_seconds=0) for _each in range(3)]

    monkeypatch.setattr(time, "time", lambda: wall() + jump_seconds)

    with pytest.raises(Withheld):  # its places are not free sooner either
        limiter.take(purchase=True, lease_seconds=5, patience_seconds=0)
    for slot in slots:
        limiter.release(slot, Outcome.ANSWERED)
    limiter.take(purchase=True, lease_seconds=5, patience_seconds=1.5)


def test_limits_when_redis_comes_back_are_shared_again(url, redis_server, monkeypatch, caplog):
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("upstream.limits.limiter.REDIS_AGAIN_SECONDS", 0.2)
    server = redis.Redis.from_url(url)
    limiter = Limiter(server, per_second=1000, in_flight=1)
    kept, server.connection_pool = server.connection_pool, redis.ConnectionPool.from_url(NOWHERE)
    slot = limiter.take(purchase=False, lease_seconds=5, patience_seconds=0)
    server.connection_pool = kept
    time.sleep(0.3)

    shared = limiter.take(purchase=False, lease_seconds=5, patience_seconds=0)

    limiter.release(slot, Outcome.ANSWERED)
    assert redis_server.zcard("upstream:leases") == 1
    limiter.release(shared, Outcome.ANSWERED)
    assert redis_server.zcard("upstream:leases") == 0
    assert "limits_with_redis_again" in caplog.text


# --- The client -------------------------------------------------------------------------------------------------------
@pytest.fixture
def limited(box: Sandbox, url: str) -> Iterator[Client]:
    """A client of the sandbox with two places and a breaker of two failures."""
    breaker = Breaker(failures=2, first_wait_seconds=0.3, longest_wait_seconds=0.3)
    limiter = Limiter(url, per_second=1000, in_flight=2, breaker=breaker)
    client = box.client(limiter=limiter, timeout_seconds=3)
    yield client
    client.close()


def an_order(client: Client, box: Sandbox) -> str:
    service_id = box.add_service(name="Likes", type="Default", category="Limits", rate="1.00", min=1, max=1000)
    return client.add(service_id=service_id, link="https://example.com/x", quantity=10).order_id


def test_client_when_upstream_is_down_fails_at_once_until_it_answers(limited, box):
    box.fail_next("refuse_connections")
    with pytest.raises(Unavailable):
        limited.balance()

    sent = limited.usage.requests
    with pytest.raises(Withheld):
        limited.balance()
    with pytest.raises(Withheld), limited.slot():
        raise AssertionError("no slot while upstream is down")
    with pytest.raises(NotPlaced):
        an_order(limited, box)
    assert limited.usage.requests == sent
    assert not limited.answers()

    box.clear_faults()
    time.sleep(0.4)
    assert limited.answers()
    an_order(limited, box)


def test_client_when_upstream_refuses_or_throttles_knows_that_it_is_there(limited, box):
    for fault in ("429", "429", "429"):
        box.fail_next(fault, action="balance")
        with pytest.raises(Exception, match="429"):
            limited.balance()
    for _each in range(3):
        with pytest.raises(Exception, match="Order not found"):
            limited.status(order_id="987654")

    assert limited.limiter.down() is None


def test_client_slot_is_used_by_the_purchase_and_given_back_after_it(limited, box):
    with limited.slot():
        assert limited.limiter.under_way() == 1
        an_order(limited, box)
        assert limited.limiter.under_way() == 0
    with limited.slot():
        pass  # the caller made up its mind

    assert limited.limiter.under_way() == 0


def test_client_by_many_threads_is_never_more_often_at_upstream_than_there_are_places(limited, box):
    box.set(latency_seconds=0.05)

    seconds = in_threads(lambda _number: limited.balance(), times=20, threads=10)

    assert seconds >= 20 * 0.05 / 2
