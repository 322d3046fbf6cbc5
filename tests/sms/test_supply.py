"""What upstream answers about numbers: odd lengths, half of an answer missing, a supplier that forgets."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, give_up_waiting, release_stale_claims
from orders.fulfilment.poll import poll_due
from orders.models import Order, OrderEvent, Status, UpstreamEntry
from sms.models import Number
from tests.clock import stopped_at
from tests.orders.attention import flags_of
from tests.upstream.raw_server import RawServer, answer, client_of
from wallet.models import LedgerEntry, Wallet
from wallet.operations import credit

pytestmark = pytest.mark.django_db(transaction=True)
State = Number.State
PRICE = 625_000
SOON = timedelta(minutes=1)


def balance(user: Any) -> int:
    return Wallet.objects.get(user=user).balance_micros


def test_a_number_with_a_very_long_phone_is_followed(buy):
    UpstreamEntry.objects.create(kind=UpstreamEntry.Kind.OPENING, amount_upstream_micros=1)
    [order] = buy()
    row = f'{{"orders": [{{"order": 77, "phone": "+1 {"555 " * 20}", "country": "us", "status": "active"}}]}}'

    with RawServer(lambda sock, _: sock.sendall(answer(row))) as server:
        forward_order(order.pk, client=client_of(server), clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, order.upstream_id) == (Status.PENDING, "77")


def test_a_very_long_code_reaches_its_buyer(waiting_number, client_upstream, sandbox, ann):
    code = "https://example.com/confirm/" + "a1b2" * 15
    sandbox.deliver_code(waiting_number.upstream_id, code, f"Open {code}")

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + SOON))

    waiting_number.refresh_from_db()
    number = Number.objects.get()
    assert (waiting_number.status, number.state) == (Status.COMPLETED, State.RECEIVED)
    assert (code.startswith(number.code), number.content) == (True, f"Open {code}")
    assert balance(ann) == 100_000_000 - PRICE


def test_a_code_reaches_its_buyer_though_the_status_cannot_be_read(waiting_number, client_upstream, sandbox):
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")
    sandbox.fail_next("500_before", action="sms_status", times=9)

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + SOON))

    waiting_number.refresh_from_db()
    assert (waiting_number.status, Number.objects.get().code) == (Status.COMPLETED, "482913")


def test_the_charge_that_could_not_be_read_with_the_code_is_asked_for_again(waiting_number, client_upstream, sandbox):
    sandbox.deliver_code(waiting_number.upstream_id, "123456", "Your code is 123456")
    sandbox.fail_next("500_before", action="sms_status", times=6)
    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + SOON))
    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + 2 * SOON))
    sandbox.set_number(waiting_number.upstream_id, status="canceled", charge="0.4")

    assert poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + 3 * SOON)) == 1
    assert poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + 4 * SOON)) == 0

    waiting_number.refresh_from_db()
    assert (waiting_number.status, waiting_number.charge_upstream_micros) == (Status.COMPLETED, 400_000)
    assert (waiting_number.refunded_micros, flags_of(waiting_number)) == (0, [])
    assert Number.objects.get().state == State.RECEIVED


def test_a_number_that_upstream_has_forgotten_is_refunded_once_its_time_is_over(
    waiting_number, client_upstream, sandbox, ann
):
    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + SOON))
    sandbox.fail_rate("refuse", 1.0, action="sms_code", text="Order not found")

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + 2 * SOON))
    assert balance(ann) == 100_000_000 - PRICE
    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=2)))

    waiting_number.refresh_from_db()
    assert (waiting_number.status, Number.objects.get().state) == (Status.CANCELED, State.EXPIRED)
    assert balance(ann) == 100_000_000


def test_a_number_whose_key_is_refused_keeps_waiting_after_its_time(waiting_number, client_upstream, sandbox, ann):
    sandbox.fail_rate("refuse", 1.0, action="sms_code", text="Invalid API key")

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=2)))

    waiting_number.refresh_from_db()
    assert (waiting_number.status, balance(ann)) == (Status.PENDING, 100_000_000 - PRICE)


def test_a_number_that_turns_out_to_live_longer_than_we_guessed_is_not_given_up(
    waiting_number, client_upstream, sandbox, ann
):
    expires_at = (timezone.now() + timedelta(hours=3)).isoformat()
    sandbox.set_number(waiting_number.upstream_id, expires_at=expires_at)

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=1)))

    waiting_number.refresh_from_db()
    assert (waiting_number.status, balance(ann)) == (Status.PENDING, 100_000_000 - PRICE)


def _spoil(order: Order) -> None:
    """Somebody has used the reference of this order's refund for something else."""
    reference = f"order:{order.pk}:refund:{order.price_micros}"
    credit(user=order.user, amount_micros=1, kind=LedgerEntry.Kind.ADJUSTMENT, reference=reference)


@pytest.mark.parametrize("spoiled", [0, 1])
def test_give_up_waiting_goes_on_after_an_order_that_cannot_be_refunded(buy, spoiled):
    orders = buy(quantity=2)
    _spoil(orders[spoiled])

    assert give_up_waiting(now=timezone.now() + SOON) == 1

    orders[1 - spoiled].refresh_from_db()
    assert orders[1 - spoiled].status == Status.FAILED


@pytest.mark.parametrize("spoiled", [0, 1])
def test_release_stale_claims_goes_on_after_an_order_that_cannot_be_refunded(buy, spoiled):
    orders = buy(quantity=2)
    for order in orders:
        engine.claim_order(order, cost_micros=order.cost_upstream_micros, now=timezone.now(), last_id="")
    _spoil(orders[spoiled])

    release_stale_claims(now=timezone.now() + timedelta(hours=1))

    orders[1 - spoiled].refresh_from_db()
    assert orders[1 - spoiled].status == Status.FAILED


def test_the_newest_upstream_id_is_told_apart_by_kind(waiting_number, service, ann, client_upstream):
    from orders.placing.place import place_order

    order = place_order(
        user=ann, service=service, quantity=100, link="https://example.com/p", request_id="1", now=timezone.now()
    )

    forward_order(order.pk, client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    assert order.last_upstream_id_before == ""  # numbers may be counted apart


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request"])
def test_audit_allows_for_a_number_whose_answer_was_lost(buy, client_upstream, sandbox, fault):
    [order] = buy()
    sandbox.fail_next(fault, action="add_sms")
    forward_order(order.pk, client=client_upstream, clock=timezone.now)

    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_audit_allows_for_a_number_that_upstream_ends_later_than_we(waiting_number, client_upstream, sandbox):
    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=2)))
    assert Order.objects.get().status == Status.CANCELED
    sandbox.set_number(waiting_number.upstream_id, status="expired")

    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert not OrderEvent.objects.filter(code=OrderEvent.Code.LOSS).exists()


def test_a_message_without_a_code_reaches_its_buyer(waiting_number, ann):
    read = '{"status": "completed", "code": "", "sms_content": "Open https://example.com/a"}'
    status = '{"status": "code_received", "charge": "0.5000"}'

    with RawServer(
        lambda sock, received: sock.sendall(answer(read if received.form["action"] == "sms_code" else status))
    ) as server:
        poll_due(kind="number", client=client_of(server), clock=stopped_at(timezone.now() + timedelta(days=2)))

    waiting_number.refresh_from_db()
    number = Number.objects.get()
    assert (waiting_number.status, number.state) == (Status.COMPLETED, State.RECEIVED)
    assert number.content == "Open https://example.com/a"
    assert number.received_at is not None
    assert balance(ann) == 100_000_000 - PRICE


def test_a_message_without_a_code_is_shown_to_its_buyer(waiting_number, client, ann):
    Number.objects.update(state=State.RECEIVED, content="Open https://example.com/a", received_at=timezone.now())
    Order.objects.update(status=Status.COMPLETED)
    client.force_login(ann)

    page = client.get("/sms/numbers/").content.decode()

    assert '<blockquote class="number-card__message">Open https://example.com/a</blockquote>' in page
    assert "No code arrived" not in page
