"""The threads that work things off: they stay, with their connections, and nothing is left when nobody needs them."""

import subprocess
import sys
import threading
import time

import pytest
from django.db import connection

from orders.fulfilment.thread_pool import ThreadPool, end_idle, map_in_threads
from tests.storefront.settings_source import ROOT
from tests.workers import wait_for

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's sessions")


def session(_piece: int = 0) -> int:
    """The server's process behind this thread's connection; slow enough for two threads to be needed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.05)")
        return int(cursor.fetchone()[0])


def sessions() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"  # and no autovacuum
        )
        return {pid for (pid,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
@on_postgresql
def test_map_in_threads_when_there_is_a_next_round_then_it_has_the_connections_of_the_last() -> None:
    first = set(map_in_threads(range(4), session, threads=2, name="first"))
    second = set(map_in_threads(range(4), session, threads=2, name="second"))

    assert len(first) == 2
    assert second == first


@pytest.mark.django_db(transaction=True)
@on_postgresql
def test_end_idle_when_threads_have_no_work_then_their_connections_are_closed() -> None:
    used = set(map_in_threads(range(4), session, threads=2, name="piece"))
    assert used <= sessions()

    end_idle()

    wait_for(lambda: not used & sessions(), "the server has noticed")


@pytest.mark.django_db(transaction=True)
@on_postgresql
def test_a_thread_when_it_is_idle_for_long_then_it_ends_and_its_connection_is_closed() -> None:
    pool = ThreadPool(idle_seconds=0.2)
    used = pool.submit(session, "short").result()
    assert used in sessions()

    wait_for(lambda: used not in sessions(), "the server has noticed")
    assert pool.submit(session, "short").result() != used
    pool.end_idle()


@pytest.mark.django_db(transaction=True)
@on_postgresql
def test_map_in_threads_when_the_server_has_ended_a_connection_meanwhile_then_another_one_is_opened() -> None:
    (before,) = map_in_threads([0], session, threads=1, name="piece")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [before])

    (after,) = map_in_threads([0], session, threads=1, name="piece")

    assert after != before


def test_map_in_threads_when_a_piece_raises_then_so_does_the_call_once_all_are_done() -> None:
    done = []

    def work(piece: int) -> None:
        if piece == 0:
            raise LookupError("no such piece")
        done.append(piece)

    with pytest.raises(LookupError):
        map_in_threads(range(5), work, threads=2, name="piece")

    assert done == [1, 2, 3, 4]


def test_map_in_threads_when_others_hang_then_their_threads_are_not_waited_for() -> None:
    release = threading.Event()
    hanging = threading.Thread(
        target=map_in_threads,
        args=(range(20), lambda _piece: release.wait(10)),
        kwargs={"threads": 20, "name": "hangs"},
    )
    hanging.start()

    assert map_in_threads([1], lambda piece: piece, threads=1, name="piece") == [1]

    release.set()
    hanging.join()


ENDS = """
import django; django.setup()
import time
from orders.fulfilment.thread_pool import start_in_threads
def work(piece):
    time.sleep(1)
    print("recorded", flush=True)
start_in_threads([1], work, threads=1, name="piece")
"""


def test_a_process_when_it_ends_then_what_it_has_begun_is_finished_and_idle_threads_do_not_hold_it() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", ENDS], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "recorded\n"
    assert time.monotonic() - began < 12  # of which most is the start; idle threads stay for longer than that
