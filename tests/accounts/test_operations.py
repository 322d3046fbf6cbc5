"""API keys and addresses: shown once, kept as fingerprints, stopped for good; the commands that make them."""

import hashlib
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, User
from accounts.operations import (
    KeyIsRevoked,
    change_email,
    create_api_key,
    revoke_api_key,
    user_for_api_key,
)
from tests.conftest import PASSWORD
from wallet.models import LedgerEntry, Wallet

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_create_api_key_when_made_then_only_its_fingerprint_is_kept(ann: User) -> None:
    key, text = create_api_key(user=ann, name=" robot ")

    assert len(bytes.fromhex(text)) == 32
    assert (key.name, key.prefix) == ("robot", text[:8])
    assert key.key_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert text not in str(ApiKey.objects.values().get())
    assert create_api_key(user=ann, name="robot")[1] != text


def test_create_api_key_when_it_has_no_name_then_nothing_is_made(ann: User) -> None:
    with pytest.raises(ValueError, match="name"):
        create_api_key(user=ann, name="  ")

    assert ApiKey.objects.count() == 0


def test_user_for_api_key_when_it_is_right_then_one_query_finds_the_customer_and_group(
    ann: User, django_assert_num_queries
) -> None:
    text = create_api_key(user=ann, name="robot")[1]
    user_for_api_key(text)

    with django_assert_num_queries(1):
        user = user_for_api_key(text)
        assert user == ann
        assert user.group is None


def test_user_for_api_key_when_it_is_wrong_then_nobody_is_found(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")

    for wrong in ("", text[:-1], text + "0", text.upper() + "G", key.key_sha256, "x" * 10_000, "\ud800", "\0"):
        assert user_for_api_key(wrong) is None


def test_user_for_api_key_when_used_often_then_the_use_is_noted_once_a_minute(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")
    noted = []
    for seconds in (0, 30, 60, 61, 100):
        user_for_api_key(text, now=NOON + timedelta(seconds=seconds))
        key.refresh_from_db()
        noted.append((key.last_used_at - NOON).seconds)

    assert noted == [0, 0, 0, 61, 61]


def test_revoke_api_key_when_done_then_it_stops_and_the_customers_other_key_does_not(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")
    other = create_api_key(user=ann, name="other")[1]

    revoke_api_key(key.pk, now=NOON)

    assert user_for_api_key(text) is None
    assert user_for_api_key(other) == ann
    with pytest.raises(KeyIsRevoked):
        revoke_api_key(key.pk)
    assert ApiKey.objects.get(pk=key.pk).revoked_at == NOON


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


def test_create_api_key_command_when_run_then_it_prints_the_key_alone(ann: User) -> None:
    text = run("create_api_key", "Ann@Example.com", "--name", "robot").strip()

    assert user_for_api_key(text) == ann
    assert ApiKey.objects.get().name == "robot"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nobody@example.com", "--name", "x"], "No customer has the address nobody@example.com."),
        (["ann@example.com", "--name", " "], "--name should say what the key is for, in 1 to 80 characters."),
        (["ann@example.com", "--name", "x" * 81], "--name should say what the key is for, in 1 to 80 characters."),
        (["off@example.com", "--name", "x"], "The account of off@example.com is disabled: a key would not work."),
        (["ann@example.com"], "Error: the following arguments are required: --name"),
    ],
)
def test_create_api_key_command_when_it_cannot_then_it_says_why(ann: User, arguments: list[str], error: str) -> None:
    User.objects.create_user("off@example.com", is_active=False)

    with pytest.raises(CommandError) as refusal:
        run("create_api_key", *arguments)

    assert str(refusal.value) == error
    assert refusal.value.returncode == 1
    assert ApiKey.objects.count() == 0


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
