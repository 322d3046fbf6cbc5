"""A sale is written at once: all of it or nothing, and a repeat finds what it made whatever has changed since."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Service
from orders.accounting.audit import audit
from orders.models import Checkout, Kind, Order, OrderEvent
from orders.placing.refusals import MoneyOwed, RequestIdReused
from orders.placing.sale import take_price, write_order, write_placed, write_sale
from tests.workers import wait_for
from wallet.models import LedgerEntry, Receivable, Wallet
from wallet.operations import AlreadyBooked, InsufficientFunds

pytestmark = pytest.mark.sqlite
NOW = timezone.now()
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def written() -> list[int]:
    """Return how many rows there are of all that a sale writes, but for the opening balance."""
    charges = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CHARGE)
    return [rows.count() for rows in (Checkout.objects, Order.objects, charges, OrderEvent.objects)]


def a_draft(user, service, **fields) -> Order:
    """Return an order and its checkout, neither of them saved."""
    checkout = Checkout(user=user, request_id=uuid.uuid4().hex, fingerprint=64 * "0")
    asked = {"title": service.title, "quantity": 1000, "link": "https://x.com/a?b=%s%%", "price_micros": 1_875_000}
    rates = {"rate_micros": 1_875_000, "rate_upstream_micros": 1_500_000, "rate_per": 1000}
    rates["cost_upstream_micros"] = 1_500_000
    return Order(user=user, checkout=checkout, service=service, created_at=NOW, **asked, **rates, **fields)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no statement that writes five tables")
def test_place_order_asks_the_server_twice_between_begin_and_commit(place):
    place()  # the wallet, and what is put together once

    with CaptureQueriesContext(connection) as asked:
        place(request_id=uuid.uuid4().hex)

    # The service, which `place` reads as a page does; rules; the sale. The test's own transaction makes a savepoint of
    # BEGIN and COMMIT.
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 3


def test_write_sale_writes_what_the_steps_would_have_written(ann, ben, service):
    """Every column: the order of one customer by the one way, of another by the other."""
    steps, at_once = (a_draft(user, service, pricing={"percent": "25"}) for user in (ben, ann))

    write_order(steps)
    take_price(steps)
    write_placed(steps, now=NOW)
    with transaction.atomic():
        write_sale(at_once, now=NOW)

    own = {"id", "user_id", "checkout_id"}
    first, second = (Order.objects.filter(pk=order.pk).values().get() for order in (steps, at_once))
    assert {key: value for key, value in first.items() if key not in own} == {
        key: value for key, value in second.items() if key not in own
    }
    assert at_once.checkout_id == Checkout.objects.get(user=ann).pk
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - 1_875_000
    entry = LedgerEntry.objects.get(wallet__user=ann, kind=LedgerEntry.Kind.CHARGE)
    assert (entry.amount_micros, entry.reference) == (-1_875_000, f"order:{at_once.pk}")
    assert (entry.note, entry.created_by_id) == (service.title[:300], None)
    event = OrderEvent.objects.get(order=at_once)
    assert (event.code, event.status, event.created_at, event.evidence) == ("placed", "paid", NOW, {})
    assert event.data == {"price_micros": 1_875_000, "quantity": 1000}


@pytest.mark.parametrize("saved", [False, True])
def test_write_sale_without_enough_money_writes_nothing(ann, service, saved):
    order = a_draft(ann, service)
    order.price_micros = 100_000_001
    if saved:  # by who buys several at once
        order.checkout.save()
    before = written()

    with pytest.raises(InsufficientFunds) as refusal, transaction.atomic():
        write_sale(order, now=NOW)

    assert refusal.value.missing_micros == 1
    assert written() == before
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


def test_write_sale_with_a_saved_checkout_adds_the_order_to_it(ann, service):
    checkout = Checkout.objects.create(user=ann, request_id="two at once", fingerprint="")
    orders = [a_draft(ann, service) for _each in range(2)]

    with transaction.atomic():
        for order in orders:
            order.checkout = checkout
            write_sale(order, now=NOW)

    assert list(checkout.orders.order_by("pk")) == orders
    assert written() == [1, 2, 2, 2]


def test_write_sale_whose_ledger_row_exists_says_so_and_writes_nothing(ann, service):
    """As after a restore, when ids are given out again."""
    with transaction.atomic():
        write_sale(first := a_draft(ann, service), now=NOW)
    wallet = Wallet.objects.get(user=ann)
    for pk in range(first.pk + 1, first.pk + 5):
        LedgerEntry.objects.create(wallet=wallet, kind="adjustment", amount_micros=1, reference=f"order:{pk}")
    before = written()

    with pytest.raises(AlreadyBooked), transaction.atomic():
        write_sale(a_draft(ann, service), now=NOW)

    assert written() == before


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's way saves all that an order has")
def test_write_sale_of_an_order_with_more_than_a_new_one_has_refuses_to_lose_it(ann, service):
    with pytest.raises(ValueError, match="no place for"):
        write_sale(a_draft(ann, service, refunded_micros=1), now=NOW)


def test_write_sale_of_a_number_keeps_its_kind(ann, service):
    order = a_draft(ann, service)
    order.kind, order.service = Kind.NUMBER, None

    with transaction.atomic():
        write_sale(order, now=NOW)

    assert Order.objects.get().kind == Kind.NUMBER


@pytest.mark.parametrize(
    "changed",
    [{"withdrawn_at": NOW}, {"paused_because": "too dear"}, {"rate_upstream_micros": 9_000_000}, {"max_quantity": 20}],
)
def test_place_order_again_returns_the_order_though_it_would_be_refused_now(place, ann, service, changed):
    first = place(request_id="the same", quote=None)
    Service.objects.filter(pk=service.pk).update(**changed)
    before = written()

    assert place(request_id="the same", quote=None) == first
    with pytest.raises(RequestIdReused):
        place(request_id="the same", quantity=2000)
    assert written() == before


def test_place_order_again_returns_the_order_though_the_money_is_gone_by_now(place, ann):
    first = place(request_id="the same", quantity=10_000)
    Wallet.objects.filter(user=ann).update(balance_micros=0)

    assert place(request_id="the same", quantity=10_000) == first


def test_place_order_of_who_owes_something_says_so_and_writes_nothing(place, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=0)
    Receivable.objects.create(user=ann, amount_micros=1_000_000)

    with pytest.raises(MoneyOwed):
        place()

    assert written() == [0, 0, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_place_order_many_times_at_once_sells_what_the_wallet_covers(place, ann):
    """Each debit that had to wait for another one is checked anew against what that left."""

    def buy(_number: int) -> bool:
        try:
            place(quantity=10_000)  # 18.75 of the 100.00
        except InsufficientFunds:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        sold = list(pool.map(buy, range(16)))

    assert sold.count(True) == 5
    assert Wallet.objects.get(user=ann).balance_micros == 6_250_000
    assert written() == [5, 5, 5, 5]
    assert audit(client=None, now=timezone.now()).problems == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no lengths of columns")
@pytest.mark.parametrize("long", [{"request_id": 65 * "x"}, {"link": "https://x.com/" + 3000 * "y"}])
def test_write_sale_with_a_text_longer_than_its_column_refuses_to_cut_it(ann, service, long):
    order = a_draft(ann, service)
    for name, value in long.items():
        setattr(order.checkout if name == "request_id" else order, name, value)

    with pytest.raises(DataError), transaction.atomic():
        write_sale(order, now=NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one transaction write at a time")
def test_place_order_again_while_the_first_is_being_taken_waits_for_it_though_it_would_be_refused_now(
    place, ann, service
):
    def press() -> Order:
        try:
            return place(request_id="the same", quote=None)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        with transaction.atomic():
            Wallet.objects.select_for_update().get(user=ann)  # the first one waits in the middle of its sale
            first = threads.submit(press)
            # Asked by another connection: within a transaction the server's activity stays as it was first seen.
            with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}) as other:
                other.autocommit = True
                wait_for(lambda: other.execute(WAITING).fetchone()[0], "the first waits for the wallet")
                other.execute("UPDATE catalog_service SET paused_because = 'too dear'")
            second = threads.submit(press)
            time.sleep(0.5)  # long enough for the refusal
            assert not second.done()
        assert first.result() == second.result()
