"""What upstream charges: cents stop nobody, a habit does, and what it keeps of a canceled order is the shop's loss."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog.models import Service
from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from orders.fulfilment.margin import SMALL_LOSSES
from orders.fulfilment.poll import poll_due
from orders.models import Order, OrderEvent, Status
from tests.clock import stopped_at
from tests.orders.attention import Flag, flags_of
from upstream.money import rounding_micros

Code = OrderEvent.Code
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def poll(client_upstream):
    """Poll what is due that much later: `poll(hours=…)`."""

    def poll_all(**later: float) -> int:
        now = timezone.now() + timedelta(minutes=5) + timedelta(**later)
        return poll_due(kind="service", client=client_upstream, clock=stopped_at(now))

    return poll_all


def because(service: Service) -> str:
    return Service.objects.get(pk=service.pk).paused_because


def losses(order: Order) -> int:
    return order.events.filter(code=Code.LOSS).count()


@pytest.mark.parametrize(
    ("text", "micros"), [("0.02", 5_000), ("0.0150", 50), ("2", 5_000), ("1.5", 5_000), ("0.1234567", 0)]
)
def test_rounding_of_a_text_is_half_a_unit_of_its_last_decimal(text, micros):
    assert rounding_micros(Decimal(text)) == micros


@pytest.mark.parametrize(("quantity", "charge"), [(10, "0.02"), (20, "0.04"), (10, "0.0250")])
def test_poll_when_the_charge_is_cents_above_the_payment_notes_it_and_sells_on(
    send, poll, place, sandbox, service, quantity, charge
):
    order = send(quantity=quantity)
    sandbox.set_order(order.upstream_id, charge=charge)

    poll()

    [noted] = order.events.filter(code=Code.ATTENTION)
    assert noted.evidence["expected_upstream_micros"] == quantity * 1_500
    assert (because(service), flags_of(order)) == ("", [])
    assert not Notice.objects.filter(key__startswith="service-paused:").exists()


def test_poll_of_one_customers_tiny_order_does_not_hold_another_customers_orders(
    send, poll, place, sandbox, ann, ben, client_upstream
):
    tiny = send(user=ben, quantity=10)
    waiting = place(user=ann, quantity=5000)
    sandbox.set_order(tiny.upstream_id, charge="0.02")

    poll()

    assert place(user=ann, quantity=5000).status == Status.PAID
    assert forward_order(waiting.pk, client=client_upstream, clock=timezone.now)


def test_poll_when_a_charge_is_more_than_a_cent_above_the_payment_pauses_the_service(send, poll, sandbox, service):
    order = send(quantity=10)  # paid 0.0188
    sandbox.set_order(order.upstream_id, charge="0.03")

    poll()

    assert because(service) == f"Upstream charged more than the customer paid (order {order.pk})"


@pytest.mark.parametrize(("charge", "pauses"), [("0.0250", True), ("0.02", False)])
def test_poll_when_small_losses_become_a_habit_pauses_the_service_unless_rounding_explains_them(
    send, poll, sandbox, service, charge, pauses
):
    for number in range(SMALL_LOSSES):
        assert because(service) == "", number
        order = send(quantity=10, link=f"https://instagram.com/{number}")
        sandbox.set_order(order.upstream_id, charge=charge)
        poll(minutes=number)

    assert bool(because(service)) is pauses
    assert flags_of(order) == ([Flag.OVERCHARGED] if pauses else [])


def test_poll_after_staff_looked_at_a_habit_counts_again(send, poll, sandbox, service):
    for number in range(SMALL_LOSSES + 1):
        Service.objects.update(paused_because="")
        order = send(quantity=10, link=f"https://instagram.com/{number}")
        sandbox.set_order(order.upstream_id, charge="0.0250")
        poll(minutes=number)

    assert because(service) == ""


def test_poll_of_one_order_whose_charge_wavers_by_little_is_no_habit(send, poll, sandbox, service):
    order = send(quantity=10)
    for number in range(SMALL_LOSSES + 2):
        sandbox.set_order(order.upstream_id, charge=f"0.02{number}0")
        poll(hours=number)

    assert because(service) == ""


# --- Canceled, and charged all the same -------------------------------------------------------------------------------
def test_poll_when_upstream_cancels_and_keeps_the_charge_books_and_flags_it_once(send, poll, sandbox, service):
    order = send()
    sandbox.set_order(order.upstream_id, status="Canceled", charge="1.50")

    poll()
    poll(hours=13)

    order.refresh_from_db()
    assert (order.status, order.refunded_micros, order.charge_upstream_micros) == (
        Status.CANCELED,
        order.price_micros,
        1_500_000,
    )
    assert (flags_of(order), losses(order), because(service)) == ([Flag.CHARGE_KEPT], 1, "")
    assert Notice.objects.filter(key__startswith=f"flag:{order.pk}:").count() == 1


def test_poll_when_upstream_cancels_without_a_charge_books_nothing(send, poll, sandbox):
    order = send()
    sandbox.set_order(order.upstream_id, status="Canceled", charge="0.00")

    poll()

    assert (flags_of(order), losses(order)) == ([], 0)


def test_poll_when_a_canceled_order_is_completed_later_books_and_flags_it(send, poll, sandbox):
    order = send()
    sandbox.set_order(order.upstream_id, status="Canceled", charge="0.00")
    poll()
    sandbox.set_order(order.upstream_id, status="Completed", charge="1.50")

    poll(hours=13)

    order.refresh_from_db()
    assert (order.status, order.charge_upstream_micros, losses(order)) == (Status.CANCELED, 1_500_000, 1)
    assert set(flags_of(order)) == {Flag.WENT_BACK, Flag.CHARGE_KEPT}


def test_poll_when_a_canceled_order_is_charged_later_books_it_though_the_charge_is_the_expected_one(
    send, poll, sandbox
):
    order = send()
    sandbox.set_order(order.upstream_id, status="Canceled", charge="0.00")
    poll()
    sandbox.set_order(order.upstream_id, charge="1.50")

    poll(hours=13)

    assert (flags_of(order), losses(order)) == ([Flag.CHARGE_KEPT], 1)


def test_poll_watches_a_canceled_order_as_long_as_every_finished_one(send, poll, sandbox, settings):
    order = send()
    sandbox.set_order(order.upstream_id, status="Canceled", charge="0.00")
    poll()
    order.refresh_from_db()
    assert order.next_poll_at is not None

    poll(days=settings.LATE_CHANGE_DAYS + 1)

    order.refresh_from_db()
    assert order.next_poll_at is None
