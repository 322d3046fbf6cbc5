"""Numbers over the API: bought and fetched within the call, read by their owner only."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from api.actions.sms import ANSWER_WITHIN_SECONDS
from catalog.models import Service
from orders.fulfilment.poll import poll_due
from orders.fulfilment.thread_pool import end_idle
from orders.models import ForwardingPause, Kind, Order, Status
from sms.models import Country, Number, Project
from tests.api.conftest import Call
from tests.storefront.admin_rows import make_order
from tests.workers import wait_for
from upstream.client import Client
from wallet.models import LedgerEntry, Wallet
from wallet.operations import credit

# The numbers are fetched by threads of their own, which have to see what the call has committed.
pytestmark = pytest.mark.django_db(transaction=True)
PRICE = 625_000  # 0.50 and the markup of 25 %


@pytest.fixture
def project(sandbox: Any, client_upstream: Client, transactional_db: None) -> Project:
    """The document's own example: OpenAI / ChatGPT in the United States at 0.5000."""
    row = next(row for row in client_upstream.sms_projects(country="us") if row.name == "OpenAI / ChatGPT")
    country = Country.objects.create(code=row.country_id, name="United States")
    return Project.objects.create(
        upstream_id=row.project_id, country=country, name=row.name, price_upstream_micros=500_000
    )


def test_sms_countries_when_asked_then_only_those_with_numbers_are_listed(call: Call, project: Project) -> None:
    Country.objects.create(code="gb", name="United Kingdom")

    assert call("sms_countries") == [{"country_code": "us", "country_name": "United States"}]


def test_sms_projects_when_asked_then_the_price_is_ours_with_four_decimals(call: Call, project: Project) -> None:
    gb = Country.objects.create(code="gb", name="United Kingdom")
    Project.objects.create(upstream_id="x", country=gb, name="Telegram", price_upstream_micros=123_400)
    Project.objects.create(upstream_id="y", country=gb, name="Hidden", price_upstream_micros=1, visible=False)

    assert call("sms_projects", country="us") == [
        {
            "project_id": str(project.pk),
            "name": "OpenAI / ChatGPT",
            "price": "0.6250",
            "country_id": "us",
            "country_title": "United States",
        }
    ]
    assert [row["price"] for row in call("sms_projects")] == ["0.6250", "0.1543"]
    assert call("sms_projects", country="fr") == []


def test_add_sms_when_upstream_has_numbers_then_the_answer_has_them(
    call: Call, project: Project, sandbox: Any, ann: User
) -> None:
    answer = call("add_sms", project_id=project.pk, quantity=3, country="us")

    placed = {order["phone"]: order for order in sandbox.orders}
    assert len(placed) == 3
    assert [set(row) for row in answer["orders"]] == [{"order", "phone", "country", "status"}] * 3
    assert {row["phone"] for row in answer["orders"]} == set(placed)
    assert {(row["country"], row["status"]) for row in answer["orders"]} == {("us", "active")}
    assert {row["order"] for row in answer["orders"]} == set(ann.orders.values_list("pk", flat=True))
    assert call("balance")["balance"] == "98.125"


def test_add_sms_when_upstream_has_fewer_than_asked_then_the_rest_is_refunded(
    call: Call, project: Project, sandbox: Any
) -> None:
    sandbox.set_project(project.upstream_id, available=2)

    answer = call("add_sms", project_id=project.pk, quantity=3)

    assert len(answer["orders"]) == 2
    assert call("balance")["balance"] == "98.75"


def test_add_sms_when_upstream_has_none_then_all_is_refunded_and_the_error_says_so(
    call: Call, project: Project, sandbox: Any
) -> None:
    sandbox.set_project(project.upstream_id, available=0)

    assert call("add_sms", project_id=project.pk) == {"error": "No numbers available"}
    assert call("balance")["balance"] == "100.00"
    assert Order.objects.get().status == Status.FAILED


def test_add_sms_when_it_is_repeated_with_its_request_id_then_it_buys_once(
    call: Call, project: Project, sandbox: Any
) -> None:
    first = call("add_sms", project_id=project.pk, quantity=2, request_id="mine-1")
    Project.objects.filter(pk=project.pk).update(visible=False)

    assert call("add_sms", project_id=project.pk, quantity=2, request_id="mine-1") == first
    assert len(sandbox.orders) == 2


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"project_id": ""}, "Project ID is required"),
        ({"project_id": "99999"}, "Project not found"),
        ({"project_id": "65f00"}, "Project not found"),
        ({"country": "gb"}, "Project not found"),
        ({"quantity": "0"}, "Quantity must be between 1 and 10"),
        ({"quantity": "11"}, "Quantity must be between 1 and 10"),
        ({"quantity": "two"}, "Invalid quantity"),
        ({"phone": "+15550001"}, "Phone number is not available"),
    ],
)
def test_add_sms_when_a_value_is_wrong_then_the_error_says_which(
    call: Call, project: Project, asked: dict, error: str
) -> None:
    assert call("add_sms", **{"project_id": project.pk, **asked}) == {"error": error}
    assert Order.objects.count() == 0


def test_add_sms_when_the_project_is_hidden_or_money_is_short_or_we_pause_then_nothing_is_sold(
    call: Call, project: Project, ann: User
) -> None:
    asked = {"project_id": project.pk}
    pause = ForwardingPause.objects.create(reason="admin")
    assert call("add_sms", **asked) == {"error": "No numbers available"}
    pause.delete()

    Wallet.objects.filter(user=ann).update(balance_micros=624_900)
    assert call("add_sms", **asked) == {"error": "Insufficient balance"}

    Project.objects.filter(pk=project.pk).update(visible=False)
    assert call("add_sms", **asked) == {"error": "Project not found"}


def test_add_sms_when_no_upstream_is_configured_then_the_number_is_listed_as_pending(
    call: Call, project: Project, settings: Any
) -> None:
    settings.UPSTREAM_URL = ""

    answer = call("add_sms", project_id=project.pk)

    order = Order.objects.get()
    assert answer == {"orders": [{"order": order.pk, "phone": "", "country": "us", "status": "pending"}]}


def test_add_sms_when_one_number_breaks_our_own_code_then_it_is_logged_and_the_others_are_answered(
    call: Call, project: Project, sandbox: Any, ann: User, caplog: Any
) -> None:
    sandbox.set_project(project.upstream_id, available=0)
    first = make_order(ann, status=Status.CANCELED).pk + 1
    # Somebody has used the reference of the first one's refund: giving its money back fails.
    taken = f"order:{first}:refund:{PRICE}"
    credit(user=ann, amount_micros=1, kind=LedgerEntry.Kind.ADJUSTMENT, reference=taken)
    began = time.monotonic()

    answer = call("add_sms", project_id=project.pk, quantity=2)

    assert answer == {"orders": [{"order": first, "phone": "", "country": "us", "status": "pending"}]}
    assert Order.objects.get(pk=first + 1).status == Status.FAILED  # refunded as usual
    assert time.monotonic() - began < ANSWER_WITHIN_SECONDS
    [record] = [record for record in caplog.records if "number_not_forwarded" in record.getMessage()]
    assert f"'order_id': {first}" in record.getMessage()
    assert record.exc_info is not None


def test_reading_when_the_code_comes_then_both_actions_have_it(
    call: Call, project: Project, sandbox: Any, client_upstream: Client
) -> None:
    [row] = call("add_sms", project_id=project.pk)["orders"]
    assert call("sms_code", order=row["order"]) == {"status": "waiting", "message": "Waiting for code"}
    before = call("sms_status", order=row["order"])
    assert (before["status"], before["phone"], before["code"]) == ("active", row["phone"], None)

    sandbox.deliver_code(sandbox.orders[0]["id"], "123456", "Your code is 123456")
    Order.objects.update(next_poll_at=datetime(2020, 1, 1, tzinfo=UTC))
    poll_due(kind=Kind.NUMBER, client=client_upstream, clock=timezone.now)

    assert call("sms_code", order=row["order"]) == {
        "status": "completed",
        "code": "123456",
        "sms_content": "Your code is 123456",
    }
    after = call("sms_status", order=row["order"])
    expires_at = datetime.fromisoformat(after.pop("expires_at"))
    assert expires_at > datetime.now(UTC)
    assert after == {
        "status": "code_received",
        "phone": row["phone"],
        "code": "123456",
        "sms_content": "Your code is 123456",
        "charge": "0.6250",
        "currency": "USD",
    }


def test_sms_status_when_the_number_has_expired_then_the_charge_is_what_was_kept(
    call: Call, project: Project, ann: User
) -> None:
    order = make_order(ann, status=Status.CANCELED, refunded_micros=187_500)
    expires_at = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
    Number.objects.create(order=order, project=project, state="expired", phone="+1555", expires_at=expires_at)

    assert call("sms_status", order=order.pk) == {
        "status": "expired",
        "phone": "+1555",
        "code": None,
        "charge": "0.0000",
        "currency": "USD",
        "expires_at": "2026-01-02T03:04:05.678Z",
    }
    assert call("sms_code", order=order.pk) == {"status": "expired", "message": "Number is expired"}


def test_sms_code_when_the_order_is_a_service_then_it_is_not_found(call: Call, ann: User, service: Any) -> None:
    order = make_order(ann, service=service)

    assert call("sms_code", order=order.pk) == {"error": "Order not found"}
    assert call("sms_status", order=order.pk) == {"error": "Order not found"}


# on PostgreSQL: SQLite keeps closed files open as long as the process holds a lock
def test_add_sms_when_threads_have_fetched_then_their_connections_go_with_them(call: Call, project: Project) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL can count its connections")
    call("balance")
    before = _connections()  # those of other tests' threads, should one still be ending, are not this test's business

    call("add_sms", project_id=project.pk, quantity=5)

    end_idle()  # as each does by itself when it has had no work for a while
    # The server takes a moment to notice that a connection was closed.
    wait_for(lambda: _connections() <= before, "no connection of a thread that fetched is left")


def _connections() -> set[int]:
    """The server's processes, one for each connection."""
    with connection.cursor() as cursor:
        # Of programs, and no autovacuum.
        mine = "datname = current_database() AND backend_type = 'client backend'"
        cursor.execute(f"SELECT pid FROM pg_stat_activity WHERE {mine}")  # noqa: S608 - our own words
        return {pid for (pid,) in cursor.fetchall()}


def test_status_when_it_is_asked_about_a_number_then_there_is_no_such_order(
    call: Call, project: Project, service: Service, ann: User
) -> None:
    """As upstream: another shop takes an answer as proof that an order of a service is there."""
    service_order = make_order(ann, service=service)
    [row] = call("add_sms", project_id=project.pk)["orders"]
    both = f"{service_order.pk},{row['order']}"

    assert call("status", order=row["order"]) == {"error": "Order not found"}
    answers = call("status", orders=both)
    assert answers[str(row["order"])] == {"error": "Order not found"}
    assert answers[str(service_order.pk)]["status"] == "Pending"
    assert call("sms_status", order=row["order"])["phone"] == row["phone"]
    assert call("sms_status", order=service_order.pk) == {"error": "Order not found"}
