"""An order that waits for a payment which staff looks at."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications.models import Notice
from orders.models import Order, PendingCheckout
from orders.placing.pay_first import close_pending, close_pending_of
from orders.tasks import place_pending_checkouts
from tests.accounts.denying import deny
from tests.orders.placing.paying_first import closed, in_thread, pay
from tests.pages import page_words
from tests.wallet.paying import balance, demo_says
from wallet.gateways import State
from wallet.models import TopUp
from wallet.operations import confirm_top_up, decline_top_up

__all__ = ["pay"]  # a fixture
pytestmark = pytest.mark.sqlite


@pytest.fixture
def looked_at(pay) -> PendingCheckout:
    """An order whose payment came from somebody on the deny list."""
    deny("payer", "kim@example.com")
    pending = pay()
    demo_says(pending.top_up, State.PAID)
    pending.top_up.refresh_from_db()
    assert (pending.top_up.status, pending.top_up.received_micros) == (TopUp.Status.REVIEW, 0)
    return pending


def payment_page(client, kim, pending) -> str:
    client.force_login(kim)
    return page_words(client.get(reverse("wallet:payment", args=[pending.top_up.reference])))


def test_order_waits_while_its_payment_is_looked_at_and_the_page_accuses_nobody(client, kim, looked_at):
    page = payment_page(client, kim, looked_at)

    assert not close_pending(now=timezone.now())
    assert (closed(looked_at).state, looked_at.reason, looked_at.closed_at) == ("waiting", "", None)
    assert "We are looking at your payment. If it is confirmed, your order is placed automatically" in page
    assert "doesn't match" not in page
    assert "deny" not in page.lower()
    assert not Notice.objects.exists()
    assert balance(kim) == 500_000


def test_order_is_placed_once_staff_confirms_the_payment(client, kim, sam, looked_at):
    close_pending(now=timezone.now())
    confirm_top_up(top_up=looked_at.top_up, received_micros=looked_at.top_up.pay_micros, actor=sam)

    place_pending_checkouts()
    place_pending_checkouts()

    order = Order.objects.get()
    looked_at.refresh_from_db()
    assert (looked_at.state, looked_at.order, order.price_micros, balance(kim)) == ("placed", order, 3_750_000, 0)
    assert f"Order #{order.pk} has been placed" in payment_page(client, kim, looked_at)


def test_order_is_dropped_in_fitting_words_once_staff_declines_the_payment(client, kim, sam, looked_at):
    close_pending(now=timezone.now())
    decline_top_up(top_up=looked_at.top_up, actor=sam)

    assert (closed(looked_at).state, looked_at.reason) == ("dropped", "We couldn't accept the payment.")
    page = payment_page(client, kim, looked_at)
    assert "If money has left your account, write to us." in page
    assert "not been charged" not in page
    assert not Order.objects.exists()
    assert balance(kim) == 500_000


def test_form_sent_again_leads_to_the_payment_that_is_looked_at(pay, looked_at):
    again = pay(request_id=looked_at.request_id, gateway="manual")

    assert (again.pk, again.state, again.top_up) == (looked_at.pk, "waiting", looked_at.top_up)
    assert TopUp.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_sweeps_beside_staff_who_confirms_place_one_order(pay, kim, sam):
    deny("payer", "kim@example.com")
    pending = pay()
    demo_says(pending.top_up, State.PAID)
    top_up = TopUp.objects.get(pk=pending.top_up_id)

    def confirm():
        confirm_top_up(top_up=top_up, received_micros=top_up.pay_micros, actor=sam)

    def sweep():
        for _time in range(3):
            close_pending(now=timezone.now())

    def look():
        close_pending_of(top_up, now=timezone.now())

    with ThreadPoolExecutor(6) as threads:
        runs = [threads.submit(in_thread, act) for act in (sweep, look, confirm, sweep, look, sweep)]
        [run.result() for run in runs]

    pending = closed(pending)
    assert (pending.state, pending.order) == ("placed", Order.objects.get())
    assert balance(kim) == 0
