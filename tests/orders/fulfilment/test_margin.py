"""Nothing is sent at a loss without staff's consent, and a charge that is wrong stops the service."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Service
from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from orders.fulfilment.margin import refund_held, review_held_orders, send_held_anyway
from orders.fulfilment.poll import poll_due
from orders.fulfilment.queue import forward_waiting
from orders.lifecycle.attention import text_of_hold
from orders.lifecycle.transitions import WrongStatus
from orders.models import HoldReason, Order, OrderEvent, Status, UpstreamEntry
from tests.clock import stopped_at
from tests.orders.attention import Flag, flag, flags_of, said_of
from wallet.models import Wallet

Code = OrderEvent.Code
pytestmark = pytest.mark.django_db(transaction=True)
LOSS = "Sold at a loss: it costs 2.00 USD now, the customer paid 1.875"


def rate_becomes(micros: int) -> None:
    Service.objects.update(rate_upstream_micros=micros)


@pytest.fixture
def held_order(paid_order, client_upstream):
    """An order whose upstream rate rose above its price since it was sold."""
    rate_becomes(2_000_000)
    assert not forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    paid_order.refresh_from_db()
    return paid_order


@pytest.fixture
def poll(client_upstream):
    """Poll everything as if all were due: `poll(hours=…)` that much later."""

    def poll_all(**later) -> int:
        now = timezone.now() + timedelta(days=3) + timedelta(**later)
        return poll_due(kind="service", client=client_upstream, clock=stopped_at(now))

    return poll_all


def test_forward_order_when_it_would_lose_money_holds_it_in_its_place(held_order, sandbox, settings):
    assert (held_order.status, held_order.held_because) == (Status.PAID, HoldReason.LOSS)
    assert (text_of_hold(held_order.held_because, held_order.held_details), said_of(held_order)) == (LOSS, LOSS)
    assert timedelta(hours=23) < held_order.held_until - timezone.now() <= timedelta(hours=24)
    assert (sandbox.orders, held_order.attempts, held_order.refunded_micros) == ([], 0, 0)
    event = held_order.events.last()
    assert (event.code, event.evidence["cost_upstream_micros"]) == (Code.ATTENTION, 2_000_000)


def test_forward_waiting_when_a_queue_would_lose_money_tells_the_admin_once(place, client_upstream):
    orders = [place(request_id=str(number)) for number in range(3)]
    rate_becomes(2_000_000)

    forward_waiting(client=client_upstream, clock=timezone.now)
    forward_waiting(client=client_upstream, clock=timezone.now)

    assert Order.objects.exclude(held_because="").count() == len(orders)
    assert Notice.objects.filter(key__startswith="held:").count() == 1
    assert OrderEvent.objects.filter(code=Code.ATTENTION).count() == len(orders)


@pytest.mark.parametrize("rate", [1_500_000, 1_875_000])
def test_forward_order_at_a_cost_up_to_the_price_sends_it(paid_order, client_upstream, rate):
    rate_becomes(rate)

    assert forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.cost_upstream_micros) == (Status.PENDING, rate)


def test_forward_order_when_the_exchange_rate_ate_the_margin_holds_it(paid_order, client_upstream, settings):
    # The sandbox counts in dollars, so it cannot name the books' beginning in another currency.
    UpstreamEntry.objects.create(kind=UpstreamEntry.Kind.OPENING, amount_upstream_micros=1)
    settings.UPSTREAM_CURRENCY, settings.UPSTREAM_EXCHANGE_RATE = "EUR", settings.UPSTREAM_EXCHANGE_RATE * 2

    assert not forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert said_of(paid_order) == "Sold at a loss: it costs 3.00 USD now, the customer paid 1.875"


def test_forward_order_sold_below_cost_on_purpose_is_sent_at_that_cost(paid_order, client_upstream):
    Order.objects.filter(pk=paid_order.pk).update(cost_upstream_micros=2_000_000)
    rate_becomes(2_000_000)

    assert forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)


def test_review_held_orders_when_the_rate_falls_back_releases_and_sends_it(held_order, client_upstream, sandbox):
    rate_becomes(1_600_000)

    assert review_held_orders(now=timezone.now()) == 1

    held_order.refresh_from_db()
    assert (held_order.status, held_order.held_because, held_order.held_until, flags_of(held_order)) == (
        Status.PAID,
        "",
        None,
        [],
    )
    assert forward_order(held_order.pk, client=client_upstream, clock=timezone.now)
    assert len(sandbox.orders) == 1


def test_review_held_orders_when_the_time_is_over_refunds_once(held_order, ann):
    assert review_held_orders(now=timezone.now() + timedelta(hours=23)) == 0
    for _twice in range(2):
        review_held_orders(now=timezone.now() + timedelta(hours=25))

    held_order.refresh_from_db()
    assert (held_order.status, held_order.refunded_micros, flags_of(held_order)) == (Status.FAILED, 1_875_000, [])
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    assert held_order.events.filter(code=Code.REFUNDED).count() == 1


def test_review_held_orders_leaves_another_flag_on_the_order(held_order):
    flag(held_order, Flag.LATE_ANSWER, upstream_ids=["9"])
    rate_becomes(1_500_000)

    review_held_orders(now=timezone.now())

    held_order.refresh_from_db()
    assert (held_order.held_because, flags_of(held_order)) == ("", [Flag.LATE_ANSWER])


def test_send_held_anyway_sends_it_at_the_loss_and_it_is_not_held_again(held_order, client_upstream, sandbox, sam):
    send_held_anyway(held_order.pk, actor=sam, now=timezone.now())

    rate_becomes(3_000_000)
    assert forward_order(held_order.pk, client=client_upstream, clock=timezone.now)
    held_order.refresh_from_db()
    assert (held_order.status, held_order.cost_upstream_micros) == (Status.PENDING, 3_000_000)
    assert held_order.events.get(code=Code.RESOLVED).actor == sam


def test_refund_held_gives_the_money_back_at_once(held_order, sam, ann):
    refund_held(held_order.pk, actor=sam, now=timezone.now())

    held_order.refresh_from_db()
    assert (held_order.status, held_order.held_because) == (Status.FAILED, "")
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    assert held_order.events.filter(code=Code.RESOLVED, actor=sam).exists()


@pytest.mark.parametrize("decide", [send_held_anyway, refund_held])
def test_a_decision_about_an_order_that_is_not_held_changes_nothing(paid_order, sam, decide):
    with pytest.raises(WrongStatus):
        decide(paid_order.pk, actor=sam, now=timezone.now())

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.hold_waived_at, paid_order.refunded_micros) == (Status.PAID, None, 0)


def test_orders_of_a_paused_service_wait_until_it_is_sold_again(paid_order, client_upstream, service):
    Service.objects.update(paused_because="charges too much")

    assert not forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.held_because, flags_of(paid_order)) == (HoldReason.SERVICE_PAUSED, [Flag.SERVICE_PAUSED])
    assert said_of(paid_order) == "The service is paused: charges too much"
    Service.objects.update(paused_because="")
    assert review_held_orders(now=timezone.now()) == 1
    assert forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)


def test_poll_when_the_charge_differs_but_is_paid_for_notes_it_once(sent_order, poll, sandbox, service):
    sandbox.set_order(sent_order.upstream_id, status="In progress", charge="1.70")

    poll()
    poll(hours=1)

    sent_order.refresh_from_db()
    service.refresh_from_db()
    [event] = sent_order.events.filter(code=Code.ATTENTION)
    assert event.evidence == {"charge_upstream_micros": 1_700_000, "expected_upstream_micros": 1_500_000}
    assert (flags_of(sent_order), service.paused_because) == ([], "")


@pytest.mark.parametrize("charge", ["1.51", "1.49", "1.515"])
def test_poll_when_the_charge_is_within_the_tolerance_says_nothing(sent_order, poll, sandbox, charge):
    sandbox.set_order(sent_order.upstream_id, status="In progress", charge=charge)

    poll()

    assert not sent_order.events.filter(code=Code.ATTENTION).exists()


def test_poll_of_a_partial_order_takes_its_lower_charge_as_it_is(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=999, charge="0.0015")

    poll()

    assert not sent_order.events.filter(code=Code.ATTENTION).exists()


def test_poll_when_the_charge_exceeds_the_payment_tells_the_admin_and_holds_the_rest(
    sent_order, place, poll, sandbox, service, client_upstream
):
    waiting = place()
    sandbox.set_order(sent_order.upstream_id, status="In progress", charge="2.00")

    poll()

    service.refresh_from_db()
    assert service.paused_because == f"Upstream charged more than the customer paid (order {sent_order.pk})"
    assert Notice.objects.filter(key=f"service-paused:{service.pk}:{sent_order.pk}").count() == 1
    assert not forward_order(waiting.pk, client=client_upstream, clock=timezone.now)
    assert len(sandbox.orders) == 1
