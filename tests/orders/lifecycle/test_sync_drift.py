"""What syncs cannot use, and types nobody can order: counted with an example, mapped with one click."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import MappedType, OrderForm, Service
from catalog.sync.sync_catalog import sync_catalog
from notifications.models import Notice
from orders.fulfilment.poll import poll_due
from orders.models import ContractDrift, Order
from tests.clock import stopped_at

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def sync(client_upstream: Any) -> Callable[..., Any]:
    began = timezone.now()

    def run(hours: float = 0) -> Any:
        return sync_catalog(client=client_upstream, now=began + timedelta(hours=hours))

    return run


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


def test_sync_when_a_type_is_unknown_counts_it_with_an_example_and_mails_nobody(sync: Any, sandbox: Any) -> None:
    sync()

    drift = ContractDrift.objects.get(subject="service_type")
    assert (drift.text, drift.sample["service"], drift.settled_at) == ("Poll", 4, None)
    assert not Notice.objects.exists()


@pytest.mark.parametrize("later_spelling", ["Poll", " POLL ", "Po\u200bll"])
def test_map_type_makes_all_services_of_it_orderable_now_and_later(
    sync: Any, sandbox: Any, desk: Client, later_spelling: str
) -> None:
    sync()
    drift = ContractDrift.objects.get(subject="service_type")
    assert Service.objects.get(upstream_id=4).order_form == OrderForm.UNKNOWN

    desk.post(reverse("admin:orders_contractdrift_map_type", args=[drift.pk]), {**SUBMITTED, "order_form": "quantity"})

    drift.refresh_from_db()
    assert drift.settled_at is not None
    assert Service.objects.get(upstream_id=4).order_form == OrderForm.QUANTITY
    sandbox.add_service(service=9001, category="Telegram", type=later_spelling)
    sandbox.set_service(4, type="Subscriptions")
    sync(1)
    assert Service.objects.get(upstream_id=9001).order_form == OrderForm.QUANTITY
    # What was mapped is the type, not the service.
    assert Service.objects.get(upstream_id=4).order_form == OrderForm.UNKNOWN
    assert ContractDrift.objects.get(subject="service_type", settled_at=None).text == "Subscriptions"


def test_mapped_type_when_staff_deletes_it_counts_no_more(sync: Any, sandbox: Any, desk: Client) -> None:
    sync()
    desk.post(reverse("admin:catalog_mappedtype_add"), {"type": "poll", "order_form": "quantity"})
    assert Service.objects.get(upstream_id=4).order_form == OrderForm.QUANTITY

    desk.post(reverse("admin:catalog_mappedtype_delete", args=[MappedType.objects.get().pk]), {"post": "yes"})

    assert Service.objects.get(upstream_id=4).order_form == OrderForm.UNKNOWN


def test_sync_when_rows_are_set_aside_counts_them_by_field_and_shows_the_example(
    sync: Any, sandbox: Any, desk: Client, settings: Any
) -> None:
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 50
    sync()
    for service_id in (1, 2):
        sandbox.set_service(service_id, rate="1_000")
    sync(1)
    sync(2)

    drift = ContractDrift.objects.get(subject="set_aside")
    assert (drift.text, drift.times, drift.sample["row"]) == ("services: rate", 4, "1")
    page = desk.get(reverse("admin:orders_contractdrift_changelist")).content.decode()
    assert "services: rate" in page
    assert "not an amount of money" in page


def test_rows_set_aside_once_reviewed_stay_so_until_they_had_gone(
    sync: Any, sandbox: Any, desk: Client, settings: Any
) -> None:
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 50
    sandbox.set_service(1, rate="0,50")
    sync()
    drift = ContractDrift.objects.get(subject="set_aside")
    desk.post(reverse("admin:orders_contractdrift_seen", args=[drift.pk]), SUBMITTED)

    sync(1)
    drift.refresh_from_db()
    assert drift.settled_at is not None

    sync(48)
    drift.refresh_from_db()
    assert drift.settled_at is None


def test_poll_when_an_answer_cannot_be_read_counts_it_with_the_order(
    sent_order: Order, client_upstream: Any, sandbox: Any
) -> None:
    sandbox.fail_next("garbage", action="status", times=3, text=json.dumps({"charge": "1"}))

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=1)))

    drift = ContractDrift.objects.get(subject="unreadable")
    assert "`status` is missing" in drift.text
    assert drift.sample == {"kind": "service", "order": sent_order.pk}


def test_poll_when_upstream_complains_about_limits_goes_on_where_it_was(
    sent_order: Order, client_upstream: Any, sandbox: Any
) -> None:
    sandbox.fail_next("refuse", action="status", times=1, text="Rate limit exceeded", status=200)
    sandbox.set_order(sent_order.upstream_id, status="Completed")

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=1)))

    sent_order.refresh_from_db()
    assert sent_order.status == "completed"


def test_poll_when_upstream_goes_on_complaining_leaves_the_order_due(
    sent_order: Order, client_upstream: Any, sandbox: Any
) -> None:
    sandbox.fail_next("429", action="status", times=9)
    later = timezone.now() + timedelta(days=1)

    poll_due(kind="service", client=client_upstream, clock=stopped_at(later))

    sent_order.refresh_from_db()
    assert (sent_order.poll_claimed_until, sent_order.next_poll_at <= later) == (None, True)
