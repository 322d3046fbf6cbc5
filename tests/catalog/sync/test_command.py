"""`manage.py sync_catalog` and the Celery task."""

import io

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog import tasks
from catalog.management.progress import shown_progress
from catalog.models import Service, SyncRun
from catalog.sync.runs import open_run
from upstream.client import READ_ATTEMPTS
from upstream.sandbox.process import Sandbox

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_sync_catalog_command_says_what_it_did(sandbox: Sandbox) -> None:
    out = io.StringIO()

    call_command("sync_catalog", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0] == "Asking for the catalog: 3 of 3."
    assert lines[-1].startswith("60 services: 60 new, 0 changed, 0 withdrawn, 0 back, 0 set aside; ")
    assert Service.objects.count() == 60


def test_sync_catalog_command_when_rows_are_set_aside_names_them(sandbox: Sandbox) -> None:
    sandbox.set_service(7, rate="0")
    out, err = io.StringIO(), io.StringIO()

    call_command("sync_catalog", stdout=out, stderr=err)

    assert err.getvalue().strip() == "Set aside: service 7: rate is 0"
    assert "59 new" in out.getvalue()


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("balance", '{"error": "Invalid API key"}', "was not synced: Invalid API key"),
        ("services", '{"services": [], "total": 0}', "was not synced: The list of services is empty."),
    ],
)
def test_sync_catalog_command_when_nothing_was_applied_ends_with_an_error(
    sandbox: Sandbox, action: str, body: str, words: str
) -> None:
    sandbox.fail_next("garbage", action=action, text=body)

    with pytest.raises(CommandError, match=words):
        call_command("sync_catalog", stdout=io.StringIO())


def test_sync_catalog_command_without_an_upstream_says_what_is_missing(settings) -> None:
    settings.UPSTREAM_URL = ""

    with pytest.raises(CommandError, match="UPSTREAM_URL"):
        call_command("sync_catalog", stdout=io.StringIO())


def test_shown_progress_on_a_terminal_draws_a_bar_for_each_stage() -> None:
    terminal, out = Terminal(), io.StringIO()

    with shown_progress(out, terminal) as progress:
        progress("services", 3, 3)
        progress("subcategories", 5, 9)

    assert "Asking for the catalog" in terminal.getvalue()
    assert "5/9" in terminal.getvalue()
    assert out.getvalue() == ""


def test_sync_catalog_task_is_the_one_that_beat_sends(sandbox: Sandbox) -> None:
    name = django_settings.CELERY_BEAT_SCHEDULE["sync_catalog"]["task"]

    current_app.tasks[name].apply()

    assert SyncRun.objects.get().added == 60


def test_sync_catalog_task_when_upstream_is_down_leaves_a_failed_run(sandbox: Sandbox) -> None:
    sandbox.fail_rate("500_before", 1)

    tasks.sync_catalog()

    assert SyncRun.objects.get().status == SyncRun.Status.FAILED


def test_sync_catalog_task_when_another_one_runs_leaves_it_alone(sandbox: Sandbox) -> None:
    other = open_run(SyncRun.Kind.CATALOG, now=timezone.now())

    tasks.sync_catalog()

    assert SyncRun.objects.get() == other.row
    assert Service.objects.count() == 0


def test_sync_catalog_in_full_task_asks_for_every_subcategory_again(sandbox: Sandbox) -> None:
    tasks.sync_catalog()
    name = django_settings.CELERY_BEAT_SCHEDULE["sync_catalog_in_full"]["task"]

    current_app.tasks[name].apply()

    last = SyncRun.objects.first()
    assert (last.status, last.read_in_full) == ("unchanged", True)
    assert last.requests > 3


def test_sync_catalog_in_full_task_when_upstream_is_down_tries_again_before_the_next_day(sandbox: Sandbox) -> None:
    sandbox.fail_next("500_before", action="balance", times=READ_ATTEMPTS)

    tasks.sync_catalog_in_full.apply()

    assert list(SyncRun.objects.order_by("id").values_list("status", flat=True)) == ["failed", "applied"]


def test_sync_catalog_in_full_task_when_another_one_never_ends_gives_up(sandbox: Sandbox) -> None:
    other = open_run(SyncRun.Kind.CATALOG, now=timezone.now())

    assert tasks.sync_catalog_in_full.apply().successful()

    assert SyncRun.objects.get() == other.row


def test_sync_catalog_command_in_full_asks_for_every_subcategory(sandbox: Sandbox) -> None:
    call_command("sync_catalog", stdout=io.StringIO())

    call_command("sync_catalog", "--full", stdout=io.StringIO())

    assert list(SyncRun.objects.values_list("read_in_full", flat=True)) == [True, True]
