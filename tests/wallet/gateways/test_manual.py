"""Transfers by hand: the customer declares, staff confirms what came in, and everything for a human is at the admin."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.power import NotYourOwnMoney
from tests.pages import page_words
from tests.wallet.paying import DOLLAR, balance, demo_says, start
from wallet.gateways import State
from wallet.models import LedgerEntry, TopUp
from wallet.operations import (
    WrongStatus,
    check_top_ups,
    close_review,
    confirm_top_up,
    decline_top_up,
    wallet_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("transfers")]
Status = TopUp.Status


@pytest.fixture
def top_up(ann: User, transfers: None) -> TopUp:
    """A transfer of twenty dollars that Ann has announced; she had a hundred."""
    return start(ann, "manual", 20)


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def press(desk: Client, top_up: TopUp, button: str, **form: str) -> Any:
    address = reverse(f"admin:wallet_topup_{button}", args=[top_up.pk])
    answer = desk.post(address, {"_form_submitted": "True", **form})
    top_up.refresh_from_db()
    return answer


def test_payment_page_when_by_transfer_says_where_to_and_what_to_write_on_it(
    top_up: TopUp, ann: User, client: Client
) -> None:
    client.force_login(ann)
    answer = client.get(reverse("wallet:pay", args=[top_up.reference]), follow=True)

    words = page_words(answer)
    assert "IBAN XX00 1234" in words
    assert f"Transfer exactly $20.00 with this reference: {top_up.reference}" in words


def test_declare_when_the_customer_has_transferred_waits_for_staff(top_up: TopUp, ann: User, client: Client) -> None:
    client.force_login(ann)

    client.post(reverse("wallet:declare", args=[top_up.reference]), {"note": "from Ann's account"})

    top_up.refresh_from_db()
    assert (top_up.status, top_up.note, top_up.next_check_at) == (Status.PENDING, "from Ann's account", None)
    assert list(TopUp.objects.for_a_human()) == [top_up]
    client.post(reverse("wallet:declare", args=[top_up.reference]), {"note": "again"})
    top_up.refresh_from_db()
    assert (top_up.note, balance(ann)) == ("from Ann's account", 100 * DOLLAR)


def test_transfer_when_never_declared_expires_and_may_be_declared_late(
    top_up: TopUp, ann: User, client: Client
) -> None:
    TopUp.objects.update(expires_at=timezone.now() - timedelta(minutes=1), next_check_at=timezone.now())
    check_top_ups()
    top_up.refresh_from_db()
    assert top_up.status == Status.EXPIRED

    client.force_login(ann)
    client.post(reverse("wallet:declare", args=[top_up.reference]), {"note": ""})

    top_up.refresh_from_db()
    assert top_up.status == Status.PENDING


@pytest.mark.parametrize(("amount", "after"), [("20", 120), ("15.00", 115)])
def test_confirm_when_staff_says_what_arrived_credits_that_and_says_who(
    top_up: TopUp, desk: Client, sam: User, amount: str, after: int
) -> None:
    press(desk, top_up, "confirm", amount=amount)

    assert (top_up.status, top_up.attention, top_up.confirmed_by) == (Status.PAID, "", sam)
    assert balance(top_up.user) == after * DOLLAR
    assert LedgerEntry.objects.get(reference=f"top_up:{top_up.reference}").created_by == sam


def test_confirm_when_pressed_twice_credits_once(top_up: TopUp, desk: Client) -> None:
    for _press in range(2):
        press(desk, top_up, "confirm", amount="20")

    assert balance(top_up.user) == 120 * DOLLAR


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "", "1e30"])
def test_confirm_when_the_amount_is_wrong_asks_again(top_up: TopUp, desk: Client, amount: str) -> None:
    answer = press(desk, top_up, "confirm", amount=amount)

    assert (answer.status_code, top_up.status, balance(top_up.user)) == (200, Status.CREATED, 100 * DOLLAR)


def test_confirm_when_the_fee_would_take_it_all_asks_again(top_up: TopUp, desk: Client) -> None:
    TopUp.objects.update(fee_micros=DOLLAR, pay_micros=21 * DOLLAR)

    answer = press(desk, top_up, "confirm", amount="1")

    assert "Nothing would be left" in answer.content.decode()
    assert top_up.status == Status.CREATED


def test_decline_when_nothing_arrived_credits_nothing_and_may_still_be_confirmed(top_up: TopUp, desk: Client) -> None:
    press(desk, top_up, "decline")
    assert (top_up.status, balance(top_up.user)) == (Status.DECLINED, 100 * DOLLAR)

    press(desk, top_up, "confirm", amount="20")

    assert (top_up.status, balance(top_up.user)) == (Status.PAID, 120 * DOLLAR)


def test_buttons_when_the_state_changes_are_those_that_fit(top_up: TopUp, desk: Client) -> None:
    page = reverse("admin:wallet_topup_change", args=[top_up.pk])

    def offered() -> set[str]:
        content = desk.get(page).content.decode()
        buttons = {name: reverse(f"admin:wallet_topup_{name}", args=[top_up.pk]) for name in BUTTONS}
        return {name for name, address in buttons.items() if address in content}

    assert offered() == {"confirm", "decline"}
    press(desk, top_up, "confirm", amount="20")
    assert offered() == set()
    TopUp.objects.update(status=Status.REVIEW, attention="look")
    assert offered() == {"confirm", "mark_reviewed"}


BUTTONS = ("confirm", "decline", "mark_reviewed")


@pytest.mark.usefixtures("demo_gateway")
def test_review_when_underpaid_may_be_left_so_or_confirmed_in_whole(
    ann: User, desk: Client, sam: User, settings: Any
) -> None:
    top_up = start(ann, "demo", 20)
    TopUp.objects.update(bonus_micros=DOLLAR)
    demo_says(top_up, State.PAID, amount_micros=5 * DOLLAR)
    assert balance(ann) == 105 * DOLLAR

    press(desk, top_up, "confirm", amount="20")
    assert (top_up.status, balance(ann), top_up.credited_micros) == (Status.PAID, 121 * DOLLAR, 21 * DOLLAR)

    with pytest.raises(WrongStatus):
        close_review(top_up=top_up, actor=sam)


@pytest.mark.usefixtures("demo_gateway")
def test_review_when_marked_as_reviewed_keeps_what_is_credited(ann: User, desk: Client) -> None:
    top_up = start(ann, "demo", 20)
    demo_says(top_up, State.PAID, amount_micros=5 * DOLLAR)

    press(desk, top_up, "mark_reviewed")

    assert (top_up.status, top_up.attention, balance(ann)) == (Status.PAID, "", 105 * DOLLAR)


@pytest.mark.usefixtures("demo_gateway")
def test_review_when_the_fee_took_it_all_is_never_called_paid(ann: User, desk: Client) -> None:
    top_up = start(ann, "demo", 20)
    TopUp.objects.update(fee_micros=DOLLAR, pay_micros=21 * DOLLAR)
    demo_says(top_up, State.PAID, amount_micros=DOLLAR)

    press(desk, top_up, "mark_reviewed")

    assert (top_up.status, top_up.attention, balance(ann)) == (Status.REVIEW, "", 100 * DOLLAR)


def test_confirm_of_ones_own_payment_is_left_to_a_colleague(sam: User, tom: User) -> None:
    own = start(sam, "manual", 20)

    with pytest.raises(NotYourOwnMoney):
        confirm_top_up(top_up=own, received_micros=20 * DOLLAR, actor=sam)
    assert wallet_of(sam).balance_micros == 0

    confirm_top_up(top_up=own, received_micros=20 * DOLLAR, actor=tom)
    assert wallet_of(sam).balance_micros == 20 * DOLLAR


@pytest.mark.usefixtures("demo_gateway")
def test_confirm_when_a_gateway_speaks_for_itself_is_refused(ann: User, sam: User) -> None:
    top_up = start(ann, "demo", 20)

    with pytest.raises(WrongStatus):
        confirm_top_up(top_up=top_up, received_micros=20 * DOLLAR, actor=sam)

    demo_says(top_up, State.PAID)
    with pytest.raises(WrongStatus):
        decline_top_up(top_up=top_up, actor=sam)
    assert balance(ann) == 120 * DOLLAR


def test_buttons_when_somebody_may_only_look_are_refused(top_up: TopUp, client: Client) -> None:
    from django.contrib.auth.models import Permission

    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_topup"))
    client.force_login(clerk)

    assert press(client, top_up, "confirm", amount="20").status_code == 403
    assert balance(top_up.user) == 100 * DOLLAR
