"""Addresses that open an account, and the command that pays into a wallet."""

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.operations import change_email
from tests.conftest import PASSWORD
from wallet.models import LedgerEntry, Wallet

pytestmark = pytest.mark.django_db


def sign_in(email: str) -> bool:
    """Whether these words open the account; an address that is not verified does not."""
    browser = Client()
    browser.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return "_auth_user_id" in browser.session


def test_change_email_when_done_then_the_old_address_opens_nothing_and_the_new_one_after_verification(
    ann: User,
) -> None:
    assert sign_in("ann@example.com")

    change_email(ann, "Anna@Example.com")

    assert list(EmailAddress.objects.values_list("email", "primary", "verified")) == [("anna@example.com", True, False)]
    assert not sign_in("ann@example.com")
    assert not sign_in("anna@example.com")
    EmailAddress.objects.update(verified=True)
    assert sign_in("anna@example.com")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_credit_command_when_run_then_the_ledger_says_why(ann: User) -> None:
    printed = run("credit", "ANN@example.com", "12.5", "--note", "paid in cash", "--reference", "cash-1")

    assert printed == "ann@example.com: +12.50 USD, balance 112.50\n"
    entry = LedgerEntry.objects.get(reference="credit:cash-1")
    assert (entry.kind, entry.amount_micros, entry.note) == ("adjustment", 12_500_000, "paid in cash")


def test_credit_command_when_the_reference_is_known_then_nothing_is_paid_twice(ann: User) -> None:
    run("credit", "ann@example.com", "1", "--note", "cash", "--reference", "cash-1")

    with pytest.raises(CommandError, match="cash-1 has been booked before; nothing was paid"):
        run("credit", "ann@example.com", "1", "--note", "cash", "--reference", "cash-1")

    assert Wallet.objects.get(user=ann).balance_micros == 101_000_000


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        ("twelve", "twelve is not an amount; write it like 12.50."),
        ("12,5", "12,5 is not an amount; write it like 12.50."),
        ("0", "0 is not an amount above zero and up to 1000000000."),
        ("NaN", "NaN is not an amount above zero and up to 1000000000."),
        ("sNaN", "sNaN is not an amount above zero and up to 1000000000."),
        ("Infinity", "Infinity is not an amount above zero and up to 1000000000."),
        ("1e30", "1e30 is not an amount above zero and up to 1000000000."),
        ("0.0000001", "0.0000001 has more than six decimals."),
    ],
)
def test_credit_command_when_the_amount_is_wrong_then_it_says_what_is_right(ann: User, amount: str, error: str) -> None:
    with pytest.raises(CommandError) as refusal:
        run("credit", "ann@example.com", amount, "--note", "cash")

    assert (str(refusal.value), refusal.value.returncode) == (error, 1)
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


def test_credit_command_when_the_note_or_the_customer_is_missing_then_it_says_so(ann: User) -> None:
    with pytest.raises(CommandError, match="--note should say why"):
        run("credit", "ann@example.com", "1", "--note", " ")
    with pytest.raises(CommandError, match=r"No customer has the address x@example\.com"):
        run("credit", "x@example.com", "1", "--note", "cash")
