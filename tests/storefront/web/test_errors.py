"""What is read when the database is away or takes too long: words, and when to come back."""

from uuid import uuid4

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.test import Client
from django.urls import reverse

from accounts.long_statements import long_statements
from api.limits import BACK_SOON
from orders.models import Checkout, Order
from storefront.postgresql.limits import LIMITS, Process, startup_options, this_process_is
from storefront.web.errors import broken
from tests.api.conftest import key
from tests.orders.quoting import signed

__all__ = ["key"]

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's limits")


@pytest.fixture
def web_process(transactional_db):
    """Be a web process whose statements take half a second at most."""
    own = connections["default"]
    before = own.settings_dict.get(LIMITS)
    own.settings_dict[LIMITS] = {
        "web": {"statement_timeout": 500, "lock_timeout": 300, "idle_in_transaction_session_timeout": 60_000},
        "worker": {"statement_timeout": 9_000},
    }
    this_process_is(Process.WEB)
    own.close()
    yield
    this_process_is(None)
    own.settings_dict[LIMITS] = before
    own.close()


def shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


@on_postgresql
def test_connections_when_a_process_says_what_it_is_then_they_have_its_limits(web_process):
    assert (shown("statement_timeout"), shown("lock_timeout")) == ("500ms", "300ms")

    this_process_is(Process.WORKER)
    connection.close()
    assert (shown("statement_timeout"), shown("lock_timeout")) == ("9s", "0")

    this_process_is(None)  # a command, a migration
    connection.close()
    assert shown("statement_timeout") == "0"


def test_startup_options_when_a_process_says_nothing_then_there_are_none():
    assert startup_options({"web": {"statement_timeout": 1}}) == ""


@on_postgresql
def test_long_statements_when_they_are_needed_then_the_limit_is_lifted_for_them_alone(web_process):
    with long_statements(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.7)")

    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.7)")


@on_postgresql
def test_a_purchase_when_its_wallet_is_held_for_too_long_then_nothing_is_half_done_and_the_page_says_so(
    web_process, ann, service
):
    browser = Client(raise_request_exception=False)
    browser.force_login(ann)
    form = {
        "quote": signed(ann, service),
        "quantity": "1000",
        "link": "https://instagram.com/ann",
        "request_id": str(uuid4()),
    }
    params = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**params) as other:
        other.execute("SELECT 1 FROM wallet_wallet FOR UPDATE")
        answer = browser.post(reverse("orders:place", args=[service.pk]), form)

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "load the page again" in answer.content.decode()
    assert (Order.objects.count(), Checkout.objects.count()) == (0, 0)
    ann.wallet.refresh_from_db()
    assert ann.wallet.balance_micros == 100_000_000


@on_postgresql
def test_api_when_a_statement_takes_too_long_then_programs_are_told_to_come_back(web_process, ann, service, key):
    params = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**params) as other:
        other.execute("SELECT 1 FROM wallet_wallet FOR UPDATE")
        call = {"key": key, "action": "add", "service": service.pk, "link": "https://x.com/a", "quantity": 100}
        answer = Client().post("/api/v2", call)

    assert answer.json() == {"error": BACK_SOON}
    assert answer["Retry-After"] == "10"


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.django_db
def test_broken_when_it_is_the_database_then_503_else_500(error, rf):
    def answered(raised: Exception) -> int:
        try:
            raise raised
        except Exception:
            return broken(rf.get("/")).status_code

    with transaction.atomic():
        assert answered(error("the connection is closed")) == 503
        assert answered(LookupError("ours")) == 500
