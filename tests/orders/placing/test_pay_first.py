"""Paying for an order directly: once paid it is placed by itself, once, at the promised price, or the money stays."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.signing import Signer
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from notifications.models import Notice
from orders.models import Checkout, Order, PendingCheckout
from orders.placing.pay_first import close_pending, close_pending_of
from orders.placing.place import place_order
from orders.placing.quotes import SALT
from orders.placing.refusals import MoneyOwed, OrderRefused, PriceChanged, QuoteRefused, RequestIdReused
from orders.tasks import place_pending_checkouts
from tests.orders.placing.paying_first import LINK, closed, fresh, in_thread, pay
from tests.orders.quoting import signed
from tests.pages import page_words
from tests.wallet.paying import balance, demo_says
from wallet.gateways import State
from wallet.models import LedgerEntry, Receivable, TopUp
from wallet.operations import TopUpRefused, credit, debit

__all__ = ["pay"]  # a fixture
pytestmark = pytest.mark.sqlite

DOLLAR = 1_000_000


def dearer(service) -> None:
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=1_700_000)


def test_pay_and_order_asks_for_what_is_missing_and_keeps_the_form(pay, kim, service):
    pending = pay()

    assert (pending.state, pending.price_micros, pending.quantity, pending.link) == ("waiting", 3_750_000, 2000, LINK)
    assert (pending.top_up.amount_micros, pending.top_up.pay_url != "") == (3_250_000, True)
    assert not close_pending(now=timezone.now())
    assert balance(kim) == 500_000


def test_pay_and_order_of_less_than_the_gateway_takes_asks_for_the_least(pay, kim, service):
    quote = signed(kim, service, quantity=300, price_micros=562_500)

    pending = pay(quantity=300, quote=quote)

    assert pending.top_up.amount_micros == DOLLAR  # 0.0625 is missing
    demo_says(pending.top_up, State.PAID)
    assert closed(pending).state == "placed"
    assert balance(kim) == 937_500


def test_a_payment_that_comes_in_places_the_order_once(pay, kim):
    pending = pay()
    for _time in range(2):
        assert demo_says(pending.top_up, State.PAID) == 200
    place_pending_checkouts()
    place_pending_checkouts()

    order = Order.objects.get()
    pending.refresh_from_db()
    assert (pending.state, pending.order, pending.reason) == ("placed", order, "")
    assert (order.user, order.price_micros, order.quantity, order.link) == (kim, 3_750_000, 2000, LINK)
    assert order.checkout.request_id == pending.request_id
    assert balance(kim) == 0
    assert not Notice.objects.exists()


def test_the_promise_holds_while_it_is_paid_although_the_quote_has_expired(pay, kim, service):
    pending = pay()
    old = signed(kim, service, quantity=2000, price_micros=3_750_000, expires_at=timezone.now() - timedelta(hours=22))
    PendingCheckout.objects.update(quote=old, created_at=timezone.now() - timedelta(hours=23))
    dearer(service)
    demo_says(pending.top_up, State.PAID)
    close_pending(now=timezone.now())

    order = Order.objects.get()
    assert (order.price_micros, order.accepted_loss_micros) == (3_750_000, 0)


def test_a_promise_too_old_leaves_the_money_and_says_why_on_the_page_and_by_mail(client, pay, kim, service):
    pending = pay()
    PendingCheckout.objects.update(created_at=timezone.now() - timedelta(hours=25))
    old = signed(kim, service, quantity=2000, price_micros=3_750_000, expires_at=timezone.now() - timedelta(hours=1))
    PendingCheckout.objects.update(quote=old)
    dearer(service)
    demo_says(pending.top_up, State.PAID)
    client.force_login(kim)

    page = page_words(client.get(reverse("wallet:payment", args=[pending.top_up.reference])))

    pending.refresh_from_db()
    assert (pending.state, pending.order) == ("dropped", None)
    assert "The price has since risen to $4.25. The money is in your balance." in page
    notice = Notice.objects.get()
    assert notice.user == kim
    assert "The price has since risen to $4.25." in notice.body
    assert "$3.25" in notice.body
    assert balance(kim) == 3_750_000
    assert not Checkout.objects.exists()


def test_a_loss_beyond_what_the_shop_accepts_leaves_the_money(pay, kim, service):
    pending = pay()
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=5_000_000)  # would cost 10.00
    demo_says(pending.top_up, State.PAID)

    assert "The price has since risen" in closed(pending).reason
    assert balance(kim) == 3_750_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"visible": False}, "This service is no longer sold."),
        ({"withdrawn_at": timezone.now()}, "This service is no longer sold."),
        ({"max_quantity": 500}, "Enter a quantity between 10 and 500."),
    ],
)
def test_a_service_that_is_gone_meanwhile_leaves_the_money(pay, kim, service, change, reason):
    pending = pay()
    Service.objects.filter(pk=service.pk).update(**change)
    demo_says(pending.top_up, State.PAID)

    assert (closed(pending).state, pending.reason) == ("dropped", reason)
    assert reason in Notice.objects.get().body
    assert balance(kim) == 3_750_000


def test_a_service_that_is_sold_out_meanwhile_leaves_the_money(pay, kim, service, sandbox):
    pending = pay()
    Service.objects.filter(pk=service.pk).update(stock=0)
    sandbox.set_service(service.upstream_id, stock=0)
    demo_says(pending.top_up, State.PAID)

    assert (closed(pending).state, pending.reason) == ("dropped", "This service is sold out.")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (State.DECLINED, "The payment failed."),
        (State.EXPIRED, "The payment wasn't made in time."),
    ],
)
def test_a_payment_that_came_to_nothing_drops_the_order_without_a_mail(pay, said, reason):
    pending = pay()
    demo_says(pending.top_up, said)

    assert (closed(pending).state, pending.reason) == ("dropped", reason)
    assert not Notice.objects.exists()


def test_half_of_the_money_places_nothing_and_stays_in_the_wallet(client, pay, kim):
    pending = pay()
    demo_says(pending.top_up, State.PAID, amount_micros=2 * DOLLAR)

    assert (closed(pending).state, pending.reason) == ("dropped", "The payment doesn't match what we asked for.")
    assert "$2.00, is in your balance" in Notice.objects.get().body
    assert balance(kim) == 2_500_000


def test_money_spent_meanwhile_leaves_the_rest_in_the_wallet(pay, kim):
    pending = pay()
    debit(user=kim, amount_micros=400_000, kind=LedgerEntry.Kind.CHARGE, reference="order:0")
    demo_says(pending.top_up, State.PAID)

    assert closed(pending).reason == "You were $0.40 short when the payment arrived."
    assert balance(kim) == 3_350_000


def order_by_hand(kim, service, pending, **asked):
    values = {"quantity": 2000, "link": LINK, "comments": "", "quote": pending.quote, "request_id": pending.request_id}
    return place_order(user=kim, service=fresh(service), now=timezone.now(), **{**values, **asked})


def test_an_order_pressed_by_hand_meanwhile_is_the_same_order(pay, kim, service):
    pending = pay()
    demo_says(pending.top_up, State.PAID)
    order = order_by_hand(kim, service, pending)

    assert closed(pending).order == order
    assert Order.objects.count() == 1


def test_an_order_pressed_by_hand_counts_also_when_the_payment_comes_to_nothing(pay, kim, service):
    pending = pay()
    credit(user=kim, amount_micros=10 * DOLLAR, kind=LedgerEntry.Kind.TOP_UP, reference="t")
    order = order_by_hand(kim, service, pending)
    demo_says(pending.top_up, State.DECLINED)

    assert (closed(pending).state, pending.order) == ("placed", order)


def test_pay_and_order_pressed_twice_begins_one_payment(pay):
    first = pay(request_id="r")

    assert pay(request_id="r") == first
    assert TopUp.objects.count() == 1
    with pytest.raises(RequestIdReused):
        pay(request_id="r", link="https://instagram.com/other")


def test_pay_and_order_another_way_ends_the_payment_begun_before(pay):
    first = pay(request_id="r").top_up

    pending = pay(request_id="r", gateway="manual")

    first.refresh_from_db()
    assert (first.status, pending.top_up.gateway, PendingCheckout.objects.get().top_up) == (
        "expired",
        "manual",
        pending.top_up,
    )


def test_pay_and_order_after_a_declined_payment_begins_another(pay):
    first = pay(request_id="r")
    demo_says(first.top_up, State.DECLINED)

    again = pay(request_id="r")

    assert (again.pk, again.state) == (first.pk, "waiting")
    assert again.top_up != first.top_up
    demo_says(again.top_up, State.PAID)
    assert closed(again).state == "placed"


def test_pay_and_order_with_enough_money_begins_nothing(pay, kim):
    credit(user=kim, amount_micros=10 * DOLLAR, kind=LedgerEntry.Kind.TOP_UP, reference="t")

    assert pay() is None
    assert not TopUp.objects.exists()


def test_pay_and_order_refuses_what_place_order_refuses(pay, kim, service, ben):
    for refusal, asked in [
        (OrderRefused, {"quantity": 5}),
        (OrderRefused, {"link": "instagram"}),
        (QuoteRefused, {"quote": signed(ben, service, quantity=2000)}),
        (PriceChanged, {"quote": signed(kim, service, quantity=2000, price_micros=1, expires_at=timezone.now())}),
        (TopUpRefused, {"gateway": "stripe"}),
    ]:
        with pytest.raises(refusal):
            pay(**asked)
    assert not TopUp.objects.exists()
    assert not PendingCheckout.objects.exists()


def test_whoever_owes_money_neither_orders_nor_pays_for_an_order(pay, kim, service):
    debit(user=kim, amount_micros=500_000, kind=LedgerEntry.Kind.REVERSAL, reference="top_up:X:reversed:1")
    Receivable.objects.create(user=kim, amount_micros=2 * DOLLAR)

    with pytest.raises(MoneyOwed, match=r"2\.00"):
        pay()
    with pytest.raises(MoneyOwed, match=r"2\.00"):
        place_order(user=kim, service=fresh(service), quantity=100, link=LINK, request_id="r", now=timezone.now())
    assert not TopUp.objects.exists()


def test_a_checkout_that_cannot_be_closed_stops_no_other(pay):
    broken, good = pay(), pay()
    PendingCheckout.objects.filter(pk=broken.pk).update(quote=Signer(salt=SALT).sign_object(["torn"]))
    for pending in (broken, good):
        demo_says(pending.top_up, State.PAID)

    assert closed(good).state == "placed"


# --- Races ----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_sweeps_pages_and_the_customer_at_once_place_one_order(pay, kim, service):
    pending = pay()
    demo_says(pending.top_up, State.PAID)

    def sweep():
        return close_pending(now=timezone.now())

    def look():
        close_pending_of(pending.top_up, now=timezone.now())

    def press():
        order_by_hand(kim, service, pending)

    with ThreadPoolExecutor(6) as threads:
        runs = [threads.submit(in_thread, act) for act in (sweep, press, look, sweep, press, look)]
        [run.result() for run in runs]
    close_pending(now=timezone.now())

    pending.refresh_from_db()
    assert (pending.state, pending.order) == ("placed", Order.objects.get())
    assert balance(kim) == 0


@pytest.mark.django_db(transaction=True)
def test_pay_and_order_pressed_at_once_leaves_one_payment_that_places(pay, kim):
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(in_thread, lambda: pay(request_id="r")) for _press in range(4)]
        found = {run.result().pk for run in runs}

    assert len(found) == TopUp.objects.count() == PendingCheckout.objects.count() == 1
