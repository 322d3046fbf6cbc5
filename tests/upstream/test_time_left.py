"""Calls end with their task and their process: whoever loops over them comes to an end by itself."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from orders.fulfilment.thread_pool import map_in_threads
from tests.storefront.settings_source import ROOT
from upstream.client import Client
from upstream.errors import Withheld
from upstream.limits.threads import Waiting
from upstream.limits.time_left import calls_within, is_over
from upstream.sandbox.process import Sandbox


@pytest.fixture
def client(box: Sandbox) -> Iterator[Client]:
    client = box.client()
    yield client
    client.close()


def test_calls_within_when_a_loop_never_ends_then_its_calls_do(client: Client, box: Sandbox) -> None:
    began = time.monotonic()

    def ask_for_ever() -> None:
        while True:
            client.balance()

    with calls_within(0.5), pytest.raises(Withheld, match="this task has taken too long"):
        ask_for_ever()

    assert time.monotonic() - began < 5
    assert client.balance().balance  # the next task is not concerned


def test_calls_within_when_other_threads_work_for_the_task_then_theirs_end_too(client: Client) -> None:
    with calls_within(0):
        over = map_in_threads(range(2), lambda _piece: is_over(), threads=2, name="piece")
        purchases = map_in_threads(range(2), lambda _piece: refused(client), threads=2, name="piece")

    assert over == [True, True]
    assert purchases == [True, True]
    assert map_in_threads([1], lambda _piece: is_over(), threads=1, name="piece") == [False]


def refused(client: Client) -> bool:
    try:
        with client.slot():
            raise AssertionError("a purchase would begin")
    except Withheld:
        return True


def test_slot_when_a_purchase_has_it_then_it_is_made_whatever_time_is_left(client: Client, box: Sandbox) -> None:
    service = box.add_service(name="F", type="Default", category="C", rate="1", min=1, max=10)

    with calls_within(0.2), client.slot():
        time.sleep(0.3)
        assert is_over()
        client.add(service_id=service, link="https://example.com", quantity=5)

    assert len(box.orders) == 1


STOPS = """
import sys
from upstream.client import Client
from upstream.errors import Withheld
from upstream.limits.time_left import stop_calls
client = Client(sys.argv[1], sys.argv[2], 5)
client.balance()
stop_calls()
assert not client.answers()
try:
    client.balance()
except Withheld as error:
    print(error)
"""


def test_stop_calls_when_the_process_is_to_end_then_none_begins(box: Sandbox) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPS, box.url, box.key],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "this process is about to stop\n"


def test_waiting_when_all_places_are_taken_then_the_next_thread_is_refused_and_one_counts_once() -> None:
    waiting, held, release = Waiting(), threading.Event(), threading.Event()
    waiting.limit(1)

    def hold() -> None:
        with waiting.place(), waiting.place():
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)

    with pytest.raises(Withheld), waiting.place():
        raise AssertionError("there is no place")

    release.set()
    thread.join()
    with waiting.place():
        pass
