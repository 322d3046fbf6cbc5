"""Pages saved while a sync, a rule or a job writes: nobody undoes what another has written."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, ImportRule, Service
from catalog.pricing.repricing import lock_prices, reprice_services
from jobs.models import StaffJob
from jobs.run import run_jobs
from tests.storefront.admin_rows import make_service

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time"),
    pytest.mark.django_db(transaction=True),
]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def service(db: None) -> Service:
    """A service that costs 1.50 and is priced."""
    made = make_service(1)
    reprice_services(now=timezone.now())
    return made


def filled(desk: Client, page: str, **typed: str) -> dict[str, Any]:
    """Return what a browser would post of this page, after something was typed."""
    data = {}
    for bound in desk.get(page).context["adminform"].form:
        value = bound.value()
        if value is True:
            data[bound.html_name] = "on"
        elif value is not None and value is not False:
            data[bound.html_name] = value
    return {**data, **typed}


def until_somebody_waits() -> None:
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)


def beside(write: Callable[[], Any], act: Callable[[], Any], look: Callable[[], Any] | None = None) -> Any:
    """Act while another transaction, which holds the lock on prices, writes; it looks and ends once somebody waits."""
    begun = threading.Event()

    def sync() -> None:
        try:
            with transaction.atomic():
                lock_prices()
                write()
                begun.set()
                until_somebody_waits()
                if look:
                    look()
        finally:
            begun.set()
            connection.close()

    other = threading.Thread(target=sync)
    other.start()
    begun.wait()
    try:
        return act()
    finally:
        other.join()


@pytest.mark.parametrize("typed", [{"description": "better words"}, {"rate_override_micros": "2"}, {"position": "4"}])
def test_service_when_it_is_saved_while_a_sync_writes_then_both_are_kept(
    desk: Client, service: Service, typed: dict[str, str]
) -> None:
    page = reverse("admin:catalog_service_change", args=[service.pk])
    data, now = filled(desk, page, **typed), timezone.now()
    synced = {"rate_upstream_micros": 9_000_000, "withdrawn_at": now, "visible": False, "left_out": True}
    named = {"translated_names": {"ru": "Имя"}, "stock": 0}

    beside(lambda: Service.objects.filter(pk=service.pk).update(**synced, **named), lambda: desk.post(page, data))

    assert Service.objects.values(*synced, *named).get() == {**synced, **named}
    [(field, value)] = typed.items()
    saved = getattr(Service.objects.get(), field)
    assert str(saved) == (value if field != "rate_override_micros" else "2000000")


def test_service_when_a_rule_comes_while_it_is_shown_then_it_stays_hidden(desk: Client, service: Service) -> None:
    Service.objects.update(visible=False)
    page = reverse("admin:catalog_service_change", args=[service.pk])
    data = filled(desk, page, visible="on", description="better words")

    beside(lambda: ImportRule.objects.create(outcome=ImportRule.Outcome.LEAVE), lambda: desk.post(page, data))

    saved = Service.objects.get()
    assert (saved.visible, saved.description) == (False, "better words")


@pytest.mark.parametrize("typed", [{"position": "4"}, {"rate_per": "1"}])
def test_category_when_it_is_saved_while_others_write_then_both_are_kept(
    desk: Client, service: Service, typed: dict[str, str]
) -> None:
    page = reverse("admin:catalog_category_change", args=[service.category_id])
    data, now = filled(desk, page, **typed), timezone.now()
    written = {"vault_proved_at": now, "translated_names": {"ru": "Имя"}, "visible": False}
    written |= {} if "rate_per" in typed else {"rate_confirmed_at": now}

    beside(lambda: Category.objects.filter(pk=service.category_id).update(**written), lambda: desk.post(page, data))

    assert Category.objects.values(*written).get() == written
    [(field, value)] = typed.items()
    assert str(getattr(Category.objects.get(), field)) == value


def test_services_when_they_are_shown_against_a_rule_of_just_now_then_they_are_never_on_sale(
    desk: Client, service: Service
) -> None:
    Service.objects.update(visible=False)
    action = {"action": "show", "_selected_action": [service.pk]}
    on_sale: list[int] = []

    beside(
        lambda: ImportRule.objects.create(outcome=ImportRule.Outcome.LEAVE),
        lambda: desk.post(reverse("admin:catalog_service_changelist"), action),
        look=lambda: on_sale.append(Service.objects.filter(visible=True).count()),
    )

    assert (on_sale, Service.objects.filter(visible=True).count()) == ([0], 0)


def test_edit_when_a_colleague_saves_a_service_meanwhile_then_the_worker_waits_and_leaves_it(
    desk: Client, service: Service
) -> None:
    fields = {"visible": "hide"}
    seen = desk.post(reverse("admin:catalog_service_edit"), {**fields, "_preview": "1"})
    apply = {**fields, "_apply": "1", "previewed": seen.context["fingerprint"]}
    desk.post(reverse("admin:catalog_service_edit"), apply)
    begun = threading.Event()

    def colleague() -> None:
        """Write without the lock on prices, as a sync of names does."""
        try:
            with transaction.atomic():
                Service.objects.filter(pk=service.pk).update(visible=False)
                begun.set()
                until_somebody_waits()
        finally:
            begun.set()
            connection.close()

    other = threading.Thread(target=colleague)
    other.start()
    begun.wait()
    run_jobs(clock=timezone.now, seconds=20)
    other.join()

    assert [one["text"] for one in StaffJob.objects.get().problems] == ["It has been changed since."]
