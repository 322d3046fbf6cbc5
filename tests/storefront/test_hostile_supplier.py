"""The whole shop beside a supplier whose every answer may be damaged: it sells, follows, and its books are right."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from catalog import tasks as catalog_tasks
from catalog.models import Service, SyncRun
from orders import tasks as order_tasks
from orders.fulfilment.pauses import end_pause
from orders.fulfilment.poll import poll_open
from orders.models import ForwardingPause, Kind, Order, Status
from sms import tasks as sms_tasks
from sms.models import Project
from storefront import tasks as shop_tasks
from storefront.demo.setup import confirm_sandbox_units
from tests.walk import walk
from upstream.client import default_client
from upstream.sandbox.process import Sandbox

# Orders are sent from threads, which see what was committed.
pytestmark = [pytest.mark.django_db(transaction=True)]
SYNCS = 8
ROUNDS = 3
# Each is one of the faults that such a supplier's answers may lead to, and is no error of the shop's.
EXPECTED_TROUBLE = (200, 301, 302, 404, 405)


def poll_numbers() -> None:
    """As the task does, which then stays for half a minute in case another one becomes due."""
    poll_open(kind=Kind.NUMBER, client=default_client(), seconds=2, clock=timezone.now)


SYNC_TASKS: list[Callable[[], Any]] = [catalog_tasks.sync_catalog, sms_tasks.sync_sms]
OTHER_TASKS: list[Callable[[], Any]] = [
    order_tasks.forward_orders,
    order_tasks.release_stale_claims,
    order_tasks.poll_orders,
    poll_numbers,
    order_tasks.reconcile_orders,
    order_tasks.follow_losses,
    order_tasks.probe_foreign_ids,
    order_tasks.resume_forwarding,
    order_tasks.check_upstream_balance,
    order_tasks.review_held_orders,
    order_tasks.place_pending_checkouts,
    sms_tasks.count_success_rates,
    sms_tasks.replace_numbers,
    shop_tasks.audit_books,
]


@pytest.fixture(params=[1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def hostile(request: pytest.FixtureRequest, sandbox: Sandbox, settings: Any) -> Sandbox:
    """A supplier whose answers are damaged from the first one on; everything it does ends within seconds."""
    sandbox.reset(services=60, seed=request.param, balance="1000.00", speed=60)
    sandbox.set(profiles=["hostile"], number_lifetime_seconds=600, code_delay_seconds=30)
    settings.ORDERS_POLL_MIN_SECONDS = settings.ORDERS_POLL_RETRY_SECONDS = settings.SMS_POLL_SECONDS = 0.01
    settings.ORDERS_WAKE_SECONDS = 0  # nobody hears the wake-ups here
    return sandbox


@pytest.fixture
def complaints(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What was logged with an exception: a task that swallows one has failed all the same."""
    caplog.set_level(logging.WARNING)
    found: list[str] = []
    yield found
    found += [record.getMessage() for record in caplog.records if record.exc_info]
    assert found == []


def sync_until_there_is_a_catalog() -> None:
    for _each in range(SYNCS):
        for task in SYNC_TASKS:
            task()
        if Service.objects.exists() and Project.objects.exists():
            return
    raise AssertionError(list(SyncRun.objects.values_list("kind", "status", "error")))


def buy(client: Client, key: str) -> None:
    """Order of everything a little; what is refused is refused in words."""
    services = Service.objects.on_sale().order_by("pk")[:12]
    for service in services:
        link = "ann@example.com" if service.category.delivery == "email" else "https://example.com/me"
        fields = {"service": service.pk, "quantity": service.min_quantity, "link": link}
        if service.type == "Custom Comments":
            fields["comments"] = "\n".join(f"fine {number}" for number in range(min(service.min_quantity, 1000)))
        said = json.loads(client.post("/api/v2", {"key": key, "action": "add", **fields}).content)
        assert set(said) in ({"order"}, {"error"}), said
    for project in Project.objects.on_sale().order_by("pk")[:6]:
        said = json.loads(client.post("/api/v2", {"key": key, "action": "add_sms", "project_id": project.pk}).content)
        assert set(said) in ({"orders"}, {"error"}), said


def play(tasks: list[Callable[[], Any]], rounds: int, *, actor: User) -> None:
    """Let everything that beat would ask for happen, again and again, without waiting; staff ends what it paused."""
    for _each in range(rounds):
        for pause in ForwardingPause.objects.filter(ended_at=None):
            end_pause(pause.pk, now=timezone.now(), actor=actor)
        Order.objects.filter(next_poll_at__isnull=False).update(next_poll_at=timezone.now())
        for task in tasks:
            task()


def test_shop_when_every_answer_may_be_damaged_serves_every_page_and_its_books_add_up(
    hostile: Sandbox, ann: User, sam: User, complaints: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sync_until_there_is_a_catalog()
    confirm_sandbox_units()
    key = create_api_key(user=ann, name="robot")[1]
    customer, desk = Client(), Client()
    customer.force_login(ann)
    desk.force_login(sam)

    buy(customer, key)
    play(OTHER_TASKS, ROUNDS, actor=sam)
    for task in SYNC_TASKS:
        task()
    buy(customer, key)
    play(OTHER_TASKS, ROUNDS, actor=sam)
    pages = walk(customer, "/", "/sms/", "/orders/", of_a_kind=2) | walk(desk, "/admin/", of_a_kind=1)

    assert {address: status for address, status in pages.items() if status not in EXPECTED_TROUBLE} == {}
    assert len(pages) > 80
    # Once the supplier speaks clearly again, everything that is known comes right by itself.
    hostile.set(profiles=[])
    play(OTHER_TASKS, 4, actor=sam)
    assert hostile.books()["adds_up"] is True
    assert len(hostile.orders) > 10
    done = Order.objects.filter(status=Status.COMPLETED)
    assert done.filter(kind=Kind.SERVICE).exists()
    assert done.filter(kind=Kind.NUMBER).exists()
    # What upstream has is known, or it is being looked for.
    known = set(Order.objects.exclude(upstream_id=None).values_list("upstream_id", flat=True))
    assert known <= {str(placed["id"]) for placed in hostile.orders}
    call_command("audit")
    assert "the books add up" in capsys.readouterr().out
