"""The page that Prometheus reads: what it says, what it costs, and what becomes of it when a part is away."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from notifications.outbox import tell_admins, tell_customer
from orders.fulfilment.forward import forward_order
from orders.fulfilment.pauses import pause_forwarding
from orders.models import ForwardingPause
from storefront.demo.processes import free_port
from storefront.metrics import page
from storefront.monitoring.alerts import audit_and_tell
from storefront.monitoring.scheduled_jobs import know_jobs, note_end
from storefront.tasks import beat_heartbeat
from tests.orders.conftest import place

pytestmark = pytest.mark.django_db
__all__ = ["place"]  # a fixture
DOCS = Path(__file__).resolve().parents[3] / "docs" / "watch.md"


@pytest.fixture(autouse=True)
def _read_anew():
    page.forget()


def samples(client) -> dict[str, float]:
    """Return the page's values by name and labels, as Prometheus writes them."""
    page.forget()
    found = {}
    for family in text_string_to_metric_families(client.get("/metrics").content.decode()):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_page_when_an_order_waits_tells_of_it_until_it_is_sent(client, place, client_upstream):
    order = place()

    waiting = samples(client)
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    sent = samples(client)

    assert waiting['shop_orders{status="paid"}'] == 1
    assert waiting["shop_order_oldest_waiting_seconds"] > 0
    assert (sent['shop_orders{status="paid"}'], sent['shop_orders{status="pending"}']) == (0, 1)
    assert sent["shop_order_oldest_waiting_seconds"] == 0
    call = 'shop_supplier_call_duration_seconds_count{action="add",outcome="answered"}'
    assert sent[call] == waiting.get(call, 0) + 1


@pytest.mark.parametrize(("admins", "waiting"), [([("Admin", "admin@example.com")], 2), ([], 1)])
def test_page_when_nobody_is_to_hear_of_admins_news_does_not_wait_for_it(
    client, sandbox, settings, ann, admins, waiting
):
    settings.ADMINS = admins
    long_ago = timezone.now() - timedelta(days=1)
    tell_admins("drift:1", "Drift", "The balance has drifted.", long_ago)
    tell_customer(ann, "news:1", "News", "Something has happened.")

    found = samples(client)

    assert found["shop_mails_waiting"] == waiting
    assert (found["shop_mail_oldest_waiting_seconds"] > 3600) == (waiting == 2)


def test_page_when_forwarding_is_paused_says_why(client, sandbox):
    pause_forwarding(reason=ForwardingPause.Reason.ADMIN, now=timezone.now())

    found = samples(client)

    assert found['shop_forwarding_paused{reason="admin"}'] == 1
    assert found['shop_forwarding_paused{reason="key"}'] == 0
    assert found['shop_forwarding_state{state="closed"}'] == 1
    assert found['shop_waiting_for_staff{kind="pause"}'] == 1


def test_page_when_a_seldom_job_has_failed_says_so_and_when_it_last_did_well(client, sandbox):
    know_jobs()
    note_end("storefront.tasks.forget_old_rows", succeeded=True)
    note_end("storefront.tasks.forget_old_rows", succeeded=False)

    found = samples(client)

    assert found['shop_job_failed{job="forget_old_rows"}'] == 1
    assert found['shop_job_age_seconds{job="forget_old_rows"}'] < 60
    assert found['shop_job_interval_seconds{job="forget_old_rows"}'] == 3600
    assert 'shop_job_age_seconds{job="poll_orders"}' not in found  # every few seconds: it is counted


def test_page_when_the_books_were_proved_says_when_and_how(client, client_upstream):
    know_jobs()
    audit_and_tell(client=client_upstream)
    note_end("storefront.tasks.audit_books", succeeded=True)

    found = samples(client)

    assert found["shop_audit_problems"] == 0
    assert found["shop_audit_age_seconds"] < 60


def test_page_when_redis_is_away_tells_of_the_rest(client, sandbox, settings):
    caches = json.loads(json.dumps(settings.CACHES))
    caches["default"]["LOCATION"] = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = caches

    found = samples(client)

    assert found['shop_metrics_failed{part="counted"}'] == 1
    assert found['shop_metrics_failed{part="orders"}'] == 0
    assert found['shop_orders{status="paid"}'] == 0


def test_page_when_asked_again_at_once_asks_the_database_nothing(client, sandbox):
    client.get("/metrics")

    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/metrics")

    assert len(asked) == 0


def test_page_when_read_anew_costs_a_fixed_number_of_statements(client, sandbox, place, django_assert_max_num_queries):
    samples(client)
    for _order in range(3):
        place()
    page.forget()

    with django_assert_max_num_queries(60):
        client.get("/metrics")


def test_every_metric_is_named_in_the_document_and_the_document_names_no_other(client, sandbox):
    beat_heartbeat()
    named = set(re.findall(r"`(shop_\w+)`", DOCS.read_text()))
    written = {gauge.name for facts in page.FACTS for gauge in facts.gauges} | {page.FAILED.name}
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    counted = {family.name for family in families if family.name.startswith("shop_")} - written
    counted = {f"{name}_total" if name == "shop_supplier_calls_withheld" else name for name in counted}

    assert named == written | counted


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus")
def test_page_when_examined_by_prometheus_own_tool_is_well_named(client, place, client_upstream):
    forward_order(place().pk, client=client_upstream, clock=timezone.now)
    know_jobs()
    ours = [part for part in re.split(rb"(?m)^(?=# HELP )", client.get("/metrics").content) if b" shop_" in part[:12]]

    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=b"".join(ours), capture_output=True, timeout=60, check=False
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
