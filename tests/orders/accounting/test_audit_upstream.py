"""The audit of the upstream account: late answers, refunds by hand, orders sent twice."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.fulfilment.poll import poll_due
from orders.models import LostAttempt, Order, OrderEvent
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_by_refund
from tests.clock import stopped_at
from tests.orders.attention import attempt_of
from wallet.models import LedgerEntry
from wallet.operations import credit

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]

Code = OrderEvent.Code
LATER = timedelta(hours=1)


def test_audit_counts_what_came_after_a_refund_as_charged(paid_order, client_upstream, sandbox, sam):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + LATER)
    resolve_by_refund(paid_order.pk, actor=sam, now=timezone.now())
    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)
    paid_order.refresh_from_db()
    assert paid_order.events.filter(code=Code.LOSS).exists()
    assert (paid_order.upstream_id, attempt_of(paid_order).state) == (
        str(sandbox.orders[0]["id"]),
        LostAttempt.State.LOSS,
    )

    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_audit_allows_for_an_unknown_order_that_was_refunded_by_hand(paid_order, client_upstream, sandbox, sam):
    sandbox.fail_next("lose_reply", action="add")
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    resolve_by_refund(paid_order.pk, actor=sam, now=timezone.now())

    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_audit_names_a_refund_whose_reference_is_no_orders(ann):
    credit(user=ann, amount_micros=1_000_000, kind=LedgerEntry.Kind.REFUND, reference="by hand")

    [problem] = audit(client=None, now=timezone.now()).problems
    assert "by hand" in problem


def test_audit_of_a_shop_that_is_selling_finds_nothing_wrong(place, client_upstream, sandbox):
    for _each in range(20):
        place(quantity=10)
    ends_at, problems = time.monotonic() + 6, []

    def sell() -> None:
        try:
            while time.monotonic() < ends_at:
                order = place(quantity=100)
                forward_order(order.pk, client=client_upstream, clock=timezone.now)
                order.refresh_from_db()
                sandbox.set_order(order.upstream_id, status="Canceled")
                poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + LATER))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        seller = threads.submit(sell)
        while time.monotonic() < ends_at:
            problems += audit(client=client_upstream, now=timezone.now()).problems
        seller.result()

    assert problems == []


def test_audit_counts_both_orders_of_one_that_was_sent_again_and_then_answered_late(
    paid_order, client_upstream, sandbox, sam
):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + LATER)
    resolve_as_not_placed(paid_order.pk, actor=sam, now=timezone.now())
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)
    assert len(sandbox.orders) == 2

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + LATER))
    sandbox.set_order(Order.objects.get().upstream_id, status="Completed")
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + 3 * LATER))

    assert audit(client=client_upstream, now=timezone.now()).problems == []
