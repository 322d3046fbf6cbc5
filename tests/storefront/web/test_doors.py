"""What the owner has closed for now is refused through every door of the shop, and what is under way goes on."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from accounts.sign_up.adapter import AccountAdapter
from catalog.models import Service
from orders.fulfilment.forward import forward_order
from orders.models import Order, PendingCheckout, Status
from orders.placing.mass import MassLine, place_orders
from orders.placing.pay_first import close_pending, pay_and_order
from orders.placing.place import place_order
from orders.placing.refusals import Closed
from preferences.doors import BACK_AFTER, DOORS, NUMBERS, ORDERS, SIGN_UPS, TOP_UPS, WHOLE_SHOP, Door
from preferences.kinds import Words
from sms.models import Country, Project
from sms.operations import buy_numbers
from tests.conftest import PASSWORD, customer
from tests.orders.quoting import signed
from tests.pages import HTMX, page_words
from tests.preferences.known import prefer
from tests.wallet.paying import balance, demo_says, start
from wallet.gateways import State
from wallet.models import TopUp
from wallet.operations import TopUpRefused

LINK = "https://instagram.com/ann"
WORDS = Words(en="Back on Monday.", ru="Вернёмся в понедельник.")
RUSSIAN = {"accept-language": "ru"}


def close(door: Door) -> None:
    prefer(door.closed, True)
    prefer(door.words, WORDS)


def fresh(service: Service) -> Service:
    return Service.objects.select_related("category").get(pk=service.pk)


def order_of(user: User, service: Service, **asked: Any) -> Order:
    values = {"quantity": 1000, "link": LINK, "request_id": str(uuid.uuid4())}
    return place_order(**{"user": user, "service": fresh(service), **values, "now": timezone.now(), **asked})


def waiting_for_payment(user: User, service: Service, **asked: Any) -> PendingCheckout:
    values = {
        "quantity": 2000, "link": LINK, "comments": "", "request_id": str(uuid.uuid4()), "gateway": "demo",
        "quote": signed(user, service, quantity=2000, price_micros=3_750_000),
    }  # fmt: skip
    return pay_and_order(**{"user": user, "service": fresh(service), **values, "now": timezone.now(), **asked})


@pytest.fixture(autouse=True)
def demo_gateway(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def shop(client: Client, ann: User) -> Client:
    client.force_login(ann)
    return client


@pytest.fixture
def call(ann: User) -> Any:
    _row, key = create_api_key(user=ann, name="robot")
    return lambda action, **params: Client().post("/api/v2", {"key": key, "action": action, **params}).json()


@pytest.fixture
def project(db: None) -> Project:
    country = Country.objects.create(code="ru", name="Russia")
    return Project.objects.create(upstream_id="1", country=country, name="Mail", price_upstream_micros=500_000)


# --- Orders -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("door", [ORDERS, WHOLE_SHOP])
def test_no_operation_takes_an_order_while_orders_are_closed(ann: User, service: Service, door: Door) -> None:
    close(door)

    with pytest.raises(Closed, match=r"Back on Monday\."):
        order_of(ann, service)
    with pytest.raises(Closed):
        place_orders(user=ann, lines=[MassLine(service.pk, LINK, 1000)], request_id="m", now=timezone.now())
    with pytest.raises(Closed):
        waiting_for_payment(ann, service)
    assert not Order.objects.exists()
    assert not TopUp.objects.exists()
    assert balance(ann) == 100_000_000


def test_every_page_that_orders_refuses_in_the_readers_words(shop: Client, ann: User, service: Service) -> None:
    place, quick, mass = reverse("orders:place", args=[service.pk]), reverse("orders:quick"), reverse("orders:mass")
    quote = signed(ann, service, quantity=1000, price_micros=1_875_000)
    form = {"quantity": 1000, "link": LINK, "quote": quote, "request_id": str(uuid.uuid4())}
    close(ORDERS)

    for address in (place, f"{quick}?service={service.pk}", mass):
        assert "Back on Monday." in page_words(shop.get(address)), address
        assert "Вернёмся в понедельник." in page_words(shop.get(address, headers=RUSSIAN)), address
    assert 'id="order-form"' not in shop.get(place).content.decode()
    for address in (place, f"{quick}?service={service.pk}"):
        for pressed in ({}, {"pay": "demo"}):
            assert "Back on Monday." in page_words(shop.post(address, {**form, **pressed})), address
    rates = {"quoted_rates": "1875000", "request_id": str(uuid.uuid4()), "pay": "all"}
    assert "Back on Monday." in page_words(shop.post(mass, {"text": f"{service.pk} | {LINK} | 1000", **rates}))
    assert not Order.objects.exists()
    assert not PendingCheckout.objects.exists()
    assert not TopUp.objects.exists()


def test_the_api_says_that_orders_are_closed_and_does_the_rest(call: Any, ann: User, service: Service) -> None:
    before = order_of(ann, service, request_id="mine")
    close(ORDERS)

    asked = {"service": service.pk, "link": LINK, "quantity": 1000}
    assert call("add", **asked) == {"error": "New orders are closed for now"}
    assert call("add", **asked, request_id="mine") == {"order": before.pk}  # a repeat is answered as before
    assert call("status", order=before.pk)["status"] == "Pending"
    assert "error" not in call("balance")
    assert Order.objects.count() == 1


def test_a_key_that_wants_statuses_gets_one(ann: User, service: Service) -> None:
    row, key = create_api_key(user=ann, name="robot")
    type(row).objects.filter(pk=row.pk).update(http_errors=True)
    asked = {"key": key, "action": "add", "service": service.pk, "link": LINK, "quantity": 1000}
    close(ORDERS)
    assert Client().post("/api/v2", asked).status_code == 409

    close(WHOLE_SHOP)

    answer = Client().post("/api/v2", asked)
    assert (answer.status_code, answer["Retry-After"]) == (503, "900")


def test_the_console_refuses_a_rehearsal_as_it_would_the_order(shop: Client, service: Service) -> None:
    close(ORDERS)

    asked = {"action": "add", "service": service.pk, "link": LINK, "quantity": 1000}
    for run in ("dry", "real"):
        assert "New orders are closed for now" in page_words(shop.post(reverse("api:console"), {**asked, "run": run}))
    assert not Order.objects.exists()


def test_paid_orders_are_sent_while_everything_is_closed(ann: User, service: Service, client_upstream: Any) -> None:
    order = order_of(ann, service)
    for door in DOORS:
        close(door)

    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, bool(order.upstream_id)) == (Status.PENDING, True)


def test_an_order_whose_payment_was_begun_is_placed_while_everything_is_closed(db: None, service: Service) -> None:
    kim = customer("kim@example.com", money="0.50")
    pending = waiting_for_payment(kim, service, request_id="once")
    for door in DOORS:
        close(door)

    assert waiting_for_payment(kim, service, request_id="once") == pending  # the same press once more
    assert waiting_for_payment(kim, service, request_id="once", gateway="manual") == pending
    assert demo_says(pending.top_up, State.PAID) == 200
    close_pending(now=timezone.now())

    pending.refresh_from_db()
    assert pending.state == "placed"
    assert Order.objects.get().price_micros == 3_750_000
    assert balance(kim) == 0


# --- Numbers ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("door", [NUMBERS, WHOLE_SHOP])
def test_no_operation_sells_a_number_while_numbers_are_closed(ann: User, project: Project, door: Door) -> None:
    close(door)

    with pytest.raises(Closed):
        buy_numbers(user=ann, project=project, request_id="n")
    assert balance(ann) == 100_000_000


def test_every_page_that_sells_numbers_refuses(shop: Client, project: Project, call: Any) -> None:
    buy, site = reverse("sms:buy", args=[project.pk]), reverse("sms:site", args=[project.site_id])
    form = {"quantity": 1, "shown_price_micros": 625_000, "request_id": str(uuid.uuid4())}
    close(NUMBERS)

    for address in (reverse("sms:home"), buy, site):
        page = shop.get(address)
        assert "Back on Monday." in page_words(page), address
        assert "number-offer__buy" not in page.content.decode() or "Closed for now" in page_words(page)
    for headers in ({}, HTMX):
        assert "Back on Monday." in page_words(shop.post(buy, form, headers=headers))
    assert call("add_sms", project_id=project.pk) == {"error": "SMS numbers are closed for now"}
    assert not Order.objects.exists()


def test_closed_orders_leave_numbers_open_and_the_other_way_round(
    ann: User, project: Project, service: Service
) -> None:
    close(ORDERS)
    assert len(buy_numbers(user=ann, project=project, request_id="n")) == 1

    prefer(ORDERS.closed, False)
    close(NUMBERS)
    assert order_of(ann, service).status == Status.PAID


# --- Payments ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("door", [TOP_UPS, WHOLE_SHOP])
def test_no_operation_begins_a_payment_while_payments_are_closed(db: None, service: Service, door: Door) -> None:
    kim = customer("kim@example.com", money="0.50")
    close(door)

    with pytest.raises(TopUpRefused, match=r"Back on Monday\."):
        start(kim, "demo")
    with pytest.raises((TopUpRefused, Closed), match=r"Back on Monday\."):
        waiting_for_payment(kim, service)
    assert not TopUp.objects.exists()


def test_pages_offer_no_payment_while_payments_are_closed(shop: Client, ann: User, service: Service) -> None:
    close(TOP_UPS)

    page = shop.get(reverse("wallet:add"))
    assert "Back on Monday." in page_words(page)
    assert 'name="amount"' not in page.content.decode()
    assert "Back on Monday." in page_words(shop.post(reverse("wallet:add"), {"amount": "10", "gateway": "demo"}))
    dear = shop.get(reverse("orders:place", args=[service.pk]), {"quantity": 10_000_000}, headers=HTMX)
    assert 'name="pay"' not in dear.content.decode()
    assert not TopUp.objects.exists()


def test_what_is_paid_after_payments_were_closed_is_credited(ann: User) -> None:
    top_up = start(ann, "demo")
    for door in DOORS:
        close(door)

    assert demo_says(top_up, State.PAID) == 200

    assert balance(ann) == 110_000_000


def test_orders_go_on_while_payments_are_closed(ann: User, service: Service) -> None:
    close(TOP_UPS)

    assert order_of(ann, service).status == Status.PAID


# --- Sign-ups ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("door", [SIGN_UPS, WHOLE_SHOP])
def test_nobody_signs_up_while_sign_ups_are_closed(client: Client, door: Door) -> None:
    sign_up = reverse("account_signup")
    form = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD, "terms": "on"}
    close(door)

    for answer in (client.get(sign_up), client.post(sign_up, form)):
        assert "Back on Monday." in page_words(answer)
        assert 'name="password1"' not in answer.content.decode()
    assert not User.objects.filter(email="new@example.com").exists()


def test_customers_sign_in_while_sign_ups_are_closed(client: Client, ann: User) -> None:
    close(SIGN_UPS)

    client.post(reverse("account_login"), {"login": ann.email, "password": PASSWORD})

    assert client.get(reverse("orders:list")).status_code == 200


@pytest.mark.django_db
def test_a_form_that_was_let_in_a_moment_before_signs_nobody_up(rf: RequestFactory) -> None:
    close(SIGN_UPS)

    with pytest.raises(PermissionDenied, match=r"Back on Monday\."):
        AccountAdapter().save_user(rf.post(reverse("account_signup")), User(email="new@example.com"), Form())
    assert not User.objects.exists()


# --- The whole shop ---------------------------------------------------------------------------------------------------
CLOSED_PAGES = ("home", "catalog:index", "orders:list", "wallet:home", "sms:home", "support:help", "account", "live")


@pytest.mark.parametrize("name", CLOSED_PAGES)
@pytest.mark.parametrize("as_customer", [False, True])
def test_visitors_and_customers_find_a_closed_shop(ann: User, name: str, as_customer: bool, mailoutbox: Any) -> None:
    client = Client()
    if as_customer:
        client.force_login(ann)
    client.get(reverse("home"))  # and what is cached does not open it
    close(WHOLE_SHOP)

    page = client.get(reverse(name))

    assert (page.status_code, page["Retry-After"]) == (503, "900")
    assert "no-store" in page["Cache-Control"]
    assert "Back on Monday." in page_words(page)
    assert "Вернёмся в понедельник." in page_words(client.get(reverse(name), headers=RUSSIAN))
    assert not mailoutbox


def test_programs_of_pages_are_told_in_their_own_way(ann: User) -> None:
    client = Client()
    client.force_login(ann)
    close(WHOLE_SHOP)

    answer = client.get(reverse("live"), headers={"accept": "application/json"})

    assert (answer.status_code, json.loads(answer.content)) == (503, {"error": "Back on Monday."})
    assert client.get(reverse("home"), headers=HTMX).status_code == 503


def test_the_api_is_closed_with_the_shop_for_everything(call: Any, ann: User) -> None:
    close(WHOLE_SHOP)

    for action in ("balance", "services", "status", "add", "add_sms"):
        assert call(action) == {"error": "The shop is closed for now"}
    assert Client().post("/api/v2", {"key": "wrong", "action": "balance"}).json() == {"error": "Invalid API key"}


def test_staff_and_what_machines_ask_for_stay_open(client: Client, sam: User) -> None:
    close(WHOLE_SHOP)

    for address in ("/health/live", "/robots.txt", "/favicon.ico", reverse("account_login"), reverse("support:status")):
        assert client.get(address).status_code in (200, 301, 302), address
    assert client.post(reverse("wallet:callback", args=["stripe"]), "{}", content_type="text/json").status_code != 503
    assert client.get("/admin/").status_code == 302  # to sign in
    signed_in = client.post(reverse("account_login"), {"login": sam.email, "password": PASSWORD})
    assert signed_in.status_code == 302
    client.force_login(sam)
    for address in ("/", reverse("catalog:index"), "/admin/"):
        assert client.get(address).status_code == 200, address
    assert "Back on Monday." in page_words(client.get("/"))


def test_a_short_break_is_said_as_it_was_set(client: Client, db: None) -> None:
    close(WHOLE_SHOP)
    prefer(BACK_AFTER, timedelta(minutes=2))

    assert client.get("/")["Retry-After"] == "120"


# --- Who is told ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_status_page_says_everything_that_is_closed(client: Client) -> None:
    status = reverse("support:status")
    assert "Closed for now" not in page_words(client.get(status))

    for door in (ORDERS, NUMBERS, TOP_UPS, SIGN_UPS):
        prefer(door.closed, True)
    page = page_words(client.get(status))
    for usual in ("taking new orders", "Numbers can't be bought", "Money can't be added", "New accounts can't"):
        assert usual in page
    close(WHOLE_SHOP)

    assert "Back on Monday." in page_words(client.get(status))
    assert "taking new orders" not in page_words(client.get(status))


@pytest.mark.parametrize("as_customer", [False, True])
def test_the_bar_comes_and_goes_on_cached_pages(ann: User, as_customer: bool, service: Service) -> None:
    client = Client()
    if as_customer:
        client.force_login(ann)
    addresses = ["/", reverse("catalog:index"), reverse("orders:place", args=[service.pk])]
    for closed in (False, True, False):
        prefer(ORDERS.closed, closed)
        for address in addresses * 2:
            bars = re.findall(r'class="bars__bar"', client.get(address).content.decode())
            assert len(bars) == closed, (address, closed)


@pytest.mark.django_db
def test_without_words_of_the_owners_the_usual_ones_are_said_in_each_language() -> None:
    for door in DOORS:
        assert str(door.words.value)
        assert not door.is_closed
