"""Attack: staff makes coupons, or raises those of colleagues, for itself or whom it is tied to by a referral."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from catalog.models import Service
from orders.accounting.audit import audit
from orders.models import Coupon, CouponMaker, CouponUse, Order, PendingCheckout
from orders.placing.pay_first import close_pending
from tests.conftest import customer
from tests.orders.couponing import PRICE, balance, coupon
from tests.pages import HTMX, hidden, page_words
from tests.security.tied import browser, desk, each_tie, tied
from tests.wallet.paying import demo_says
from wallet.gateways import State
from wallet.models import TopUp

__all__ = ["desk", "tied"]  # fixtures
pytestmark = pytest.mark.django_db
REFUSED = (
    "You can't use this coupon: it was made or raised by you, or by somebody you are connected with by a referral."
)
CARRIED = ("request_id", "quote", "seen")
FORM = {
    "code": "SPRING",
    "active": "on",
    "percent": "10",
    "amount_micros": "0",
    "min_order_micros": "0",
    "per_customer": "5",
    "in_all": "9",
    "used-TOTAL_FORMS": "0",
    "used-INITIAL_FORMS": "0",
}


def save_coupon(desk: Client, row: Coupon | None = None, **fields: str) -> Coupon:
    """Save a coupon at the admin as its page sends it; a field of None is left out, as a box that is not checked."""
    page = reverse("admin:orders_coupon_change", args=[row.pk]) if row else reverse("admin:orders_coupon_add")
    answer = desk.post(page, {name: value for name, value in {**FORM, **fields}.items() if value is not None})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return Coupon.objects.get(code=fields.get("code", "SPRING").upper())


def redeem(user: User, service: Service, code: str = "SPRING", **typed: str) -> str:
    """Order 1,000 followers with a coupon as a browser does, pressing twice; return what the page says in the end."""
    client, address = browser(user), reverse("orders:place", args=[service.pk])
    page = client.get(address)
    for _ in range(2):
        form = {"quantity": "1000", "link": "https://example.com/p", "coupon": code, **typed}
        carried = {name: hidden(page, name) for name in CARRIED if f'name="{name}"' in page.content.decode()}
        page = client.post(address, {**carried, **form})
        if page.status_code == 302:
            return ""
    return page_words(page)


@each_tie
def test_a_coupon_is_not_for_who_made_it_nor_for_whom_they_are_tied_to(
    desk: Client, sam: User, ann: User, tied: User, service: Service
) -> None:
    row = save_coupon(desk)

    assert REFUSED in redeem(tied, service)
    assert (balance(tied), Order.objects.count(), CouponUse.objects.count()) == (100_000_000, 0, 0)
    row.refresh_from_db()
    assert (row.uses, list(CouponMaker.objects.values_list("user", flat=True))) == (0, [sam.pk])
    assert redeem(ann, service) == ""
    assert balance(ann) == 100_000_000 - PRICE + 187_500
    assert sam.email in page_words(desk.get(reverse("admin:orders_coupon_change", args=[row.pk])))


@pytest.mark.parametrize("tie", ["brought"])
def test_the_price_says_so_before_anything_is_ordered(desk: Client, tied: User, service: Service) -> None:
    save_coupon(desk)
    address = reverse("orders:place", args=[service.pk])

    part = browser(tied).get(address, {"quantity": "1000", "coupon": "spring"}, headers=HTMX)

    assert REFUSED in page_words(part)


RAISED: list[dict[str, Any]] = [
    {"percent": "50"},
    {"percent": "0", "amount_micros": "1"},
    {"min_order_micros": "0"},
    {"per_customer": "0"},
    {"per_customer": "6"},
    {"in_all": "0"},
    {"in_all": "10"},
    {"first_purchase_only": None},
    {"active": "on"},
    {"code": "MINE"},
    {"valid_from_0": "", "valid_from_1": ""},
    {"valid_until_0": "2099-01-01", "valid_until_1": "00:00"},
]
HARD: dict[str, Any] = {
    "min_order_micros": "1",
    "first_purchase_only": "on",
    "valid_from_0": "2026-01-01",
    "valid_from_1": "00:00",
    "valid_until_0": "2098-01-01",
    "valid_until_1": "00:00",
}


@pytest.mark.parametrize("raised", RAISED, ids=str)
@pytest.mark.parametrize("tie", ["brought"])
def test_a_colleagues_coupon_is_not_for_who_made_it_worth_more(
    sam: User, tom: User, tied: User, service: Service, raised: dict[str, Any]
) -> None:
    before = {**HARD, "active": None if "active" in raised else "on"}
    row = save_coupon(browser(tom), **before)

    save_coupon(browser(sam), row, **{**before, **raised})

    assert list(CouponMaker.objects.values_list("user", flat=True)) == [tom.pk, sam.pk]
    assert REFUSED in redeem(tied, service, raised.get("code", "SPRING"))


@pytest.mark.parametrize(
    "lowered",
    [{"percent": "5"}, {"min_order_micros": "1.5"}, {"per_customer": "1"}, {"in_all": "1"}, {"valid_until_0": ""}],
    ids=str,
)
def test_a_coupon_stays_open_to_who_made_it_worth_less_or_saved_it_unchanged(
    sam: User, tom: User, lowered: dict[str, Any]
) -> None:
    row = save_coupon(browser(tom))
    save_coupon(browser(sam), row)
    save_coupon(browser(sam), row, **lowered)

    assert list(CouponMaker.objects.values_list("user", flat=True)) == [tom.pk]


def test_a_coupon_that_was_promised_before_it_was_raised_is_not_used_after(
    sam: User, tom: User, service: Service, settings: Any
) -> None:
    """Pay and order: the coupon is used when the payment has come, and who raised it is looked at then."""
    settings.DEBUG = True
    row = save_coupon(browser(tom))
    address = reverse("orders:place", args=[service.pk])
    typed = {"quantity": "10000", "link": "https://example.com/p", "coupon": "SPRING"}
    poor = customer("poor@example.com", referred_by=sam)
    client = browser(poor)
    page = client.post(address, {**typed, "request_id": str(uuid.uuid4())})
    carried = {name: hidden(page, name) for name in CARRIED}
    assert client.post(address, {**typed, **carried, "pay": "demo"}).status_code == 302
    pending = PendingCheckout.objects.get(user=poor)

    save_coupon(browser(sam), row, percent="15")
    demo_says(pending.top_up, State.PAID)
    close_pending(now=timezone.now())

    pending.refresh_from_db()
    assert (pending.state, pending.reason, CouponUse.objects.count()) == ("dropped", REFUSED, 0)
    assert balance(poor) == pending.top_up.amount_micros


@each_tie
def test_paying_for_an_order_with_ones_own_coupon_begins_no_payment(
    desk: Client, tied: User, service: Service, settings: Any
) -> None:
    settings.DEBUG = True
    Service.objects.update(max_quantity=100_000)  # more than there is in the wallet
    save_coupon(desk)

    assert REFUSED in redeem(tied, service, pay="demo", quantity="100000")
    assert (TopUp.objects.count(), PendingCheckout.objects.count()) == (0, 0)


@each_tie
def test_mass_orders_and_the_api_take_no_coupon_from_anybody(desk: Client, tied: User, service: Service) -> None:
    save_coupon(desk)
    client, address = browser(tied), reverse("orders:mass")
    text = f"{service.pk} | https://example.com/p | 1000"
    page = client.post(address, {"text": text, "coupon": "SPRING"})
    form = {name: hidden(page, name) for name in ("request_id", "quoted_rates")}
    client.post(address, {"text": text, "coupon": "SPRING", "pay": "all", **form})
    key = create_api_key(user=tied, name="robot")[1]
    asked = {"key": key, "action": "add", "service": service.pk, "link": "https://example.com/q", "quantity": 1000}
    client.post("/api/v2", {**asked, "coupon": "SPRING"})

    assert list(Order.objects.values_list("price_micros", flat=True)) == [PRICE, PRICE]
    assert CouponUse.objects.count() == 0


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_whoever_uses_a_coupon_while_it_is_raised_waits_and_is_refused(service: Service) -> None:
    sam = customer("sam@example.com", is_staff=True, is_superuser=True)
    friend = customer("friend@example.com", money="100.00", referred_by=sam)
    row = coupon()
    saved, go_on = Event(), Event()

    def raise_it() -> None:
        try:
            with transaction.atomic():
                save_coupon(browser(sam), row, percent="50", code="SPRING", per_customer="0", in_all="0")
                saved.set()
                go_on.wait(20)
        finally:
            connection.close()

    def use_it() -> str:
        try:
            saved.wait(20)
            return redeem(friend, service)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        raising, using = threads.submit(raise_it), threads.submit(use_it)
        assert saved.wait(20)
        go_on.wait(1.5)  # the other one is at the coupon's row by now
        go_on.set()
        raising.result()
        words = using.result()

    assert REFUSED in words
    assert (CouponUse.objects.count(), balance(friend)) == (0, 100_000_000)


def test_the_books_add_up_after_others_have_used_it(desk: Client, service: Service, ann: User) -> None:
    save_coupon(desk)
    redeem(ann, service)

    assert audit(client=None, now=timezone.now()).problems == []
