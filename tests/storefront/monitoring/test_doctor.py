import json
import time
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from storefront.demo.processes import free_port
from storefront.monitoring.health import HEARTBEAT_KEY
from storefront.tasks import beat_heartbeat

pytestmark = pytest.mark.sqlite

PARTS = [
    *("database", "redis", "upstream", "beat", "clock", "e-mail", "preferences"),
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
    lines = output.getvalue().splitlines()
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

    assert status == 1
    assert [name for name, line in lines.items() if line.startswith("TROUBLE ")] == [part]
    assert text in lines[part]


def test_doctor_when_migrations_are_pending_exits_1(well):
    MigrationRecorder(connection).migration_qs.filter(app="wallet").delete()

    check_trouble("database", "wallet.0001_initial; run manage.py migrate")


def test_doctor_when_the_key_is_wrong_exits_1(well, settings):
    settings.UPSTREAM_KEY = "no-such-key"

    check_trouble("upstream", "Invalid API key")


def test_doctor_when_upstream_is_down_exits_1(well, settings):
    settings.UPSTREAM_URL = f"http://127.0.0.1:{free_port()}/api/v2"

    check_trouble("upstream", "refused")


def test_doctor_when_upstream_is_not_configured_exits_1(well, settings):
    settings.UPSTREAM_URL = ""

    check_trouble("upstream", "UPSTREAM_URL")


def test_doctor_when_the_upstream_balance_is_used_up_exits_1(well):
    well.set_balance("0.00")

    check_trouble("upstream", "the balance is 0.00 USD")


def test_doctor_when_upstream_keeps_another_currency_exits_1(well, settings):
    settings.UPSTREAM_CURRENCY = "EUR"

    check_trouble("upstream", "kept in USD, but UPSTREAM_CURRENCY is EUR")


def test_doctor_when_beat_never_ran_exits_1(well):
    cache.delete(HEARTBEAT_KEY)

    check_trouble("beat", "no sign of beat and a worker")


def test_doctor_when_the_heartbeat_is_old_exits_1(well):
    cache.set(HEARTBEAT_KEY, time.time() - 120)

    check_trouble("beat", "the last heartbeat is 120 s old")


def test_doctor_when_a_queue_has_no_worker_names_it(well):
    cache.delete(f"{HEARTBEAT_KEY}:numbers")

    check_trouble("beat", "a worker for the queues numbers lately")


def test_doctor_when_the_mail_server_is_gone_exits_1(well, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()

    check_trouble("e-mail", "refused")


def test_doctor_when_redis_is_gone_still_looks_at_the_rest(well, settings):
    caches = json.loads(json.dumps(settings.CACHES))
    caches["default"]["LOCATION"] = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = caches

    status, lines = doctor()

    assert status == 1
    trouble = [name for name, line in lines.items() if line.startswith("TROUBLE ")]
    assert trouble == ["redis", "beat", "clock"]
    assert lines["upstream"].startswith("ok ")
