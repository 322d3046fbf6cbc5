"""“Sync now”: a worker begins a run, and its page says how far it has come until it has ended."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import SyncRun
from catalog.sync.heard import tell_of_progress
from catalog.sync.runs import lock_holder_here
from tests.pages import page_words

pytestmark = pytest.mark.django_db
Status = SyncRun.Status
SUBMITTED = {"_form_submitted": "True"}
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def begin(**fields: object) -> SyncRun:
    values = {"kind": SyncRun.Kind.CATALOG, "lock_holder": lock_holder_here(), **fields}
    return SyncRun.objects.create(**values)


def test_sync_now_when_none_runs_then_the_page_waits_for_the_run_and_leads_to_it(desk: Client) -> None:
    older = begin(status=Status.APPLIED)

    pressed = desk.post(reverse("admin:catalog_syncrun_sync_now"), SUBMITTED)

    waits = reverse("admin:catalog_syncrun_begins", args=[older.pk])
    assert pressed["Location"] == waits
    assert "A worker has been asked to sync the services." in page_words(desk.get(waits))
    part = desk.get(waits, **HTMX).content.decode()
    assert part.lstrip().startswith("<section")
    assert 'hx-trigger="every 1s"' in part
    run = begin()
    page = reverse("admin:catalog_syncrun_change", args=[run.pk])
    assert desk.get(waits)["Location"] == page
    assert desk.get(waits, **HTMX)["HX-Redirect"] == page


def test_sync_now_when_one_runs_then_it_leads_to_that_one(desk: Client) -> None:
    run = begin()

    pressed = desk.post(reverse("admin:catalog_syncrun_sync_now"), SUBMITTED, follow=True)

    assert pressed.redirect_chain[-1][0] == reverse("admin:catalog_syncrun_change", args=[run.pk])
    assert "A sync is running already; this is it." in page_words(pressed)


def test_run_page_while_it_goes_on_then_it_says_how_far_it_is_and_when_over_it_is_shown_anew(desk: Client) -> None:
    run = begin()
    progress = tell_of_progress(SyncRun.Kind.CATALOG)
    progress("services", 3, 3)
    progress("subcategories", 1200, 3000)
    address = reverse("admin:catalog_syncrun_progress", args=[run.pk])

    page = page_words(desk.get(reverse("admin:catalog_syncrun_change", args=[run.pk])))
    part = page_words(desk.get(address, **HTMX))

    assert "Asking for the catalog done Asking who is in which subcategory 1,200 of 3,000 Comparing Writing" in page
    assert "1,200 of 3,000" in part
    SyncRun.objects.filter(pk=run.pk).update(status=Status.APPLIED)
    assert desk.get(address, **HTMX)["HX-Refresh"] == "true"
    assert "1,200 of 3,000" not in page_words(desk.get(reverse("admin:catalog_syncrun_change", args=[run.pk])))


def test_sync_now_when_somebody_may_only_look_then_it_is_refused(desk: Client) -> None:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_syncrun"))
    client = Client()
    client.force_login(clerk)

    assert client.post(reverse("admin:catalog_syncrun_sync_now"), SUBMITTED).status_code == 403
    assert client.get(reverse("admin:catalog_syncrun_begins", args=[0])).status_code == 200
