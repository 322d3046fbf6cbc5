"""The demo gateway: every outcome it offers, through the door of the real ones, and that production never has it."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.wallet.paying import DOLLAR, balance, knock, outcomes, start
from wallet.gateways import State, enabled_gateways
from wallet.gateways.demo import DemoGateway, demo_event, demo_headers
from wallet.models import TopUp
from wallet.views.demo import OUTCOMES

pytestmark = pytest.mark.django_db
Status = TopUp.Status


@pytest.fixture
def top_up(ann: User, client: Client, demo_gateway: None) -> TopUp:
    """Ten dollars for Ann, who is signed in and stands at the demo bank."""
    client.force_login(ann)
    return start(ann, "demo")


@pytest.mark.parametrize(
    ("outcome", "becomes", "dollars", "kept"),
    [
        ("paid", Status.PAID, 110, ["applied"]),
        ("pending", Status.PENDING, 100, ["applied"]),
        ("declined", Status.DECLINED, 100, ["applied"]),
        ("late", Status.PAID, 110, ["applied", "applied"]),
        ("twice", Status.PAID, 110, ["applied", "repeated", "applied"]),
        ("wrong_amount", Status.REVIEW, 105, ["applied"]),
        ("wrong_currency", Status.REVIEW, 100, ["applied"]),
        ("forged", Status.CREATED, 100, ["refused"]),
        ("refunded", Status.REFUNDED, 100, ["applied", "applied"]),
        ("disputed", Status.DISPUTED, 100, ["applied", "applied"]),
    ],
)
def test_page_when_an_outcome_is_chosen_does_what_a_gateway_would(
    top_up: TopUp, client: Client, outcome: str, becomes: str, dollars: int, kept: list[str]
) -> None:
    page = reverse("wallet:demo", args=[top_up.reference])
    assert f'value="{outcome}"' in client.get(page).content.decode()

    answer = client.post(page, {"outcome": outcome}, follow=True)

    top_up.refresh_from_db()
    assert (top_up.status, balance(top_up.user), outcomes()) == (becomes, dollars * DOLLAR, kept)
    assert answer.redirect_chain == [(reverse("wallet:payment", args=[top_up.reference]), 302)]


def test_page_when_all_outcomes_are_listed_has_those_that_are_tested() -> None:
    assert {"paid", "declined", "late", "twice", "wrong_amount", "wrong_currency", "forged"} <= set(OUTCOMES)


def test_page_when_the_outcome_or_the_customer_is_another_is_not_there(
    top_up: TopUp, client: Client, ben: User
) -> None:
    page = reverse("wallet:demo", args=[top_up.reference])
    assert client.post(page, {"outcome": "x"}).status_code == 404

    client.force_login(ben)

    assert client.post(page, {"outcome": "paid"}).status_code == 404
    assert outcomes() == []


def test_gateway_when_debug_is_off_refuses_to_exist(top_up: TopUp, client: Client, settings) -> None:
    body = demo_event(top_up, State.PAID)
    settings.DEBUG = False

    with pytest.raises(ImproperlyConfigured):
        DemoGateway()
    assert "demo" not in enabled_gateways()
    assert client.get(reverse("wallet:demo", args=[top_up.reference])).status_code == 404
    assert client.post(reverse("wallet:demo", args=[top_up.reference]), {"outcome": "paid"}).status_code == 404
    assert knock("demo", body, demo_headers(body)) == 404
    assert balance(top_up.user) == 100 * DOLLAR


def test_gateway_of_the_demo_exists_without_debug(top_up: TopUp, settings) -> None:
    settings.DEBUG, settings.DEMO_PAYMENTS = False, True

    assert "demo" in enabled_gateways()
    assert DemoGateway().name == "demo"
