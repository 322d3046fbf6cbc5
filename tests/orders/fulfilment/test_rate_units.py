"""How many pieces a rate buys: found out by small orders, one at a time, never by a costly one."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Category, Service
from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.fulfilment.queue import forward_waiting
from orders.fulfilment.rate_units import take_turn
from orders.models import Order, OrderEvent, Status
from orders.placing.refusals import OrderRefused
from tests.clock import stopped_at
from tests.orders.attention import flags_of, said_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unproved(service, sandbox):
    """The service in a category whose unit nobody has confirmed; 0.02 a rate, so that small orders cost little."""
    Category.objects.update(rate_confirmed_at=None)
    Service.objects.update(rate_upstream_micros=20_000)
    sandbox.set_service(service.upstream_id, rate="0.02")
    service.refresh_from_db()
    return service


@pytest.fixture
def poll(client_upstream):
    """Poll everything as if all were due."""

    def poll_all() -> int:
        return poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=3)))

    return poll_all


def statuses() -> list[str]:
    return list(Order.objects.order_by("id").values_list("status", flat=True))


def test_place_order_takes_what_costs_little_even_if_the_rate_buys_one(unproved, place):
    assert place(quantity=250).quantity == 250  # 250 × 0.02 = 5.00, as much as UNCONFIRMED_MAX_COST

    with pytest.raises(OrderRefused) as refusal:
        place(quantity=251)

    assert str(refusal.value) == (
        "We're still checking this service's price. For now, enter a quantity between 10 and 250."
    )
    assert refusal.value.field == "quantity"


def test_place_order_when_even_the_smallest_could_cost_too_much_is_refused(unproved, place):
    Service.objects.update(rate_upstream_micros=1_500_000)

    with pytest.raises(OrderRefused, match="still checking its price"):
        place(quantity=10)

    assert not Service.objects.select_related("category").get(pk=unproved.pk).orderable


@pytest.mark.parametrize("confirmed", ["category", "service"])
def test_place_order_when_the_unit_is_certain_takes_any_quantity(unproved, place, confirmed):
    if confirmed == "category":
        Category.objects.update(rate_confirmed_at=timezone.now())
    else:
        Service.objects.update(rate_per_override=1000)

    assert place(quantity=10_000).quantity == 10_000


def test_forward_waiting_sends_one_order_of_the_category_until_its_charge_is_known(
    unproved, place, client_upstream, sandbox, poll
):
    first, *_others = [place(quantity=200) for _each in range(3)]

    for _again in range(2):
        forward_waiting(client=client_upstream, clock=timezone.now)
    assert statuses() == [Status.PENDING, Status.PAID, Status.PAID]
    poll()  # the sandbox charges 0.004: per thousand, as we took it
    forward_waiting(client=client_upstream, clock=timezone.now)

    category = Category.objects.get()
    assert statuses() == [Status.PENDING] * 3
    assert (category.rate_confirmed_at is not None, category.rate_per) == (True, 1000)
    assert flags_of(first) == []
    assert len(sandbox.orders) == 3


def test_forward_order_of_a_later_one_does_not_overtake_the_first_in_the_category(unproved, place, client_upstream):
    first, second = place(quantity=100), place(quantity=100)

    assert not forward_order(second.pk, client=client_upstream, clock=timezone.now)
    assert forward_order(first.pk, client=client_upstream, clock=timezone.now)
    assert not forward_order(second.pk, client=client_upstream, clock=timezone.now)

    assert statuses() == [Status.PENDING, Status.PAID]


def test_forward_waiting_when_the_one_under_way_is_unknown_sends_the_next(unproved, place, client_upstream, sandbox):
    place(quantity=100), place(quantity=100)
    sandbox.fail_next("lose_reply", action="add")

    for _again in range(2):
        forward_waiting(client=client_upstream, clock=timezone.now)

    assert statuses() == [Status.UNKNOWN, Status.PENDING]


def test_forward_waiting_of_another_category_does_not_wait(unproved, place, client_upstream, sandbox):
    other = Category.objects.create(name="TikTok", rate_confirmed_at=timezone.now())
    row = {"name": "Likes", "type": "Default", "category": "TikTok", "rate": "0.02", "min": 10, "max": 1000}
    sandbox.add_service(service=900_010, **row)
    likes = Service.objects.create(
        upstream_id=900_010,
        category=other,
        name="Likes",
        type="Default",
        rate_upstream_micros=20_000,
        min_quantity=10,
        max_quantity=1000,
    )
    place(quantity=100), place(quantity=100), place(service=likes, quantity=1000)

    forward_waiting(client=client_upstream, clock=timezone.now)

    assert statuses() == [Status.PENDING, Status.PAID, Status.PENDING]


def test_two_workers_at_once_never_have_two_of_the_category_under_way(unproved, place, client_upstream, sandbox):
    orders = [place(quantity=50) for _each in range(6)]
    forward_order(orders[0].pk, client=client_upstream, clock=timezone.now)
    Order.objects.filter(pk=orders[0].pk).update(status=Status.COMPLETED)  # finished without a charge
    sandbox.fail_rate("slow", 1, action="add", seconds=0.5)

    def send(order: Order) -> bool:
        try:
            # Nothing but the claim decides here: each worker was told of another order, as by a message.
            return forward_order(order.pk, client=client_upstream, clock=timezone.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as threads:
        sent = sum(threads.map(send, orders[1:]))

    assert sent == 1
    assert len(sandbox.orders) == 2


def test_two_sweeps_at_once_send_one_of_the_category(unproved, place, client_upstream, sandbox):
    for _each in range(4):
        place(quantity=50)

    def sweep(_number: int) -> int:
        try:
            return forward_waiting(client=client_upstream, clock=timezone.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        sent = sum(threads.map(sweep, range(3)))

    assert sent == len(sandbox.orders) == 1


def test_take_turn_while_another_worker_has_not_committed_its_claim_waits_for_it(unproved, place):
    first, second = place(quantity=50), place(quantity=50)
    Order.objects.filter(pk=first.pk).update(held_because="a loss")  # so the second one's turn has come
    now, claimed = timezone.now(), Event()

    def claim_the_second() -> bool:
        try:
            with transaction.atomic():
                turn = take_turn(second, now=now)
                sending = {"status": Status.SENDING, "claim_token": uuid.uuid4(), "claim_deadline": now}
                Order.objects.filter(pk=second.pk).update(**sending)
                claimed.set()
                time.sleep(0.5)
                return turn
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        seconds_turn = threads.submit(claim_the_second)
        assert claimed.wait(10)
        Order.objects.filter(pk=first.pk).update(held_because="")
        with transaction.atomic():
            firsts_turn = take_turn(first, now=now)

    assert (seconds_turn.result(), firsts_turn) == (True, False)


def test_poll_when_the_charge_fits_the_other_unit_pauses_the_service_and_changes_no_unit(
    unproved, place, client_upstream, sandbox, poll
):
    order, waiting = place(quantity=200), place(quantity=200)
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="In progress", charge="4.00")  # 200 × 0.02: the rate buys one

    poll()
    forward_waiting(client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    unproved.refresh_from_db()
    category = Category.objects.get()
    reason = "Upstream charged more than the customer paid: the charge fits another rate unit than 1000"
    assert (said_of(order), unproved.paused_because) == (reason, f"{reason} (order {order.pk})")
    assert (category.rate_confirmed_at, category.rate_per) == (None, None)
    assert Notice.objects.filter(key__startswith="service-paused:").count() == 1
    waiting.refresh_from_db()
    assert (waiting.status, len(sandbox.orders)) == (Status.PAID, 1)


def test_poll_when_the_charge_is_a_thousandth_of_the_expected_pauses_the_service_too(
    service, place, client_upstream, sandbox, poll
):
    Category.objects.update(rate_per=1)
    Service.objects.update(rate_upstream_micros=500_000)
    order = place(quantity=100)
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="In progress", charge="0.05")

    poll()

    service.refresh_from_db()
    assert service.paused_because.startswith("Upstream charged far less than expected")


def test_poll_when_the_charge_fits_neither_unit_proves_nothing(unproved, place, client_upstream, sandbox, poll):
    order = place(quantity=200)
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    Order.objects.filter(pk=order.pk).update(price_micros=2_000_000)
    sandbox.set_order(order.upstream_id, status="In progress", charge="1.00")

    poll()

    assert Category.objects.get().rate_confirmed_at is None
    assert order.events.filter(code=OrderEvent.Code.ATTENTION).count() == 1


@pytest.mark.parametrize("charge", ["0.00", "0.01"])
def test_poll_when_the_charge_fits_both_units_or_is_none_yet_proves_nothing(
    unproved, place, client_upstream, sandbox, poll, charge
):
    Service.objects.update(rate_upstream_micros=500)
    order = place(quantity=10)  # 0.005 at most
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="In progress", charge=charge)

    poll()

    assert Category.objects.get().rate_confirmed_at is None


def test_poll_of_a_service_with_a_unit_of_its_own_proves_nothing_about_the_category(
    unproved, place, client_upstream, poll
):
    Service.objects.update(rate_per_override=1000)
    forward_order(place(quantity=1000).pk, client=client_upstream, clock=timezone.now)

    poll()

    assert Category.objects.get().rate_confirmed_at is None
