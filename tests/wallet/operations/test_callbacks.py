"""The door gateways knock at: what is applied, what is kept, and that the order of news does not matter."""

import itertools
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.samples import every
from tests.wallet.paying import DOLLAR, balance, demo_says, knock, outcomes, rows, start
from wallet.gateways import State
from wallet.gateways.demo import demo_event, demo_headers
from wallet.models import GatewayEvent, LedgerEntry, TopUp
from wallet.operations import AlreadyBooked, credit
from wallet.operations.callbacks import MAX_BYTES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_gateway")]
Status = TopUp.Status


@pytest.fixture
def top_up(ann: User, demo_gateway: None) -> TopUp:
    """Ten dollars for Ann, begun at the demo bank; she had a hundred."""
    return start(ann, "demo")


def status(top_up: TopUp) -> str:
    top_up.refresh_from_db()
    return top_up.status


# --- Rules: what came is compared with what was asked for -------------------------------------------------------------
def with_fee_and_bonus(top_up: TopUp) -> None:
    """The fee is one dollar on top, the bonus two."""
    TopUp.objects.filter(pk=top_up.pk).update(
        fee_micros=DOLLAR, bonus_micros=2 * DOLLAR, pay_micros=top_up.amount_micros + DOLLAR
    )
    top_up.refresh_from_db()


@pytest.mark.parametrize(
    ("dollars", "booked", "becomes"),
    [
        (11, [("top_up", 10 * DOLLAR), ("bonus", 2 * DOLLAR)], Status.PAID),
        (5, [("top_up", 4 * DOLLAR)], Status.REVIEW),
        (1, [], Status.REVIEW),
        (20, [("top_up", 19 * DOLLAR), ("bonus", 2 * DOLLAR)], Status.PAID),
        (0, [], Status.REVIEW),
    ],
    ids=["full", "under", "only the fee", "over", "nothing"],
)
def test_paid_when_the_sum_differs_credits_what_came_less_the_fee(
    top_up: TopUp, dollars: int, booked: list[tuple[str, int]], becomes: str
) -> None:
    with_fee_and_bonus(top_up)

    assert demo_says(top_up, State.PAID, amount_micros=dollars * DOLLAR) == 200

    assert (rows(top_up.user), status(top_up)) == (booked, becomes)
    assert top_up.credited_micros == sum(amount for _kind, amount in booked)
    assert bool(top_up.attention) == (becomes == Status.REVIEW)
    assert ("Overpaid by" in top_up.note) == (dollars == 20)


def test_paid_when_in_another_currency_credits_nothing(top_up: TopUp) -> None:
    assert demo_says(top_up, State.PAID, currency="EUR") == 200

    assert (rows(top_up.user), status(top_up)) == ([], Status.REVIEW)
    assert top_up.attention == "The gateway reports 10.00 EUR, but the payment is in USD."


@pytest.mark.parametrize("before", [State.DECLINED, State.EXPIRED, State.PENDING])
def test_paid_when_it_seemed_over_is_credited_all_the_same(top_up: TopUp, before: State) -> None:
    demo_says(top_up, before)
    assert status(top_up) == before

    demo_says(top_up, State.PAID)

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_paid_when_another_sum_follows_credits_no_second_time_and_calls_a_human(top_up: TopUp) -> None:
    demo_says(top_up, State.PAID)

    demo_says(top_up, State.PAID, amount_micros=30 * DOLLAR)

    assert (status(top_up), balance(top_up.user)) == (Status.REVIEW, 110 * DOLLAR)
    assert top_up.attention == "The gateway reports 30.00 paid in total; 10.00 is booked."


@pytest.mark.parametrize("later", [State.PENDING, State.EXPIRED, State.NOTHING])
def test_news_when_it_is_paid_already_changes_nothing(top_up: TopUp, later: State) -> None:
    demo_says(top_up, State.PAID)

    demo_says(top_up, later)

    assert (status(top_up), top_up.attention, balance(top_up.user)) == (Status.PAID, "", 110 * DOLLAR)


NEWS = (State.PENDING, State.EXPIRED, State.PAID, State.PAID, State.REFUNDED)


@pytest.mark.parametrize(
    "order", every(4, sorted(set(itertools.permutations(NEWS)))), ids=lambda order: " ".join(order)
)
def test_news_when_in_any_order_end_the_same(top_up: TopUp, order: tuple[State, ...]) -> None:
    for state in order:
        amounts = {"amount_micros": 4 * DOLLAR} if state == State.REFUNDED else {}
        assert demo_says(top_up, state, **amounts) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 106 * DOLLAR)
    assert (top_up.credited_micros, top_up.reversed_micros) == (10 * DOLLAR, 4 * DOLLAR)


def test_ledger_when_everything_else_fails_refuses_a_second_credit(top_up: TopUp) -> None:
    demo_says(top_up, State.PAID)

    with pytest.raises(AlreadyBooked):
        credit(
            user=top_up.user,
            amount_micros=DOLLAR,
            kind=LedgerEntry.Kind.TOP_UP,
            reference=f"top_up:{top_up.reference}",
        )


# --- What is not valid ---------------------------------------------------------------------------------------------
def test_callback_when_the_event_is_known_is_answered_and_forgotten(top_up: TopUp) -> None:
    body = demo_event(top_up, State.PAID)

    assert [knock("demo", body, demo_headers(body)) for _time in range(3)] == [200, 200, 200]

    assert (outcomes(), balance(top_up.user)) == (["applied", "repeated", "repeated"], 110 * DOLLAR)


@pytest.mark.parametrize(
    "changes",
    [{"reference": "AAAAAAAAAAAA", "payment": ""}, {"payment": "demo-unknown", "reference": ""}],
    ids=["reference", "id"],
)
def test_callback_when_it_names_nothing_of_ours_is_kept_and_ignored(top_up: TopUp, changes: dict[str, Any]) -> None:
    assert demo_says(top_up, State.PAID, **changes) == 200

    event = GatewayEvent.objects.get()
    assert (event.outcome, event.top_up, status(top_up)) == ("ignored", None, Status.CREATED)


def test_callback_when_reference_and_id_contradict_is_refused(top_up: TopUp, ben: User) -> None:
    other = start(ben, "demo", 50)

    assert demo_says(top_up, State.PAID, reference=other.reference) == 400
    assert demo_says(top_up, State.PAID, payment="demo-other") == 400
    assert demo_says(top_up, State.PAID, reference="AAAAAAAAAAAA") == 400

    assert (outcomes(), balance(top_up.user), balance(ben)) == (["refused"] * 3, 100 * DOLLAR, 100 * DOLLAR)


def test_callback_when_it_was_refused_once_is_refused_again(top_up: TopUp) -> None:
    body = demo_event(top_up, State.PAID, reference="AAAAAAAAAAAA")

    assert [knock("demo", body, demo_headers(body)) for _time in range(2)] == [400, 400]


def test_callback_when_the_payment_is_another_gateways_is_refused(top_up: TopUp) -> None:
    TopUp.objects.filter(pk=top_up.pk).update(gateway="stripe")

    assert demo_says(top_up, State.PAID) == 400
    assert (outcomes(), balance(top_up.user)) == (["refused"], 100 * DOLLAR)


@pytest.mark.parametrize("signed_at", [None, 1_000_000_000], ids=["forged", "stale"])
def test_callback_when_forged_or_stale_changes_nothing(top_up: TopUp, signed_at: int | None) -> None:
    body = demo_event(top_up, State.PAID)

    assert knock("demo", body, demo_headers(body, signed_at=signed_at, forged=signed_at is None)) == 400

    assert GatewayEvent.objects.get().reason.startswith("stale" if signed_at else "forged")
    assert (status(top_up), balance(top_up.user)) == (Status.CREATED, 100 * DOLLAR)


# --- The door itself --------------------------------------------------------------------------------------------------
def test_callback_when_it_has_secrets_and_odd_bytes_keeps_what_is_harmless(top_up: TopUp) -> None:
    headers = {"User-Agent": 400 * "x", "Authorization": "Bearer secret", "Cookie": "a=secret", "X-Api-Key": "secret"}

    assert knock("demo", b"\x00\xff{", headers) == 400

    event = GatewayEvent.objects.get()
    assert event.body.partition("\n")[2] == "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}{"
    assert event.headers["User-Agent"] == 300 * "x"
    assert "secret" not in json.dumps(event.headers)
    assert event.address == "127.0.0.1"


def test_callback_when_too_long_is_refused_unread(top_up: TopUp) -> None:
    body = demo_event(top_up, State.PAID, padding=MAX_BYTES * "x")
    assert (knock("demo", body, demo_headers(body)), outcomes()) == (413, [])

    fits = demo_event(top_up, State.PAID, padding=(MAX_BYTES - 300) * "x")
    assert (knock("demo", fits, demo_headers(fits)), balance(top_up.user)) == (200, 110 * DOLLAR)


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_callback_when_not_posted_is_refused(top_up: TopUp, method: str) -> None:
    assert getattr(Client(), method)(reverse("wallet:callback", args=["demo"])).status_code == 405


def test_callback_when_csrf_is_checked_needs_no_token(top_up: TopUp) -> None:
    body = demo_event(top_up, State.PAID)

    answer = Client(enforce_csrf_checks=True).post(
        reverse("wallet:callback", args=["demo"]), body, content_type="application/json", headers=demo_headers(body)
    )

    assert (answer.status_code, balance(top_up.user)) == (200, 110 * DOLLAR)


@pytest.mark.parametrize("name", ["stripe", "btcpay", "manual", "paypal"])
def test_callback_when_the_gateway_is_not_configured_is_not_there(name: str, db: None) -> None:
    assert (knock(name, b"{}", {}), outcomes()) == (404, [])


def test_callback_when_one_address_keeps_forging_is_slowed_down_but_the_true_ones_come_through(top_up: TopUp) -> None:
    body = demo_event(top_up, State.PAID)

    answers = [knock("demo", body, {"Demo-Signature": "0,x"}) for _time in range(32)]

    assert answers == [400] * 30 + [429] * 2
    assert GatewayEvent.objects.count() == 30
    address = reverse("wallet:callback", args=["demo"])
    answer = Client(REMOTE_ADDR="203.0.113.9").post(
        address, body, content_type="application/json", headers=demo_headers(body)
    )
    assert (answer.status_code, balance(top_up.user)) == (200, 110 * DOLLAR)


def test_callback_when_the_id_of_ours_was_not_saved_yet_learns_it(top_up: TopUp) -> None:
    gateway_id = top_up.gateway_id
    body = demo_event(top_up, State.PENDING)
    TopUp.objects.update(gateway_id="", next_check_at=timezone.now())

    assert knock("demo", body, demo_headers(body)) == 200

    assert (status(top_up), top_up.gateway_id) == (Status.PENDING, gateway_id)
