"""What a gateway costs, which ones exist, and the sweep that asks them about payments that never called back."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, balance, start
from wallet.gateways import Terms, enabled_gateways
from wallet.models import GatewayEvent, TopUp
from wallet.operations import (
    TopUpRefused,
    WrongStatus,
    ask_soon,
    cancel_top_up,
    check_top_up,
    check_top_ups,
    price_top_up,
)
from wallet.operations.sweep import GRACE
from wallet.operations.top_ups import MAX_AN_HOUR
from wallet.tasks import check_top_ups as check_top_ups_task

Status = TopUp.Status


def terms(settings: Any, **values: str) -> Terms:
    settings.PAYMENT_TERMS = {"demo": {name: Decimal(value) for name, value in values.items()}}
    return Terms.of("demo")


@pytest.mark.parametrize(
    ("values", "micros", "fee", "bonus"),
    [
        ({}, 10 * DOLLAR, 0, 0),
        ({"fee_percent": "2.9", "fee_fixed": "0.30"}, 10 * DOLLAR, 590_000, 0),
        ({"fee_percent": "2.9"}, 10_010_000, 300_000, 0),
        ({"bonus_percent": "5", "bonus_from": "50"}, 49_990_000, 0, 0),
        ({"bonus_percent": "5", "bonus_from": "50"}, 50 * DOLLAR, 0, 2_500_000),
        ({"bonus_percent": "3.33"}, 1_010_000, 0, 30_000),
    ],
    ids=["free", "percent and fixed", "rounded up", "below the bonus", "with bonus", "bonus rounded down"],
)
def test_price_when_terms_differ_adds_fee_and_bonus_in_whole_cents(
    settings: Any, values: dict[str, str], micros: int, fee: int, bonus: int
) -> None:
    price = terms(settings, **values).price(micros, "USD")

    assert (price.fee_micros, price.bonus_micros) == (fee, bonus)
    assert (price.pay_micros, price.credit_micros) == (micros + fee, micros + bonus)


def test_price_when_the_currency_has_no_cents_rounds_to_whole_units(settings: Any) -> None:
    price = terms(settings, fee_percent="2.9", bonus_percent="2.9").price(100 * DOLLAR, "JPY")

    assert (price.fee_micros, price.bonus_micros) == (3 * DOLLAR, 2 * DOLLAR)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (DOLLAR - 10_000, r"minimum amount is \$1.00"),
        (0, "minimum"),
        (-5 * DOLLAR, "minimum"),
        (50 * DOLLAR + 10_000, r"maximum amount is \$50.00"),
        (10_005_000, "more decimal places"),
    ],
)
def test_price_top_up_when_outside_the_limits_says_so(settings: Any, micros: int, text: str) -> None:
    terms(settings, min="1", max="50")
    settings.DEBUG = True

    with pytest.raises(TopUpRefused, match=text) as refusal:
        price_top_up(gateway="demo", amount_micros=micros)

    assert refusal.value.field == "amount"


def test_price_top_up_when_there_is_no_upper_limit_still_has_one(settings: Any) -> None:
    terms(settings, min="0", max="0")
    settings.DEBUG = True

    with pytest.raises(TopUpRefused, match="maximum"):
        price_top_up(gateway="demo", amount_micros=10**16)
    with pytest.raises(TopUpRefused, match="minimum"):
        price_top_up(gateway="demo", amount_micros=0)


def test_gateways_when_half_configured_do_not_exist(settings: Any) -> None:
    assert list(enabled_gateways()) == []
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.BTCPAY_URL = settings.BTCPAY_API_KEY = settings.BTCPAY_STORE_ID = "x"
    assert list(enabled_gateways()) == []

    settings.STRIPE_WEBHOOK_SECRET = settings.BTCPAY_WEBHOOK_SECRET = settings.MANUAL_TRANSFER_DETAILS = "x"

    assert list(enabled_gateways()) == ["stripe", "btcpay", "manual"]


# --- The sweep --------------------------------------------------------------------------------------------------------
@pytest.fixture
def top_up(ann: User, stripe_server: FakeStripe) -> TopUp:
    """Ten dollars for Ann, begun at Stripe, of which nobody told us anything."""
    return start(ann, "stripe")


def at(top_up: TopUp) -> datetime:
    """The moment the next question is due."""
    top_up.refresh_from_db()
    assert top_up.next_check_at is not None
    return top_up.next_check_at


@pytest.mark.django_db
def test_sweep_when_it_was_paid_in_silence_credits_it_and_stops_asking(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_server.pay(top_up.reference)
    assert check_top_ups(now=at(top_up) - timedelta(seconds=1)) == 0

    assert check_top_ups(now=at(top_up)) == 1

    top_up.refresh_from_db()
    assert (top_up.status, top_up.next_check_at, balance(top_up.user)) == (Status.PAID, None, 110 * DOLLAR)
    assert GatewayEvent.objects.get().kind == "asked"
    calls = len(stripe_server.calls)
    check_top_ups(now=timezone.now() + timedelta(days=1))
    assert len(stripe_server.calls) == calls


@pytest.mark.django_db
def test_sweep_when_nothing_happens_asks_less_and_less_often_and_then_never(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    waits = []
    while True:
        now = at(top_up)
        check_top_ups(now=now)
        top_up.refresh_from_db()
        if top_up.next_check_at is None:
            break
        waits.append((top_up.next_check_at - now).total_seconds() / 60)

    assert waits[:6] == [1, 2, 4, 8, 16, 32]
    assert max(waits) == 360
    assert top_up.expires_at is not None
    assert now >= top_up.expires_at + GRACE
    assert (top_up.status, len(waits) < 25, GatewayEvent.objects.count()) == (Status.EXPIRED, True, 0)


@pytest.mark.django_db
def test_sweep_when_paid_after_it_expired_still_finds_it(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_server.session_of(top_up.reference)["status"] = "expired"
    check_top_ups(now=at(top_up))
    top_up.refresh_from_db()
    assert top_up.status == Status.EXPIRED

    stripe_server.pay(top_up.reference)
    check_top_ups(now=at(top_up))

    top_up.refresh_from_db()
    assert (top_up.status, balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", ["silent", "broken"])
def test_sweep_when_the_gateway_is_away_changes_nothing_and_asks_again(
    top_up: TopUp, stripe_server: FakeStripe, trouble: str
) -> None:
    now = at(top_up)
    setattr(stripe_server, trouble, True)

    assert check_top_ups(now=now) == 0

    assert at(top_up) == now + timedelta(minutes=1)
    assert top_up.status == Status.CREATED


@pytest.mark.django_db
def test_sweep_when_somebody_else_asks_already_leaves_it(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stale = TopUp.objects.get()
    TopUp.objects.update(next_check_at=timezone.now() + timedelta(minutes=2), checks=1)
    calls = len(stripe_server.calls)

    assert check_top_up(stale) is False

    assert len(stripe_server.calls) == calls


@pytest.mark.django_db
def test_sweep_when_the_gateway_was_switched_off_lets_the_payment_expire(top_up: TopUp, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""

    check_top_ups(now=timezone.now() + timedelta(hours=2))

    top_up.refresh_from_db()
    assert top_up.status == Status.EXPIRED


@pytest.mark.django_db
def test_sweep_when_we_died_before_the_id_was_saved_lets_it_expire_harmlessly(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    TopUp.objects.update(gateway_id="", pay_url="")

    check_top_ups(now=timezone.now() + timedelta(hours=2))

    top_up.refresh_from_db()
    assert (top_up.status, balance(top_up.user)) == (Status.EXPIRED, 100 * DOLLAR)


@pytest.mark.django_db
def test_sweep_when_a_payment_is_confirmed_for_a_month_calls_a_human(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_server.pay(top_up.reference, payment_status="unpaid")
    check_top_ups(now=at(top_up))

    check_top_ups(now=timezone.now() + timedelta(days=31))

    top_up.refresh_from_db()
    assert (top_up.status, top_up.next_check_at) == (Status.REVIEW, None)
    assert "month" in top_up.attention


@pytest.mark.django_db
def test_sweep_when_beat_calls_for_it_runs(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_server.pay(top_up.reference)
    TopUp.objects.update(next_check_at=timezone.now())

    check_top_ups_task()

    assert balance(top_up.user) == 110 * DOLLAR


@pytest.mark.django_db
def test_ask_soon_when_somebody_waits_brings_the_question_forward(top_up: TopUp) -> None:
    TopUp.objects.update(next_check_at=timezone.now() + timedelta(hours=5))

    ask_soon(top_up)

    assert at(top_up) <= timezone.now()


@pytest.mark.django_db
def test_cancel_when_paid_all_the_same_is_credited(top_up: TopUp, stripe_server: FakeStripe) -> None:
    cancel_top_up(top_up=top_up)
    with pytest.raises(WrongStatus):
        cancel_top_up(top_up=top_up)

    stripe_server.pay(top_up.reference)
    check_top_ups(now=at(top_up))

    top_up.refresh_from_db()
    assert (top_up.status, balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


@pytest.mark.django_db
def test_start_when_somebody_begins_payments_without_end_is_refused(ann: User, ben: User, demo_gateway: None) -> None:
    for _time in range(MAX_AN_HOUR):
        start(ann, "demo")

    with pytest.raises(TopUpRefused, match="many payments"):
        start(ann, "demo")

    start(ben, "demo")
