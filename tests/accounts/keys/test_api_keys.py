"""API keys: shown once, kept as fingerprints, with powers and limits; rotated, revoked, and the commands for it."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import Model

from accounts.keys import known_rows
from accounts.keys.allowed_networks import (
    NotANetwork,
    TooManyNetworks,
    clean_networks,
    is_allowed,
)
from accounts.keys.api_keys import (
    AddressNotAllowed,
    InvalidApiKey,
    KeyIsRevoked,
    KeyIsShown,
    TooManyKeys,
    change_api_key,
    create_api_key,
    find_api_key,
    prepare_api_key,
    revoke_api_key,
    rotate_api_key,
    show_api_key,
)
from accounts.keys.known_rows import KNOWN_SECONDS
from accounts.keys.spending import DailyLimitReached, spend_with_key
from accounts.models import ApiKey, CustomerGroup, User
from tests.accounts.opening import opens

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


# --- Made, found ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("is_test", "begins"), [(False, "live_"), (True, "test_")])
def test_create_api_key_when_made_then_only_its_fingerprint_is_kept(ann: User, is_test: bool, begins: str) -> None:
    key, text = create_api_key(user=ann, name=" robot ", is_test=is_test)

    assert text.startswith(begins)
    assert len(bytes.fromhex(text.removeprefix(begins))) == 32
    assert (key.name, key.prefix) == ("robot", text[:12])
    assert key.key_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert text not in str(ApiKey.objects.values().get())
    assert create_api_key(user=ann, name="robot")[1] != text


def test_create_api_key_when_it_has_no_name_or_no_address_then_nothing_is_made(ann: User) -> None:
    with pytest.raises(ValueError, match="name"):
        create_api_key(user=ann, name="  ")
    with pytest.raises(NotANetwork, match="x"):
        create_api_key(user=ann, name="robot", allowed_addresses="10.0.0.1\nx")
    with pytest.raises(TypeError, match="revoked_at"):
        create_api_key(user=ann, name="robot", revoked_at=None)

    assert ApiKey.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_create_api_key_when_many_are_made_at_once_then_there_are_never_too_many(ann: User, settings: Any) -> None:
    settings.API_MAX_KEYS = 3
    create_api_key(user=ann, name="over", expires_at=NOON)

    def make(_number: int) -> bool:
        try:
            create_api_key(user=ann, name="robot")
        except TooManyKeys:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(make, range(6)))

    assert sorted(made) == [False] * 3 + [True] * 3
    assert ApiKey.objects.count() == 4


def test_find_api_key_when_it_is_right_then_one_query_finds_the_customer_and_group(
    ann: User, django_assert_num_queries: Any
) -> None:
    text = create_api_key(user=ann, name="robot")[1]
    find_api_key(text, address=None)

    with django_assert_num_queries(1):
        key = find_api_key(text, address=None)
        assert key.user == ann
        assert key.user.group is None


@pytest.mark.parametrize("changes", [False, True])
def test_find_api_key_again_within_a_second_asks_nobody_for_a_call_that_changes_nothing(
    ann: User, changes: bool, django_assert_num_queries: Any
) -> None:
    _key, text = create_api_key(user=ann, name="robot")
    for _each in range(2):  # its use is noted by the first
        first = find_api_key(text, address=None, changes=False)

    with django_assert_num_queries(1 if changes else 0):
        again = find_api_key(text, address=None, changes=changes)

    assert (again.pk, again.user.pk) == (first.pk, ann.pk)
    assert again.user is not first.user  # what a call makes of it stays with the call


def of_ann(model: type[Model], ann: User) -> Any:
    """The row of a table that opens her key: the key, herself, her group."""
    if model is CustomerGroup:
        ann.group = CustomerGroup.objects.create(name="Resellers", discount_percent=3)
        ann.save()
        return CustomerGroup.objects.filter(pk=ann.group_id)
    return ApiKey.objects.filter(user=ann) if model is ApiKey else User.objects.filter(pk=ann.pk)


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (ApiKey, {"revoked_at": NOON}),
        (ApiKey, {"calls_per_minute": 3}),
        (ApiKey, {"may_read": False}),
        (User, {"is_active": False}),
        (CustomerGroup, {"discount_percent": 7}),
    ],
)
def test_find_api_key_when_it_is_changed_here_then_the_next_call_knows(
    ann: User, model: type[Model], change: dict[str, Any]
) -> None:
    _key, text = create_api_key(user=ann, name="robot")
    row = of_ann(model, ann)
    find_api_key(text, address=None, changes=False)

    row.update(**change)

    try:
        found = find_api_key(text, address=None, changes=False)
    except InvalidApiKey:
        assert "revoked_at" in change or "is_active" in change
    else:
        holder = {ApiKey: found, CustomerGroup: found.user.group}[model]
        assert {name: getattr(holder, name) for name in change} == change


@pytest.mark.parametrize("changes", [False, True])
def test_find_api_key_when_it_is_revoked_elsewhere_then_it_opens_nothing_a_second_later_and_buys_nothing_at_once(
    ann: User, changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_rows, "KNOWN_SECONDS", 0.3)
    key, text = create_api_key(user=ann, name="robot")
    for _each in range(2):
        find_api_key(text, address=None, changes=False)
    with connection.cursor() as cursor:  # as another process would: nothing here notices
        cursor.cursor.execute("UPDATE accounts_apikey SET revoked_at = '2026-01-01 00:00:00+00:00'")

    if changes:
        with pytest.raises(InvalidApiKey):
            find_api_key(text, address=None)
    else:
        assert find_api_key(text, address=None, changes=False).pk == key.pk
    time.sleep(0.35)
    with pytest.raises(InvalidApiKey):
        find_api_key(text, address=None, changes=changes)
    assert KNOWN_SECONDS == 1


def test_known_row_when_something_is_written_while_it_is_read_then_it_is_not_kept(ann: User) -> None:
    def read_before_a_change() -> tuple[str]:
        known_rows.forget_rows()  # as another thread that writes meanwhile
        return ("old",)

    assert known_rows.known_row("digest", read_before_a_change) == ("old",)
    assert known_rows.known_row("digest", lambda: ("new",)) == ("new",)
    assert known_rows.known_row("digest", lambda: ("newer",)) == ("new",)


def test_find_api_key_when_it_is_wrong_then_none_is_found(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")

    for wrong in ("", text[:-1], text + "0", text.upper() + "G", key.key_sha256, "x" * 10_000, "\ud800", "\0"):
        with pytest.raises(InvalidApiKey):
            find_api_key(wrong, address=None)


def test_find_api_key_when_it_has_ended_or_the_account_is_disabled_then_none_is_found(ann: User) -> None:
    _key, text = create_api_key(user=ann, name="robot", expires_at=NOON)

    assert find_api_key(text, address=None, now=NOON - timedelta(seconds=1)).user == ann
    with pytest.raises(InvalidApiKey):
        find_api_key(text, address=None, now=NOON)
    User.objects.update(is_active=False)
    with pytest.raises(InvalidApiKey):
        find_api_key(text, address=None, now=NOON - timedelta(seconds=1))


def test_find_api_key_when_used_often_then_the_use_is_noted_once_a_minute(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")
    noted = []
    for seconds in (0, 30, 60, 61, 100):
        find_api_key(text, address=f"203.0.113.{seconds}", now=NOON + timedelta(seconds=seconds))
        key.refresh_from_db()
        noted.append(((key.last_used_at - NOON).seconds, key.last_used_from))

    assert noted == [(0, "203.0.113.0")] * 3 + [(61, "203.0.113.61")] * 2


# --- Addresses ------------------------------------------------------------------------------------------------------
def test_find_api_key_when_it_comes_from_elsewhere_then_it_is_refused_and_its_use_not_noted(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot", allowed_addresses="203.0.113.0/24, 2001:db8::/32")

    assert find_api_key(text, address="2001:db8::7").pk == key.pk
    ApiKey.objects.update(last_used_at=None)
    for address in ("198.51.100.1", "2001:db9::1", None):
        with pytest.raises(AddressNotAllowed):
            find_api_key(text, address=address)
    key.refresh_from_db()
    assert key.last_used_at is None


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ("", None, True),
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.0/24", "::ffff:203.0.113.7", True),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("2001:db8::/32", "203.0.113.7", False),
        ("203.0.113.0/24", "garbage", False),
    ],
)
def test_is_allowed_when_asked_then_networks_of_both_kinds_are_understood(
    networks: str, address: str | None, allowed: bool
) -> None:
    assert is_allowed(address, networks) is allowed


def test_clean_networks_when_they_are_written_anyhow_then_they_have_one_spelling() -> None:
    assert clean_networks(" 203.0.113.7/32,\r\n\n2001:DB8:0::/32\n203.0.113.7 ") == "203.0.113.7\n2001:db8::/32"
    for wrong in ("203.0.113.7/24", "example.com", "1.2.3", "10.0.0.0/33", "::1%eth0/200"):
        with pytest.raises(NotANetwork):
            clean_networks(wrong)
    with pytest.raises(TooManyNetworks):
        clean_networks("\n".join(f"10.0.0.{number}" for number in range(51)))


# --- Changed, rotated, revoked --------------------------------------------------------------------------------------
def test_change_api_key_when_done_then_only_what_was_named_changes(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot", may_sms=False)

    change_api_key(key.pk, may_order=False, allowed_addresses="203.0.113.9/32")

    key = find_api_key(text, address="203.0.113.9")
    assert (key.may_order, key.may_sms, key.allowed_addresses) == (False, False, "203.0.113.9")
    revoke_api_key(key.pk)
    with pytest.raises(KeyIsRevoked):
        change_api_key(key.pk, may_order=True)


def test_rotate_api_key_when_the_old_one_is_kept_a_while_then_both_work_and_the_new_one_may_do_the_same(
    ann: User,
) -> None:
    powers = {"may_order": False, "daily_limit_micros": 7, "allowed_addresses": "203.0.113.9", "bare_services": True}
    old, old_text = create_api_key(user=ann, name="robot", is_test=True, **powers)
    spend_with_key(old, 5, now=NOON)

    new, text = rotate_api_key(old.pk, keep_old_for=DAY, now=NOON)

    assert text.startswith("test_")
    for written in (text, old_text):
        assert find_api_key(written, address="203.0.113.9", now=NOON + DAY - timedelta(seconds=1)).user == ann
    with pytest.raises(InvalidApiKey):
        find_api_key(old_text, address="203.0.113.9", now=NOON + DAY)
    assert (new.name, new.is_test, *(getattr(new, field) for field in powers)) == ("robot", True, *powers.values())
    with pytest.raises(DailyLimitReached):
        spend_with_key(new, 3, now=NOON)


def test_rotate_api_key_when_the_old_one_would_end_sooner_then_both_end_when_it_would_have(ann: User) -> None:
    ends_at = NOON + timedelta(hours=1)
    old, old_text = create_api_key(user=ann, name="robot", expires_at=ends_at)

    _new, text = rotate_api_key(old.pk, keep_old_for=DAY, now=NOON)

    for written in (text, old_text):
        assert find_api_key(written, address=None, now=ends_at - timedelta(seconds=1)).user == ann
        with pytest.raises(InvalidApiKey):
            find_api_key(written, address=None, now=ends_at)


def test_rotate_api_key_when_the_list_is_full_then_it_goes_once_and_a_dead_key_never(ann: User, settings: Any) -> None:
    settings.API_MAX_KEYS = 1
    key, text = create_api_key(user=ann, name="robot")

    new, _text = rotate_api_key(key.pk, keep_old_for=DAY)

    with pytest.raises(TooManyKeys):
        rotate_api_key(new.pk, keep_old_for=DAY)
    assert opens(text)
    revoke_api_key(key.pk)
    with pytest.raises(KeyIsRevoked):
        rotate_api_key(key.pk, keep_old_for=DAY)
    assert ApiKey.objects.count() == 2


def test_revoke_api_key_when_done_then_it_stops_and_the_customers_other_key_does_not(ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")
    other = create_api_key(user=ann, name="other")[1]

    revoke_api_key(key.pk, now=NOON)

    assert (opens(text), opens(other)) == (False, True)
    with pytest.raises(KeyIsRevoked):
        revoke_api_key(key.pk)
    assert ApiKey.objects.get(pk=key.pk).revoked_at == NOON


def test_show_api_key_when_staff_made_it_then_its_customer_alone_sees_it_and_once(ann: User, ben: User) -> None:
    key = prepare_api_key(user=ann, name="robot")
    assert key.prefix == ""

    with pytest.raises(ApiKey.DoesNotExist):
        show_api_key(key.pk, user=ben)
    text = show_api_key(key.pk, user=ann)

    assert find_api_key(text, address=None).pk == key.pk
    with pytest.raises(KeyIsShown):
        show_api_key(key.pk, user=ann)
    other = prepare_api_key(user=ann, name="other")
    revoke_api_key(other.pk)
    with pytest.raises(KeyIsRevoked):
        show_api_key(other.pk, user=ann)


def test_change_api_key_when_the_limit_changes_then_it_does_for_the_key_it_replaced_too(ann: User) -> None:
    old, _text = create_api_key(user=ann, name="robot", daily_limit_micros=10)
    new, _text = rotate_api_key(old.pk, keep_old_for=DAY)
    other, _text = create_api_key(user=ann, name="other", daily_limit_micros=10)

    change_api_key(new.pk, daily_limit_micros=3, name="new name")

    limits = dict(ApiKey.objects.values_list("pk", "daily_limit_micros"))
    assert limits == {old.pk: 3, new.pk: 3, other.pk: 10}
    assert ApiKey.objects.get(pk=old.pk).name == "robot"


# --- Commands -------------------------------------------------------------------------------------------------------
def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def test_create_api_key_command_when_run_then_it_prints_the_key_alone(ann: User) -> None:
    text = run("create_api_key", "Ann@Example.com", "--name", "robot")

    assert opens(text)
    assert ApiKey.objects.get().name == "robot"


def test_create_api_key_command_when_powers_are_named_then_it_has_those(ann: User) -> None:
    arguments = ["--scopes", "read,sms", "--daily-limit", "12.5", "--addresses", "203.0.113.9", "--test"]

    text = run("create_api_key", ann.email, "--name", "robot", *arguments, "--calls-per-minute", "30")

    key = find_api_key(text, address="203.0.113.9")
    assert (key.may_read, key.may_order, key.may_sms, key.is_test) == (True, False, True, True)
    assert (key.daily_limit_micros, key.calls_per_minute) == (12_500_000, 30)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nobody@example.com", "--name", "x"], "No customer has the address nobody@example.com."),
        (["ann@example.com", "--name", " "], "--name should say what the key is for, in 1 to 80 characters."),
        (["ann@example.com", "--name", "x" * 81], "--name should say what the key is for, in 1 to 80 characters."),
        (["off@example.com", "--name", "x"], "The account of off@example.com is disabled: a key would not work."),
        (["ann@example.com"], "Error: the following arguments are required: --name"),
        (["ann@example.com", "--name", "x", "--scopes", "all"], "--scopes should name some of read,order,sms,secrets."),
        (
            ["ann@example.com", "--name", "x", "--daily-limit", "-1"],
            "--daily-limit: -1 is not an amount; write it like 12.50.",
        ),
        (["ann@example.com", "--name", "x", "--addresses", "x"], "--addresses: x is not an address or a network."),
        (["ann@example.com", "--name", "x", "--calls-per-minute", "0"], "--calls-per-minute should be above zero."),
    ],
)
def test_create_api_key_command_when_it_cannot_then_it_says_why(ann: User, arguments: list[str], error: str) -> None:
    User.objects.create_user("off@example.com", is_active=False)

    with pytest.raises(CommandError) as refusal:
        run("create_api_key", *arguments)

    assert str(refusal.value) == error
    assert ApiKey.objects.count() == 0


def test_rotate_and_revoke_commands_when_run_then_they_do_it_by_number_or_by_beginning(ann: User) -> None:
    key, old = create_api_key(user=ann, name="robot")

    text = run("rotate_api_key", str(key.pk), "--keep-hours", "1")
    assert (opens(old), opens(text)) == (True, True)
    printed = run("revoke_api_key", text[:12])

    assert (opens(old), opens(text)) == (True, False)
    assert printed == f"ann@example.com: robot ({text[:12]}…) is revoked"
    for command in ("rotate_api_key", "revoke_api_key"):
        with pytest.raises(CommandError, match=r"does not work any more|revoked already"):
            run(command, text)
        with pytest.raises(CommandError, match="No key begins with live_0"):
            run(command, "live_0")
