"""API keys at the admin: staff says what they may do, and never sees one."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.keys.api_keys import create_api_key, show_api_key
from accounts.models import ApiKey, User
from tests.accounts.opening import opens

pytestmark = pytest.mark.django_db
FORM = {"name": "robot", "may_read": "on", "calls_per_minute": "30", "daily_limit_micros": "2", "_save": "Save"}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


def shows_a_key(answer: object) -> bool:
    return bool(re.search(rb"(live|test)_[0-9a-f]{20}", answer.content))  # type: ignore[attr-defined]  # a response


def test_add_when_staff_makes_a_key_then_only_its_customer_can_show_it(desk: Client, ann: User) -> None:
    answer = desk.post(reverse("admin:accounts_apikey_add"), {**FORM, "user": ann.pk, "is_test": "on"}, follow=True)

    key = ApiKey.objects.get()
    assert (key.user, key.name, key.is_test, key.may_sms, key.calls_per_minute) == (ann, "robot", True, False, 30)
    assert (key.daily_limit_micros, key.prefix, shows_a_key(answer)) == (2_000_000, "", False)
    assert opens(show_api_key(key.pk, user=ann))


def test_change_when_staff_changes_a_key_then_it_counts_and_nothing_else_of_it_changes(desk: Client, ann: User) -> None:
    key, text = create_api_key(user=ann, name="old", allowed_addresses="203.0.113.0/24")
    address = reverse("admin:accounts_apikey_change", args=[key.pk])

    wrong = desk.post(address, {**FORM, "allowed_addresses": "x"})
    assert "x is not an address" in wrong.content.decode()
    desk.post(address, {**FORM, "allowed_addresses": "203.0.113.9", "key_sha256": "x", "user": "0"})

    key.refresh_from_db()
    assert (key.name, key.may_order, key.allowed_addresses, key.user) == ("robot", False, "203.0.113.9", ann)
    assert opens(text)


def test_rotate_when_staff_does_it_then_the_old_key_goes_on_a_while_and_the_new_one_waits(
    desk: Client, ann: User
) -> None:
    key, text = create_api_key(user=ann, name="robot")
    address = reverse("admin:accounts_apikey_rotate", args=[key.pk])

    answer = desk.post(address, {"_form_submitted": "True", "hours": "1"}, follow=True)

    new = ApiKey.objects.exclude(pk=key.pk).get()
    assert (new.prefix, shows_a_key(answer), opens(text)) == ("", False, True)
    key.refresh_from_db()
    assert key.expires_at is not None
    assert opens(show_api_key(new.pk, user=ann))
