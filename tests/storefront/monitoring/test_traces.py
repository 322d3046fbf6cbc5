"""What leaves as traces: one purchase through web and worker by the id of the log, and nothing secret."""

import json
import time
from typing import Any

import pytest
from django.db import connection

from orders.models import Order
from storefront.monitoring.health import heartbeat_age
from storefront.monitoring.open_telemetry import STOP_SECONDS, TOLD
from tests.api.conftest import key
from tests.storefront.monitoring.collector import collecting
from tests.storefront.monitoring.programs import run
from tests.storefront.stops.conftest import place, web, workers
from tests.workers import wait_for

__all__ = ["key", "place", "web", "workers"]  # fixtures
SERVER, CLIENT, CONSUMER, ERROR = 2, 3, 5, 2  # kinds of spans, and a status, by their numbers in OTLP
IDLE_SECONDS = 8
VISITORS_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
# Whatever the machine is busy with besides; a process that waited for its collector would take longer.
LONGEST_STOP_SECONDS = STOP_SECONDS + 12
EXPORT_SECONDS = "60"
FAIL = """
import django
django.setup()
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from django.urls import path
from storefront import urls
from storefront.monitoring import traces

def broken(request, name):
    raise RuntimeError("it broke with upstream-key-in-text for customer@example.com")

urls.urlpatterns.insert(0, path("broken/<name>/", broken))
ours = ("RequestLogMiddleware", "_DjangoMiddleware")  # no database is needed for this
settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name.endswith(ours)]
told = {"HTTP_AUTHORIZATION": "Bearer header-secret", "HTTP_COOKIE": "shopping=cookie-secret", "HTTP_HOST": "localhost"}
request = RequestFactory().post(
    "/broken/path-secret/?token=query-secret", {"password": "body-secret"}, REMOTE_ADDR="203.0.113.77", **told
)
get_wsgi_application()(request.environ, lambda *answered: None)
traces.stop()
"""


@pytest.mark.broker
@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_purchase_when_traced_is_one_trace_by_the_id_of_the_log_without_anything_secret(
    web: Any, workers: Any, key: str, service: Any, sandbox: Any
):
    with collecting() as collector:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        traced["LOG_LEVEL"] = "INFO"  # as in production: a request learns its order's number from the log
        serving = web.start(**traced)
        working = workers.worker(**traced)  # no beat: the message of the request alone has it sent
        stranger = {"traceparent": f"00-{VISITORS_TRACE}-00f067aa0ba902b7-01", "Authorization": "Bearer header-secret"}
        web.get("/catalog/?q=query-secret", headers=stranger)
        web.get("/account/password/reset/key/1-path-secret/")
        bought = {"service": service.pk, "quantity": 100, "link": "https://instagram.com/link-secret"}
        answer = web.call(key=key, action="add", **bought).result()
        order_id, request_id = int(answer.json()["order"]), answer.headers["X-Request-Id"]
        placed = Order.objects.filter(pk=order_id, upstream_id__gt="")
        wait_for(placed.exists, "the order is sent", seconds=60)
        for child in (serving, working):
            child.process.send_signal(15)
        for child in (serving, working):
            child.process.wait(60)
        spans, everything = collector.spans(), b"".join(collector.bodies)

    ours = [span for span in spans if span.get("request_id") == request_id]
    [page] = [span for span in ours if span["kind"] == SERVER]
    assert (page["name"], page["http.route"], page["order_id"]) == ("POST api/v2", "api/v2", order_id)
    [call] = [span for span in ours if span["name"] == "supplier add"]
    assert (call["kind"], call["order_id"], call["supplier.action"]) == (CLIENT, order_id, "add")
    assert call["http.response.status_code"] == 200
    [task] = [span for span in ours if span["kind"] == CONSUMER and span["id"] == call["parent"]]
    assert task["celery.task_name"].startswith("orders.tasks.")
    assert {span["trace"] for span in ours} == {page["trace"]}
    statements = [span["db.query.text"] for span in ours if "db.query.text" in span]
    assert bool(statements) == (connection.vendor == "postgresql")
    assert not [text for text in statements if "'" in text]
    # A stranger's trace is none of ours, and nothing leaves but what is named.
    assert VISITORS_TRACE not in {span["trace"] for span in spans}
    known = TOLD | {"name", "kind", "trace", "id", "parent", "status", "seconds", "events"}
    assert {name for span in spans for name in span} <= known
    secrets = ("query", "path", "header", "link")
    for secret in (*(f"{kind}-secret" for kind in secrets), sandbox.key, key, "ann@example.com", "example.com"):
        assert secret.encode() not in everything, secret


@pytest.mark.broker
@pytest.mark.django_db(transaction=True)
def test_rounds_of_beat_when_they_find_nothing_to_do_are_not_sent(workers: Any):
    with collecting() as collector:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        workers.worker(**traced)
        workers.beat(**traced, HEARTBEAT_EVERY_SECONDS="1")
        wait_for(lambda: heartbeat_age() is not None, "rounds are made", seconds=60)
        time.sleep(IDLE_SECONDS)
        spans = collector.spans()
        assert heartbeat_age() is not None

    did_something = [
        span for span in spans if "http.request.method" in span or span["seconds"] > 1 or span["status"] == ERROR
    ]
    assert {span["trace"] for span in spans} == {span["trace"] for span in did_something}


@pytest.mark.broker
@pytest.mark.django_db(transaction=True)
def test_processes_when_the_collector_never_answers_serve_and_stop_as_ever(web: Any, workers: Any, place: Any):
    with collecting(answers=False) as of_web, collecting(answers=False) as of_worker:
        slow = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_EXPORTER_OTLP_TIMEOUT": EXPORT_SECONDS}
        # What is begun before a fork goes on after it.
        serving = web.start("--preload", OTEL_EXPORTER_OTLP_ENDPOINT=of_web.url, **slow)
        working = workers.worker(OTEL_EXPORTER_OTLP_ENDPOINT=of_worker.url, **slow)
        wait_for(lambda: of_web.asked, "web asks its collector")
        began = time.monotonic()
        assert {web.get("/catalog/").status_code for _each in range(5)} == {200}
        assert time.monotonic() - began < float(EXPORT_SECONDS) / 2
        place()
        wait_for(lambda: of_worker.asked, "the worker asks its collector", seconds=60)
        for child in (serving, working):
            began = time.monotonic()
            child.process.send_signal(15)
            child.process.wait(60)
            assert time.monotonic() - began < LONGEST_STOP_SECONDS


def test_error_when_traced_leaves_its_class_alone():
    with collecting() as collector:
        done = run(FAIL, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_SERVICE_NAME="the-shop")

        assert collector.bodies, done.stderr
        [span] = collector.spans()
        everything = b"".join(collector.bodies).decode(errors="replace")
        assert collector.resources()["service.name"] == "the-shop"
    assert (span["name"], span["http.response.status_code"]) == ("POST broken/<name>/", 500)
    assert span["events"] == [{"exception.type": "RuntimeError"}]
    assert len(span["request_id"]) == 16
    for kind in ("path", "cookie", "query", "body", "header"):
        assert f"{kind}-secret" not in everything
    for secret in ("upstream-key-in-text", "customer@example.com", "203.0.113.77"):
        assert secret not in everything


def test_traces_when_no_collector_is_set_are_not_even_imported():
    program = "import django, json, sys; django.setup(); import storefront.wsgi; print(json.dumps(list(sys.modules)))"

    imported = json.loads(run(program, OTEL_EXPORTER_OTLP_ENDPOINT="").stdout)

    # redis-py imports the SDK by itself wherever it is installed, as it is for tests.
    parts = ("opentelemetry.instrumentation", "opentelemetry.exporter", "storefront.monitoring.open_telemetry")
    assert "redis" in imported
    assert not [name for name in imported if name.startswith(parts)]


def test_traces_when_their_packages_are_missing_stop_the_start_with_the_variables_name():
    program = "import sys; sys.modules['opentelemetry'] = None\nimport django; django.setup()"

    done = run(program, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")

    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: OTEL_EXPORTER_OTLP_ENDPOINT is set")
    assert "requirements/traces.txt" in last
