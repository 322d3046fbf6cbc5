"""Adjusting a wallet at the admin: once, with a note, never below zero."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from wallet.models import LedgerEntry, Wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def adjust(desk: Client, user: User, **fields: Any) -> Any:
    address = reverse("admin:wallet_wallet_adjust", args=[user.wallet.pk])
    form = {"_form_submitted": "True", "request_id": str(uuid.uuid4()), "note": "said sorry", **fields}
    return desk.post(address, form)


def balance(user: User) -> int:
    return Wallet.objects.get(user=user).balance_micros


@pytest.mark.parametrize(("amount", "after"), [("2.5", 102_500_000), ("-100", 0), ("-0.000001", 99_999_999)])
def test_adjust_when_confirmed_then_the_ledger_says_who_and_why(
    desk: Client, ann: User, sam: User, amount: str, after: int
) -> None:
    answer = adjust(desk, ann, amount=amount)

    assert answer["Location"] == reverse("admin:wallet_wallet_change", args=[ann.wallet.pk])
    assert balance(ann) == after
    entry = LedgerEntry.objects.get(reference__startswith="request:")
    assert (entry.note, entry.created_by, entry.amount_micros) == ("said sorry", sam, after - 100_000_000)


def test_adjust_when_htmx_posts_it_then_it_is_told_where_to_go(desk: Client, ann: User) -> None:
    address = reverse("admin:wallet_wallet_adjust", args=[ann.wallet.pk])
    form = {"_form_submitted": "True", "request_id": str(uuid.uuid4()), "note": "n", "amount": "1"}

    answer = desk.post(address, form, headers={"hx-request": "true"})

    assert answer["HX-Redirect"] == reverse("admin:wallet_wallet_change", args=[ann.wallet.pk])


def test_adjust_when_pressed_twice_then_it_is_booked_once(desk: Client, ann: User) -> None:
    request_id = str(uuid.uuid4())

    for _press in range(2):
        adjust(desk, ann, amount="5", request_id=request_id)

    assert balance(ann) == 105_000_000


@pytest.mark.parametrize(
    ("fields", "field", "error"),
    [
        ({"amount": "-100.01"}, "amount", "The wallet is $0.01 short."),
        ({"amount": "0"}, "amount", "Enter an amount other than zero."),
        ({"amount": "NaN"}, "amount", "Enter a number."),
        ({"amount": "0.0000001"}, "amount", "Ensure that there are no more than 6 decimal places."),
        ({"amount": "99999999999"}, "amount", "This amount is too large."),
        ({"amount": "1", "note": "  "}, "note", "This field is required."),
        ({"amount": "1", "note": "x" * 301}, "note", None),
    ],
)
def test_adjust_when_a_value_is_wrong_then_the_error_is_beside_it(
    desk: Client, ann: User, fields: dict, field: str, error: str | None
) -> None:
    answer = adjust(desk, ann, **fields)

    errors = answer.context["form"].errors
    assert list(errors) == [field]
    assert error is None or errors[field] == [error]
    assert balance(ann) == 100_000_000


def test_adjust_when_only_opened_then_nothing_moves(desk: Client, ann: User) -> None:
    answer = desk.get(reverse("admin:wallet_wallet_adjust", args=[ann.wallet.pk]), {"amount": "5", "note": "x"})

    assert answer.status_code == 200
    assert balance(ann) == 100_000_000


def test_adjust_when_staff_may_only_look_then_it_is_forbidden(client: Client, ann: User) -> None:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_wallet"))
    client.force_login(clerk)

    assert adjust(client, ann, amount="5").status_code == 403
    assert balance(ann) == 100_000_000


def test_adjust_when_there_is_no_such_wallet_then_the_list_is_shown(desk: Client) -> None:
    form = {"_form_submitted": "True", "request_id": str(uuid.uuid4()), "note": "n", "amount": "1"}
    for wrong in ("999", "abc"):
        answer = desk.post(reverse("admin:wallet_wallet_adjust", args=[wrong]), form)

        assert answer["Location"] == reverse("admin:wallet_wallet_changelist")


def test_ledger_when_opened_from_a_wallet_then_it_shows_that_wallet_alone(desk: Client, ann: User, ben: User) -> None:
    page = desk.get(reverse("admin:wallet_wallet_ledger", args=[ann.wallet.pk]), follow=True)

    assert [entry.wallet.user for entry in page.context["cl"].result_list] == [ann]
    assert "$100.00" in page.content.decode()
