"""What goes wrong around the engine: a database that goes away, answers nobody expects, one row that spoils others."""

import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.models import OrderEvent, Status, UpstreamEntry
from orders.reconciliation.resolve import resolve_as_placed
from tests.orders.attention import flags_of, said_of
from tests.upstream.raw_server import PLACED, RawServer, client_of

Code = OrderEvent.Code
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
LATER = timedelta(hours=1)


@pytest.fixture
def opened(db: None) -> None:
    """The account upstream has been looked at before: servers of a test need not know `balance`."""
    UpstreamEntry.objects.create(kind=UpstreamEntry.Kind.OPENING, amount_upstream_micros=1_000_000_000)


def shake_database() -> Callable[[], None]:
    """Return what takes the caller's database away for a moment: its connection is cut, or its file is locked."""
    settings = connection.settings_dict
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        else:
            cursor.execute("PRAGMA busy_timeout=100")  # production waits for 30 seconds, and so would this test

    def cut() -> None:
        address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
        with psycopg.connect(dbname=settings["NAME"], password=settings["PASSWORD"], **address) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    def lock() -> None:
        other = sqlite3.connect(settings["NAME"], check_same_thread=False, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.6, other.close).start()

    return cut if connection.vendor == "postgresql" else lock


def test_an_accepted_order_is_recorded_though_the_database_goes_away_during_the_call(paid_order, opened):
    shake = shake_database()

    def behave(sock: Any, _: Any) -> None:
        shake()
        sock.sendall(PLACED)

    with RawServer(behave) as server:
        forward_order(paid_order.pk, client=client_of(server), clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.upstream_id) == (Status.PENDING, "23501")


def test_an_accepted_order_whose_id_another_order_has_is_unknown_and_names_it(place, opened):
    first, second = place(), place()
    with RawServer(lambda sock, _: sock.sendall(PLACED)) as server:
        client = client_of(server)

        for order in (first, second):
            forward_order(order.pk, client=client, clock=timezone.now)

    second.refresh_from_db()
    assert (second.status, second.upstream_id) == (Status.UNKNOWN, None)
    assert "23501" in said_of(second)
    assert not second.events.filter(code=Code.LOSS).exists()


def test_an_answer_that_confirms_what_the_admin_found_is_no_loss(paid_order, client_upstream, sandbox, sam):
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + LATER)
    placed = engine.supply_of(claim.order).send(client_upstream, claim.order)
    resolve_as_placed(
        paid_order.pk, upstream_id=placed.upstream_id, actor=sam, client=client_upstream, now=timezone.now()
    )

    engine._record_placed(claim, engine.supply_of(claim.order), placed, now=timezone.now())

    paid_order.refresh_from_db()
    assert (paid_order.status, flags_of(paid_order)) == (Status.PENDING, [])
    assert not paid_order.events.filter(code=Code.LOSS).exists()
