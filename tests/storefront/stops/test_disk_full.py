"""A full disk under SQLite, the set-up of one machine: purchases are refused in words, nothing is done by half.

The disk is full for the shop's processes alone: RLIMIT_FSIZE lets none of their files grow, which needs no rights and
comes back at once. A write then fails as on a disk without room, at the first page or in the middle of a transaction.
"""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.models import LostAttempt, Order, Status
from storefront.demo.processes import Child
from tests.storefront.stops.servers import Web, asked
from tests.workers import Workers, wait_for
from wallet.models import LedgerEntry, Wallet

pytestmark = [
    pytest.mark.sqlite,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="about the file of SQLite"),
]
PAGE_BYTES = 4096
TRIED_SECONDS = 5.0  # its message, and some rounds of beat's; its log has no room to tell
# No room at all, and room for a few of the pages that a purchase writes.
ROOMS = pytest.mark.parametrize("pages", [0, 3], ids=["none", "some"])


def family(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


@contextmanager
def full_disk(child: Child, pages: int) -> Iterator[None]:
    """Let no file of this program grow, but for so many pages of the database's journal."""
    journal = Path(f"{connection.settings_dict['NAME']}-wal")
    room = journal.stat().st_size + pages * PAGE_BYTES if pages and journal.exists() else 0
    pids = family(child.process.pid)
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def money() -> tuple[int, int, int]:
    """Return the balance, how many rows the ledger has, and how many orders there are."""
    return Wallet.objects.get().balance_micros, LedgerEntry.objects.count(), Order.objects.count()


@ROOMS
def test_purchase_when_the_disk_is_full_is_refused_in_words_and_works_once_there_is_room(
    web: Web, sandbox: Any, key: str, service: Any, client_upstream: Any, books_add_up: Any, pages: int
) -> None:
    serving = web.start()
    buy = {"key": key, "action": "add", "service": service.pk, "link": "https://x.com/a", "quantity": 100}
    assert "order" in web.call(**buy).result(60).json()
    before = money()

    with full_disk(serving, pages):
        refused = [web.call(**buy).result(60).json() for _each in range(3)]
        assert money() == before
        assert web.get("/catalog/").status_code == 200  # what is only read is there

    assert {answer.get("error") for answer in refused} == {
        "Temporarily unavailable, try again in a moment; after an order, look first whether it was placed"
    }
    assert "order" in web.call(**buy).result(60).json()
    assert Order.objects.count() == before[2] + 1
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        assert cursor.fetchall() == [("ok",)]
    for order in Order.objects.all():
        assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
    books_add_up(sandbox)


@pytest.mark.broker
def test_worker_when_the_disk_is_full_buys_nothing_that_it_cannot_write_down_and_goes_on_once_there_is_room(
    workers: Workers, place: Any, sandbox: Any, books_add_up: Any
) -> None:
    worker = workers.worker()
    place(link="https://instagram.com/first")
    wait_for(lambda: Order.objects.get().status == Status.PENDING, "the worker works", seconds=60)

    with full_disk(worker, 0):
        beat = workers.beat()  # which has room, and asks for the round
        waiting = place(link="https://instagram.com/second")
        time.sleep(TRIED_SECONDS)
        assert Order.objects.get(pk=waiting.pk).status == Status.PAID
        assert asked(sandbox, "add")() == 1

    wait_for(lambda: Order.objects.get(pk=waiting.pk).status == Status.PENDING, "it goes on", seconds=60)
    # And in the middle of a purchase: the supplier has it, and its answer is written down once there is room.
    sandbox.fail_next("slow", action="add", seconds=2)
    bought = place(link="https://instagram.com/third")
    wait_for(lambda: Order.objects.get(pk=bought.pk).status == Status.SENDING, "the purchase is on its way", seconds=60)
    with full_disk(worker, 0):
        wait_for(lambda: len(sandbox.orders) == 3, "the supplier has it")
    wait_for(lambda: Order.objects.get(pk=bought.pk).status == Status.PENDING, "its answer is written down", seconds=60)
    assert beat.process.poll() is None
    assert not LostAttempt.objects.exists()
    books_add_up(sandbox)
