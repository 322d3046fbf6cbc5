"""The order form of who has too little money: it offers to pay what is missing, and leads to the order."""

import pytest
from django.urls import reverse

from catalog.models import Service
from orders.models import Order, PendingCheckout
from tests.pages import HTMX, alerts, hidden, page_words
from tests.wallet.paying import demo_says
from wallet.gateways import State
from wallet.models import LedgerEntry, Receivable, TopUp
from wallet.operations import credit, debit

DOLLAR = 1_000_000
LINK = "https://instagram.com/kim"


@pytest.fixture(autouse=True)
def demo_gateway(settings):
    settings.DEBUG = True
    settings.MANUAL_TRANSFER_DETAILS = "IBAN XX00 1234"


def dearer(service) -> None:
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=1_700_000)


@pytest.fixture
def page(client, kim, service):
    client.force_login(kim)
    address = reverse("orders:place", args=[service.pk])

    def send(**typed):
        part = client.get(address, {"quantity": "2000"}, headers=HTMX)
        form = {
            "quantity": "2000",
            "link": LINK,
            "request_id": hidden(client.get(address), "request_id"),
            "quote": hidden(part, "quote"),
            "pay": "demo",
        }
        return client.post(address, {**form, **typed})

    return send


def test_place_offers_to_pay_what_is_missing_and_says_what_stays(client, kim, service):
    client.force_login(kim)

    words = page_words(client.get(reverse("orders:place", args=[service.pk]), {"quantity": "2000"}, headers=HTMX))

    assert "Pay the missing $3.25 and order" in words
    assert "Demo: pay $3.25 and order" in words or "pay $3.25 and order" in words
    assert "$6.75 stays in your balance." in words  # a transfer is 10.00 at least


def test_place_leads_to_the_payment_and_its_page_to_the_order(client, page):
    response = page()

    pending = PendingCheckout.objects.get()
    reference = pending.top_up.reference
    assert response.url == reverse("wallet:pay", args=[reference])
    payment = reverse("wallet:payment", args=[reference])
    assert "Your order will be placed automatically as soon as the payment arrives" in page_words(client.get(payment))
    demo_says(pending.top_up, State.PAID)
    shown = client.get(payment)  # nobody waits for the sweep
    order = Order.objects.get()
    assert f"Order #{order.pk} has been placed" in page_words(shown)
    assert reverse("orders:detail", args=[order.pk]) in shown.content.decode()


def test_place_with_a_gateway_that_does_not_exist_says_so(page):
    assert "This payment method isn't available for this amount." in alerts(page(pay="bitcoins"))
    assert not TopUp.objects.exists()


def test_place_with_enough_money_by_now_orders_at_once(page, kim):
    credit(user=kim, amount_micros=10 * DOLLAR, kind=LedgerEntry.Kind.TOP_UP, reference="t")

    response = page()

    assert response.url == reverse("orders:detail", args=[Order.objects.get().pk])


def test_place_for_who_owes_says_so(page, kim):
    debit(user=kim, amount_micros=500_000, kind=LedgerEntry.Kind.REVERSAL, reference="top_up:X:reversed:1")
    Receivable.objects.create(user=kim, amount_micros=2 * DOLLAR)

    for pressed in ("demo", ""):
        assert "$2.00 of it is still owed" in alerts(page(pay=pressed))
