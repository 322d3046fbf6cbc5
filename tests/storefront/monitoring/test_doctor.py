import json
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_redis import get_redis_connection

from storefront.demo.processes import free_port
from storefront.models import Backup, ScheduledJob
from storefront.monitoring import doctor as doctors
from storefront.monitoring import shared_counts
from storefront.monitoring.health import HEARTBEAT_KEY
from storefront.monitoring.remedies import REMEDIES
from storefront.monitoring.scheduled_jobs import know_jobs, note_end, note_figures
from storefront.tasks import beat_heartbeat
from upstream.client import default_client

pytestmark = pytest.mark.sqlite

PARTS = [
    *("database", "connections", "replica"),
    *("redis", "upstream", "beat", "jobs", "audit", "limits", "clock", "e-mail", "preferences", "backups"),
    *("proxy", "https", "staff", "role", "static", "visits", "store", "catalog", "markup", "payments"),
]


def doctor(*arguments: str) -> tuple[int, dict[str, str]]:
    """Run the command and return its exit status and the rest of each part's line."""
    output = StringIO()
    status = 0
    try:
        call_command("doctor", *arguments, stdout=output, no_color=True)
    except SystemExit as end:
        status = end.code
    lines = [line for line in output.getvalue().splitlines() if not line.startswith(" ")]  # those say what to do
    return status, dict(line.split(maxsplit=1) for line in lines)


@pytest.fixture
def well(sandbox, db):
    """A shop in which nothing is wrong."""
    beat_heartbeat()
    return sandbox


def test_doctor_when_all_is_well_says_so_and_exits_0(well):
    status, lines = doctor()

    assert status == 0, lines
    assert list(lines) == PARTS
    assert all(line.startswith("ok ") for line in lines.values())
    assert "balance 1000.00 USD" in lines["upstream"]


def test_doctor_when_asked_for_one_part_looks_at_it_alone(well):
    status, lines = doctor("--only", "beat")

    assert (status, list(lines)) == (0, ["beat"])


def check_trouble(part: str, text: str) -> None:
    status, lines = doctor()

    assert status == 2
    assert [name for name, line in lines.items() if line.startswith("TROUBLE ")] == [part]
    assert text in lines[part]


def test_doctor_when_migrations_are_pending_exits_2(well):
    MigrationRecorder(connection).migration_qs.filter(app="wallet").delete()

    check_trouble("database", "wallet.0001_initial; run manage.py migrate")


def test_doctor_when_the_key_is_wrong_exits_2(well, settings):
    settings.UPSTREAM_KEY = "no-such-key"

    check_trouble("upstream", "Invalid API key")


def test_doctor_when_upstream_is_down_exits_2(well, settings):
    settings.UPSTREAM_URL = f"http://127.0.0.1:{free_port()}/api/v2"

    check_trouble("upstream", "refused")


def test_doctor_when_upstream_is_not_configured_exits_2(well, settings):
    settings.UPSTREAM_URL = ""

    check_trouble("upstream", "UPSTREAM_URL")


def test_doctor_when_the_upstream_balance_is_used_up_exits_2(well):
    well.set_balance("0.00")

    check_trouble("upstream", "the balance is 0.00 USD")


def test_doctor_when_upstream_keeps_another_currency_exits_2(well, settings):
    settings.UPSTREAM_CURRENCY = "EUR"

    check_trouble("upstream", "kept in USD, but UPSTREAM_CURRENCY is EUR")


def test_doctor_when_beat_never_ran_exits_2(well):
    cache.delete(HEARTBEAT_KEY)

    check_trouble("beat", "no sign of beat and a worker")


def test_doctor_when_the_heartbeat_is_old_exits_2(well):
    cache.set(HEARTBEAT_KEY, time.time() - 120)

    check_trouble("beat", "the last heartbeat is 120 s old")


def test_doctor_when_a_queue_has_no_worker_names_it(well):
    cache.delete(f"{HEARTBEAT_KEY}:numbers")

    check_trouble("beat", "a worker for the queues numbers lately")


def test_doctor_when_the_mail_server_is_gone_exits_2(well, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()

    check_trouble("e-mail", "refused")


def test_doctor_when_redis_is_gone_still_looks_at_the_rest(well, settings):
    caches = json.loads(json.dumps(settings.CACHES))
    caches["default"]["LOCATION"] = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = caches

    status, lines = doctor()

    assert status == 2
    trouble = [name for name, line in lines.items() if line.startswith("TROUBLE ")]
    assert trouble == ["redis", "beat", "clock"]
    assert lines["upstream"].startswith("ok ")


def check_warning(part: str, text: str) -> None:
    status, lines = doctor()

    assert status == 1
    assert [name for name, line in lines.items() if not line.startswith("ok ")] == [part]
    assert lines[part].startswith("WARNING ")
    assert text in lines[part]


def begun(role: str, seconds_ago: float) -> None:
    told = {"role": role, "began_at": time.time() - seconds_ago, "seen_at": time.time(), "memory_bytes": 1}
    get_redis_connection("default").hset(shared_counts.PROCESSES, f"{role}:host:1", json.dumps(told))


def test_doctor_when_beat_has_just_begun_warns_and_says_when_to_ask_again(well):
    cache.delete(HEARTBEAT_KEY)
    begun("beat", 3)

    check_warning("beat", "started 3 s ago, the first heartbeat is due within 10 s")


def test_doctor_when_a_worker_has_just_begun_again_forgives_the_old_heartbeat(well):
    cache.set(HEARTBEAT_KEY, time.time() - 120)
    begun("worker", 3)

    check_warning("beat", "started 3 s ago")


def test_doctor_when_only_web_has_begun_does_not_forgive_an_old_heartbeat(well):
    cache.set(HEARTBEAT_KEY, time.time() - 120)
    begun("web", 3)

    check_trouble("beat", "the last heartbeat is 120 s old")


def test_doctor_when_everything_began_long_ago_and_no_heartbeat_came_says_trouble(well):
    cache.delete(HEARTBEAT_KEY)
    begun("beat", 60)
    begun("web", 60)

    check_trouble("beat", "no sign of beat and a worker")


def test_doctor_when_cleaning_up_failed_warns_and_later_says_trouble(well):
    know_jobs()
    note_end("storefront.tasks.forget_old_rows", succeeded=True)
    note_end("storefront.tasks.forget_old_rows", succeeded=False)

    check_warning("jobs", "failed the last time: forget_old_rows")

    ScheduledJob.objects.filter(name="forget_old_rows").update(succeeded_at=timezone.now() - timedelta(hours=4))
    check_trouble("jobs", "not done in time: forget_old_rows (4 hours)")

    begun("beat", 60)  # it had been away, and catches up
    check_warning("jobs", "not done in time: forget_old_rows (4 hours)")


def test_doctor_when_jobs_ran_says_when_old_rows_were_cleaned_up(well):
    know_jobs()
    note_end("storefront.tasks.forget_old_rows", succeeded=True)

    assert "seldom jobs are in time; old rows were cleaned up 1 minute ago" in doctor("--only", "jobs")[1]["jobs"]


def test_doctor_when_the_audit_found_something_says_what_to_run(well):
    know_jobs()
    note_end("storefront.tasks.audit_books", succeeded=True)
    assert "the books added up" in doctor("--only", "audit")[1]["audit"]

    note_figures("audit_books", problems=2)

    check_trouble("audit", "the audit found 2 problems")


def test_doctor_when_purchases_wait_for_the_limit_names_it(well, settings):
    settings.UPSTREAM_MAX_PER_SECOND = 7
    default_client().limiter.note_held_back()

    check_warning("limits", "UPSTREAM_MAX_PER_SECOND=7")


def test_doctor_when_asked_by_a_program_answers_in_json(well):
    cache.delete(HEARTBEAT_KEY)
    output = StringIO()

    with pytest.raises(SystemExit) as end:
        call_command("doctor", "--json", stdout=output)

    found = {finding["part"]: finding for finding in json.loads(output.getvalue())}
    assert (end.value.code, list(found)) == (2, PARTS)
    assert found["redis"]["severity"] == "ok"
    assert (found["beat"]["severity"], found["redis"]["remedy"]) == ("trouble", "")
    assert found["beat"]["remedy"].startswith("Start beat and the workers")


def test_doctor_knows_what_to_do_about_each_part():
    assert set(REMEDIES) == set(doctors.PARTS)


# --- Backups --------------------------------------------------------------------------------------------------------
def backup(hours: float, **fields: Any) -> Backup:
    at = timezone.now() - timedelta(hours=hours)
    return Backup.objects.create(started_at=at, finished_at=at, name="x.age", place="/backups", **fields)


def test_doctor_when_a_backup_is_young_says_how_large_it_is_and_where(well):
    backup(2, verified_at=timezone.now(), size_bytes=5_000_000)

    assert doctor("--only", "backups") == (
        0,
        {"backups": "ok       2.0 hours ago, 4.8\xa0MB, at /backups, read again"},
    )


def test_doctor_when_backups_stopped_says_how_old_the_last_is_and_why(well):
    backup(40, verified_at=timezone.now(), size_bytes=1)
    backup(1, error="No room is left at /backups")

    check_trouble("backups", "the last good one is 40.0 hours old, at /backups No room is left")


def test_doctor_when_strangers_reach_a_shop_without_backups_says_what_to_set(well, settings):
    settings.SITE_URL = "https://shop.example.com"

    status, lines = doctor("--only", "backups")

    assert (status, "set BACKUP_TO and BACKUP_RECIPIENTS" in lines["backups"]) == (2, True)
