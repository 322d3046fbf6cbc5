import json

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from storefront import __version__
from storefront.demo.processes import free_port
from storefront.monitoring import health


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)


def test_live_when_the_database_is_not_asked_for_answers(client):
    response = client.get("/health/live")  # no database is open to this test

    assert (response.status_code, response.content) == (200, f"ok {__version__}\n".encode())


def test_ready_when_all_is_well_says_so(client, db):
    response = client.get("/health/ready")

    assert response.status_code == 200
    assert response.json() == {"database": "ok", "redis": "ok", "migrations": "ok", "version": __version__}


def test_ready_when_asked_by_an_unknown_host_name_still_answers(client, db):
    assert client.get("/health/ready", headers={"Host": "10.0.0.7:8000"}).status_code == 200


def test_ready_when_asked_again_asks_the_database_once(client, db, django_assert_num_queries):
    client.get("/health/ready")

    with django_assert_num_queries(1):
        client.get("/health/ready")


def test_ready_when_a_migration_is_pending_answers_503(client, db):
    MigrationRecorder(connection).migration_qs.filter(app="wallet").delete()

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json() == {"database": "ok", "redis": "ok", "migrations": "failed", "version": __version__}


def test_ready_when_redis_is_gone_answers_200_and_names_it(client, db, settings):
    caches = json.loads(json.dumps(settings.CACHES))
    caches["default"]["LOCATION"] = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = caches

    response = client.get("/health/ready")

    assert response.status_code == 200  # the shop sells without it
    assert response.json() == {"database": "ok", "redis": "failed", "migrations": "ok", "version": __version__}


def test_metrics_when_asked_from_this_machine_are_shown(client, db):
    client.get("/accounts/login/")

    response = client.get("/metrics")

    assert response.status_code == 200
    assert b"django_http_requests_total_by_method_total" in response.content


@pytest.mark.parametrize(
    "request_from",
    [
        {"REMOTE_ADDR": "203.0.113.9"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"},
    ],
)
def test_metrics_when_asked_from_elsewhere_are_not_found(client, request_from):
    assert client.get("/metrics", **request_from).status_code == 404


def test_metrics_when_a_token_is_set_are_shown_to_its_holder_only(client, settings):
    settings.METRICS_TOKEN = "a-token"

    without = client.get("/metrics")
    wrong = client.get("/metrics", headers={"Authorization": "Bearer another"})
    right = client.get("/metrics", headers={"Authorization": "Bearer a-token"}, REMOTE_ADDR="203.0.113.9")

    assert [without.status_code, wrong.status_code, right.status_code] == [404, 404, 200]
