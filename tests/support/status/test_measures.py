"""Every measure of the status page, on states that are made: what is fine, slow or broken, and what is no measure."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Service, SyncRun
from orders.models import ForwardingPause, HoldReason, Status
from sms.models import Country, Number, Project
from support.models import Health, Part
from support.status.measures import MEASURES
from support.status.words import sentence
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import customer
from tests.storefront.admin_rows import make_order
from upstream.client import default_client
from upstream.errors import UpstreamError
from wallet.models import GatewayEvent, TopUp

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def measured(part: str) -> tuple[str, str]:
    """How a part is, and the sentence that says so."""
    found = MEASURES[part](NOW)
    assert found is not None
    return str(found.health), sentence(part, found.health, found.figure)


@pytest.fixture
def followers(db: None) -> Service:
    return put_on_sale("Followers")


def test_orders_when_none_waits_then_they_are_said_to_go_out_as_fast_as_they_did(ann: User, followers: Service) -> None:
    for seconds in (*[20] * 8, 90, 3000):  # nine of ten within a minute and a half
        sent_at = NOW - minutes(30)
        moments = {"created_at": sent_at - timedelta(seconds=seconds), "sent_at": sent_at, "answered_at": sent_at}
        make_order(ann, service=followers, status=Status.COMPLETED, **moments)

    assert measured(Part.ORDERS) == ("ok", "Orders go out within 2 minutes.")


@pytest.mark.parametrize(("waits", "health"), [(4, "ok"), (6, "slow"), (31, "down")])
def test_orders_when_the_oldest_waits_then_its_age_counts(
    ann: User, followers: Service, waits: int, health: str
) -> None:
    make_order(ann, service=followers, status=Status.PAID, created_at=NOW - minutes(waits))
    held = {"held_because": HoldReason.values[0], "created_at": NOW - timedelta(days=3)}
    make_order(ann, service=followers, status=Status.PAID, **held)  # for a human: no delay of ours

    found, said = measured(Part.ORDERS)

    assert found == health
    assert said == (
        "No order is waiting." if health == "ok" else f"The oldest order has been waiting for {waits} minutes."
    )


def test_orders_when_forwarding_is_paused_then_nothing_goes_out(db: None) -> None:
    pause = ForwardingPause.objects.create(reason="balance", detail="the supplier's account is empty")

    health, said = measured(Part.ORDERS)

    assert health == "down"
    assert said == "Orders are waiting and will be sent as soon as we can. Nothing is lost."
    ForwardingPause.objects.filter(pk=pause.pk).update(ended_at=NOW, proved_at=NOW)
    assert measured(Part.ORDERS)[0] == "ok"


@pytest.mark.parametrize(("late", "health"), [(5, "ok"), (11, "slow"), (61, "down")])
def test_delivery_when_orders_are_asked_about_late_then_it_is_slow(
    ann: User, followers: Service, late: int, health: str
) -> None:
    make_order(ann, service=followers, status=Status.IN_PROGRESS, next_poll_at=NOW - minutes(late))
    # Checks of finished orders are nobody's delay.
    make_order(ann, service=followers, status=Status.COMPLETED, next_poll_at=NOW - timedelta(days=1))

    assert measured(Part.DELIVERY)[0] == health


def test_delivery_when_the_provider_does_not_answer_then_it_is_said_without_a_name(settings: Any) -> None:
    settings.UPSTREAM_URL, settings.UPSTREAM_KEY = "http://127.0.0.1:9/api/v2", "key"
    for _call in range(20):
        with pytest.raises(UpstreamError):
            default_client().balance()

    health, said = measured(Part.DELIVERY)

    assert health == "slow"
    assert said.startswith("Our provider has not been answering for ")
    assert "supplier" not in said.lower()
    assert "hstock" not in said.lower()


def number(user: User, *, created: timedelta, received: timedelta | None = None, **fields: Any) -> Number:
    country, _new = Country.objects.get_or_create(code="us", defaults={"name": "USA", "dial_code": "1"})
    project, _new = Project.objects.get_or_create(
        upstream_id="p1", defaults={"country": country, "name": "Telegram", "price_upstream_micros": 500_000}
    )
    received_at = None if received is None else NOW - created + received
    state = Number.State.EXPIRED if received is None else Number.State.RECEIVED
    values = {"state": state, "phone": "+15550001", "received_at": received_at, "created_at": NOW - created}
    return Number.objects.create(order=make_order(user), project=project, **{**values, **fields})


@pytest.mark.parametrize(("seconds", "health"), [(40, "ok"), (200, "slow")])
def test_numbers_when_codes_come_then_half_of_their_waits_is_told(ann: User, seconds: int, health: str) -> None:
    for wait in (5, 10, seconds, seconds + 60, seconds + 600):
        number(ann, created=minutes(100), received=timedelta(seconds=wait))

    within = "1 minute" if seconds == 40 else "4 minutes"
    assert measured(Part.NUMBERS) == (health, f"Half of the codes come within {within}.")


def test_numbers_when_one_customer_uses_none_of_theirs_then_that_says_nothing(ann: User) -> None:
    for _number in range(12):
        number(ann, created=minutes(30))

    assert measured(Part.NUMBERS)[0] == "ok"

    for place in range(4):
        number(customer(f"c{place}@example.com"), created=minutes(30))
    assert measured(Part.NUMBERS) == ("down", "No codes have come in the last two hours.")


@pytest.mark.parametrize(("hours", "health"), [(0.2, "ok"), (2, "slow"), (7, "down")])
def test_catalog_when_the_last_good_sync_is_old_then_prices_are(hours: float, health: str, settings: Any) -> None:
    finished = NOW - timedelta(hours=hours)
    SyncRun.objects.create(kind="catalog", status="unchanged", started_at=finished, finished_at=finished)
    SyncRun.objects.create(kind="catalog", status="failed", started_at=NOW, finished_at=NOW)
    SyncRun.objects.create(kind="sms", status="applied", started_at=NOW, finished_at=NOW)

    assert measured(Part.CATALOG)[0] == health


def test_catalog_when_it_was_never_read_then_there_is_nothing_to_measure(db: None) -> None:
    assert MEASURES[Part.CATALOG](NOW) is None


def top_up(user: User, **fields: Any) -> TopUp:
    usual = {"gateway": "manual", "currency": "USD", "amount_micros": 5_000_000, "pay_micros": 5_000_000}
    return TopUp.objects.create(user=user, **{**usual, "created_at": NOW - minutes(10), **fields})


def test_payments_when_gateways_do_not_answer_then_it_shows_and_what_strangers_send_does_not(
    ann: User, settings: Any
) -> None:
    settings.MANUAL_TRANSFER_DETAILS = "IBAN"
    for _forged in range(50):
        GatewayEvent.objects.create(gateway="stripe", outcome="refused", reason="no signature")
    top_up(ann, status=TopUp.Status.DECLINED, gateway_id="pi_1")  # declined by the bank of the customer
    assert measured(Part.PAYMENTS) == ("ok", "Payments can be started.")

    top_up(ann, status=TopUp.Status.DECLINED)
    assert measured(Part.PAYMENTS) == ("slow", "In the last hour, 1 of 2 payments could not be started.")

    TopUp.objects.exclude(gateway_id="").delete()
    top_up(ann, status=TopUp.Status.DECLINED)
    assert measured(Part.PAYMENTS)[0] == "down"


def test_payments_when_none_can_be_taken_then_they_are_no_part_of_the_shop(settings: Any) -> None:
    settings.MANUAL_TRANSFER_DETAILS, settings.DEMO_PAYMENTS = "", False

    assert MEASURES[Part.PAYMENTS](NOW) is None


def test_website_when_the_cache_is_away_then_pages_are_slower(db: None, settings: Any) -> None:
    assert measured(Part.WEBSITE)[0] == "ok"

    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}

    assert measured(Part.WEBSITE)[0] == Health.SLOW
