"""The customer's pages: how much and how, on to the gateway, and where a payment is."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.pages import markup, page_words
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, start
from wallet.models import TopUp

pytestmark = pytest.mark.django_db
ADD = "/wallet/add"


@pytest.fixture
def page(ann: User, client: Client, stripe_server: FakeStripe) -> Client:
    """Ann, signed in; cards are offered."""
    client.force_login(ann)
    return client


def add(page: Client, amount: str, gateway: str = "stripe") -> Any:
    return page.post(ADD, {"amount": amount, "gateway": gateway})


def test_add_when_opened_shows_what_each_way_costs_before_anything_begins(
    page: Client, settings: Any, transfers: None
) -> None:
    settings.PAYMENT_TERMS = {
        "stripe": {"fee_percent": Decimal("2.9"), "fee_fixed": Decimal("0.30"), "min": Decimal(1), "max": Decimal(500)},
        "manual": {"bonus_percent": Decimal(5), "bonus_from": Decimal(50), "min": Decimal(10)},
    }

    words = page_words(page.get(ADD, {"amount": "100"}))

    assert "From $1.00 to $500.00. Fee: 2.9% + $0.30." in words
    assert "You pay $103.20; $100.00 is added to your balance." in words
    assert "From $10.00. No fee. Bonus: 5% for $50.00 or more." in words
    assert "You pay $100.00; $105.00 is added to your balance." in words
    assert TopUp.objects.count() == 0


def test_add_when_the_amount_is_typed_htmx_gets_what_each_way_costs(page: Client, settings: Any) -> None:
    settings.PAYMENT_TERMS = {"stripe": {"fee_fixed": Decimal(1)}}

    part = markup(page.get(ADD, {"amount": "40", "gateway": "stripe"}, headers={"HX-Request": "true"}))

    assert part.startswith("<fieldset")
    assert "You pay $41.00; $40.00 is added to your balance." in part
    assert 'value="stripe" checked' in part


def test_add_when_sent_begins_the_payment_and_leads_to_it(page: Client, stripe_server: FakeStripe) -> None:
    answer = add(page, "12.50")

    top_up = TopUp.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("wallet:pay", args=[top_up.reference]))
    assert (top_up.amount_micros, top_up.gateway) == (12_500_000, "stripe")
    leave = page.get(answer["Location"]).content.decode()
    assert f'<meta http-equiv="refresh" content="0; url={top_up.pay_url}">' in leave
    assert f'href="{top_up.pay_url}"' in leave


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        ("", "This field is required"),
        ("0.99", "The minimum amount is $1.00"),
        ("0", "The minimum amount is $1.00"),
        ("-5", "The minimum amount is $1.00"),
        ("10000.01", "The maximum amount is $10,000.00"),
        ("1e40", "Ensure that there are no more than 18 digits"),
        ("10.005", "more decimal places than the currency"),
        ("10.0000001", "no more than 6 decimal places"),
        ("NaN", "Enter a number"),
        ("Infinity", "Enter a number"),
        ("ten", "Enter a number"),
        ("1\x00", "Enter a number"),
    ],
)
def test_add_when_the_amount_is_wrong_says_so_beside_it(page: Client, amount: str, error: str) -> None:
    answer = add(page, amount)

    errors = answer.context["form"].errors
    assert list(errors) == ["amount"]
    assert error in errors["amount"][0]
    assert 'id="id_amount_error"' in answer.content.decode()
    assert (answer.status_code, TopUp.objects.count()) == (200, 0)


@pytest.mark.parametrize("gateway", ["", "btcpay", "demo", "paypal"])
def test_add_when_the_way_is_not_offered_says_so_beside_it(page: Client, gateway: str) -> None:
    answer = add(page, "10", gateway)

    assert list(answer.context["form"].errors) == ["gateway"]
    assert TopUp.objects.count() == 0


def test_add_when_the_gateway_is_away_says_so_and_keeps_what_was_typed(page: Client, stripe_server: FakeStripe) -> None:
    stripe_server.broken = True

    answer = add(page, "12.50")

    assert "isn't responding right now" in page_words(answer)
    assert 'value="12.50"' in answer.content.decode()


def test_add_when_no_gateway_is_configured_leads_to_where_one_can_write(ann: User, client: Client) -> None:
    client.force_login(ann)

    assert f'href="{reverse("support:new")}"' in client.get(ADD).content.decode()


def test_add_when_not_signed_in_asks_to_sign_in(client: Client) -> None:
    assert "/accounts/login" in client.get(ADD)["Location"]


def test_payment_when_its_state_changes_htmx_gets_the_new_part_and_else_nothing(
    page: Client, ann: User, demo_gateway: None
) -> None:
    top_up = start(ann, "demo")
    address = reverse("wallet:payment", args=[top_up.reference])
    whole = page.get(address)
    assert "Not paid yet" in page_words(whole)
    seen, htmx = whole.context["seen"], {"HX-Request": "true"}

    assert page.get(address, {"seen": seen}, headers=htmx).status_code == 204
    page.post(reverse("wallet:demo", args=[top_up.reference]), {"outcome": "paid"})
    part = page.get(address, {"seen": seen}, headers=htmx).content.decode()

    assert part.strip().startswith("<section")
    assert "$10.00 has been added to your balance" in part
    assert "hx-trigger" not in part


@pytest.mark.parametrize("status", [*TopUp.Status.values])
def test_payment_when_in_any_state_can_be_shown(page: Client, ann: User, status: str) -> None:
    top_up = start(ann, "stripe")
    TopUp.objects.update(status=status, received_micros=DOLLAR, credited_micros=DOLLAR, reversed_micros=DOLLAR)

    words = page_words(page.get(reverse("wallet:payment", args=[top_up.reference])))

    assert str(TopUp.Status(status).label) in words
    assert ("Pay now" in words, "Cancel" in words) == (status == "created", status == "created")
    assert ("Try again" in words) == (status in ("declined", "expired"))


def test_payment_when_it_can_be_tried_again_leads_to_the_filled_form(page: Client, ann: User) -> None:
    top_up = start(ann, "stripe", 25)

    page.post(reverse("wallet:cancel", args=[top_up.reference]))

    again = page.get(reverse("wallet:payment", args=[top_up.reference])).context["again"]
    assert again == f"{ADD}?amount=25.00&gateway=stripe"
    assert 'value="25.00"' in page.get(again).content.decode()


@pytest.mark.parametrize("name", ["payment", "pay", "cancel", "declare"])
def test_pages_when_the_payment_is_somebody_elses_are_not_there(page: Client, ben: User, name: str) -> None:
    top_up = start(ben, "stripe")
    address = reverse(f"wallet:{name}", args=[top_up.reference])

    answer = page.get(address) if name in ("payment", "pay") else page.post(address)

    assert answer.status_code == 404
    top_up.refresh_from_db()
    assert top_up.status == "created"


def test_pay_when_it_is_over_leads_to_its_state(page: Client, ann: User) -> None:
    top_up = start(ann, "stripe")
    TopUp.objects.update(status="paid")

    answer = page.get(reverse("wallet:pay", args=[top_up.reference]))

    assert answer["Location"] == reverse("wallet:payment", args=[top_up.reference])
