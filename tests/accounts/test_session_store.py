"""How a session is read: as Django reads it, by one statement that the server plans once."""

from datetime import timedelta

import psycopg
import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
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


def test_save_when_the_row_is_gone_then_it_is_the_session_that_ended(key: str) -> None:
    store = SessionStore(key)
    store["said"] = "more"
    Session.objects.all().delete()

    with pytest.raises(UpdateError):
        store.save()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about a server that has no time")
@pytest.mark.django_db(transaction=True)
def test_save_when_the_database_cannot_then_it_is_the_database_s_fault(key: str) -> None:
    """Else Django would tell the visitor that their request was bad."""
    store = SessionStore(key)
    store["said"] = "more"
    other = psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor})
    with other, connection.cursor() as cursor:
        other.execute("SELECT 1 FROM django_session FOR UPDATE")
        cursor.execute("SET lock_timeout = '100ms'")
        try:
            with pytest.raises(OperationalError):
                store.save()
        finally:
            cursor.execute("RESET lock_timeout")


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
