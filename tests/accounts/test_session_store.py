"""How a session is read: as Django reads it, by one statement that the server plans once."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.security.session_store import SessionStore

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


@pytest.fixture
def key() -> str:
    store = SessionStore()
    store["said"] = "hello"
    store.create()
    assert store.session_key is not None
    return store.session_key


def test_session_is_read_with_one_statement(key: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert SessionStore(key)["said"] == "hello"

    assert len(asked) == 1


def test_session_that_is_over_is_none_and_its_key_is_given_up(key: str) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    store = SessionStore(key)

    assert store.get("said") is None
    assert store.session_key is None


@pytest.mark.parametrize("unknown", ["nobody-knows-this-one", "' OR 1=1 --", "ключ-которого-нет"])
def test_key_that_nobody_has_opens_nothing(key: str, unknown: str) -> None:
    store = SessionStore(unknown)

    assert store.get("said") is None
    assert store.session_key is None


def test_session_of_a_customer_ends_with_its_row(client: Client, ann: User) -> None:
    client.force_login(ann)
    assert client.get("/account/").status_code == 200

    Session.objects.all().delete()

    assert client.get("/account/").status_code == 302


@pytest.mark.parametrize("key", ['"\\000aaaaaaaaaaaaaaaaaaaaaaaa"', "a-b", " ", "%00"])
def test_page_with_a_cookie_that_is_no_key_is_a_visitors(client: Client, key: str) -> None:
    """A quoted cookie may stand for any character; this one for a NUL, which no text of PostgreSQL takes."""
    answer = client.get("/accounts/login/", headers={"cookie": f"sessionid={key}"})

    assert answer.status_code == 200
