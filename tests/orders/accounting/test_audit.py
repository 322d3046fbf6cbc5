"""The audit: it is silent when the books add up, and names what does not."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import Order, Status, UpstreamEntry
from tests.clock import stopped_at
from tests.conftest import customer
from wallet.models import LedgerEntry, Wallet

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def busy_shop(place, client_upstream, sandbox):
    """Orders in many states: open, partial, canceled, failed, unknown."""
    orders = [place(quantity=1000) for _each in range(5)]
    for order in orders[:3]:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)
    sandbox.fail_next("lose_reply", action="add")
    forward_order(orders[3].pk, client=client_upstream, clock=timezone.now)
    sandbox.fail_next("refuse", action="add", text="Invalid link")
    forward_order(orders[4].pk, client=client_upstream, clock=timezone.now)
    placed = list(Order.objects.order_by("id").values_list("upstream_id", flat=True))
    sandbox.set_order(placed[0], status="Partial", remains=250)
    sandbox.set_order(placed[1], status="Canceled")
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=1)))
    assert list(Order.objects.order_by("id").values_list("status", flat=True)) == [
        Status.PARTIAL,
        Status.CANCELED,
        Status.PENDING,
        Status.UNKNOWN,
        Status.FAILED,
    ]


def test_audit_of_a_busy_shop_finds_nothing_wrong(busy_shop, client_upstream):
    books = audit(client=client_upstream, now=timezone.now())

    assert books.problems == []
    assert ("orders: sold", "9.375 USD") in books.figures


def test_audit_names_a_balance_that_is_not_its_ledger(busy_shop, client_upstream, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=123_000_000)

    assert audit(client=client_upstream, now=timezone.now()).problems == [
        "wallet of ann@example.com: balance 123.00, but its ledger adds up to 94.8437"
    ]


def test_audit_names_an_order_that_was_not_charged(busy_shop, client_upstream):
    open_order = Order.objects.get(status=Status.PENDING)
    Order.objects.filter(pk=open_order.pk).update(price_micros=2_000_000)

    assert audit(client=client_upstream, now=timezone.now()).problems == [
        f"order {open_order.pk}: price 2.00, but the ledger charged 1.875"
    ]


def test_audit_names_a_refund_that_was_not_booked(busy_shop, client_upstream):
    failed = Order.objects.get(status=Status.FAILED)
    Order.objects.filter(pk=failed.pk).update(refunded_micros=0)

    assert audit(client=client_upstream, now=timezone.now()).problems == [
        f"order {failed.pk}: refunded 0.00, but the ledger gave back 1.875",
        f"order {failed.pk} is failed, but only 0.00 of 1.875 was given back",
    ]


def test_audit_names_a_charge_without_an_order(busy_shop, client_upstream):
    ben = customer("ben@example.com", money="5.00")
    from wallet.operations import debit

    debit(user=ben, amount_micros=1_000_000, kind=LedgerEntry.Kind.CHARGE, reference="order:999")

    assert audit(client=client_upstream, now=timezone.now()).problems == [
        f"the ledger moved -1.00 for order 999 of customer {ben.pk}, which does not exist"
    ]


def test_audit_names_upstream_money_that_no_order_explains(busy_shop, client_upstream, sandbox):
    sandbox.set_balance("900.00")

    [problem] = audit(client=client_upstream, now=timezone.now()).problems
    assert problem.startswith("upstream's balance is 900.00 USD, but our orders explain 99")


def test_audit_when_money_was_entered_before_the_first_order_does_not_count_it_twice(place, client_upstream, sandbox):
    entry = {"kind": UpstreamEntry.Kind.TOP_UP, "amount_upstream_micros": 250_000_000}
    UpstreamEntry.objects.create(**entry)  # part of the 1,000.00 that the first order finds there
    forward_order(place().pk, client=client_upstream, clock=timezone.now)
    assert UpstreamEntry.objects.count() == 2

    books = audit(client=client_upstream, now=timezone.now())

    assert books.problems == []
    assert ("upstream: opening and paid in", "1000.00 USD") in books.figures
    assert ("upstream: entered before the opening, which holds it", "250.00 USD") in books.figures


def test_audit_when_money_was_entered_after_the_first_order_counts_it(place, client_upstream, sandbox):
    forward_order(place().pk, client=client_upstream, clock=timezone.now)
    UpstreamEntry.objects.create(kind=UpstreamEntry.Kind.TOP_UP, amount_upstream_micros=250_000_000)
    assert len(audit(client=client_upstream, now=timezone.now()).problems) == 1

    sandbox.set_balance("1248.50")

    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_audit_command_exits_with_1_when_a_balance_was_corrupted(busy_shop, client_upstream, ann, capsys):
    call_command("audit")
    assert "the books add up" in capsys.readouterr().out

    Wallet.objects.filter(user=ann).update(balance_micros=1)
    with pytest.raises(SystemExit) as ending:
        call_command("audit")

    assert ending.value.code == 1
    assert "wallet of ann@example.com" in capsys.readouterr().out
