"""Attack: staff gives a customer's key that leaked more powers, or makes one, and the customer hears nothing of it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey, User
from accounts.rights import SUPPORT
from tests.security.signing_in import letters_to
from tests.security.staff import at_the_admin, in_role

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def desk(db: None) -> Client:
    return at_the_admin(in_role("sue@example.com", SUPPORT))


@pytest.fixture
def key(ann: User) -> ApiKey:
    made, _text = create_api_key(user=ann, name="robot", may_read=True)
    return made


def page(name: str, key: ApiKey) -> str:
    return reverse(f"admin:accounts_apikey_{name}", args=[key.pk])


def test_the_customer_hears_that_staff_changed_a_key(desk: Client, key: ApiKey, ann: User) -> None:
    form: dict[str, Any] = {"name": "robot", "may_read": "on", "may_order": "on", "may_see_secrets": "on"}

    assert desk.post(page("change", key), form).status_code == 302

    key.refresh_from_db()
    assert key.may_order
    [letter] = letters_to(ann.email)
    assert "The shop's staff changed what your API key robot may do." in letter
    assert "127.0.0.1" not in letter  # where staff works stays with the shop
    assert desk.post(page("change", key), form).status_code == 302  # as it is
    assert len(letters_to(ann.email)) == 1


@pytest.mark.parametrize(
    ("button", "told"),
    [
        ("rotate", "The shop's staff replaced your API key by a new one: robot."),
        ("revoke", "The shop's staff revoked your API key robot."),
    ],
)
def test_the_customer_hears_that_staff_replaced_or_revoked_a_key(
    desk: Client, key: ApiKey, ann: User, button: str, told: str
) -> None:
    assert desk.post(page(button, key), {**SUBMITTED, "hours": "0"}).status_code == 302

    [letter] = letters_to(ann.email)
    assert told in letter


def test_the_customer_hears_that_staff_made_a_key(sam: User, ann: User) -> None:
    form = {"user": ann.pk, "name": "theirs", "may_read": "on"}

    assert at_the_admin(sam).post(reverse("admin:accounts_apikey_add"), form).status_code == 302

    [letter] = letters_to(ann.email)
    assert "The shop's staff made you an API key: theirs." in letter
