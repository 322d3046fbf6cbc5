"""What strangers cause fills no mailbox and no log, and nobody waits for a mail server."""

import base64
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.core import mail
from django.test import Client

from storefront import tasks
from storefront.monitoring import error_mails
from tests.workers import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def _admins(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who is told; pages that break; and no memory of errors before."""
    settings.ADMINS = [("Admin", "admin@example.com")]
    settings.ROOT_URLCONF = "tests.security.broken_pages"
    for handler in logging.getLogger().handlers:
        if isinstance(handler, error_mails.ErrorMailHandler):
            handler._reported_at.clear()


@pytest.fixture
def queued(redis_server: redis.Redis) -> Callable[[], list[tuple[str, dict[str, Any]]]]:
    """What workers would be told: the tasks in the broker, by name and with what they are given."""

    def read() -> list[tuple[str, dict[str, Any]]]:
        found = []
        for raw in reversed(redis_server.lrange("mail", 0, -1)):
            message = json.loads(raw)
            _args, kwargs, _embed = json.loads(base64.b64decode(message["body"]))
            found.append((message["headers"]["task"], kwargs))
        return found

    return read


def visit(address: str, **headers: str) -> int:
    return Client(raise_request_exception=False).get(address, headers=headers).status_code


@pytest.mark.usefixtures("_admins")
def test_errors_of_one_kind_are_one_mail_and_a_count_sent_by_a_worker(queued: Any, redis_server: redis.Redis) -> None:
    statuses = {visit(f"/broken/?word={number}") for number in range(38)}
    visit("/broken-otherwise/")

    wait_for(lambda: len(queued()) == 4, "two kinds are handed over, each with its count")
    time.sleep(0.3)
    told = queued()
    assert statuses == {500}
    assert mail.outbox == []  # nothing has been sent by who serves pages
    assert [name.rpartition(".")[2] for name, _given in told] == ["mail_error", "mail_error_count"] * 2
    assert "RuntimeError" in told[0][1]["message"]
    assert "LookupError" in told[2][1]["message"]

    tasks.mail_error(**told[0][1])
    tasks.mail_error_count(**told[1][1])
    tasks.mail_error_count(**told[3][1])  # the other kind came once: no second mail

    assert len(mail.outbox) == 2
    assert "(and 37 more)" in mail.outbox[1].subject
    assert len(queued()) == 5  # the next period's count


@pytest.mark.usefixtures("_admins")
def test_errors_when_a_period_is_over_are_mailed_again(queued: Any, redis_server: redis.Redis) -> None:
    report = error_mails.Report("a-kind", "subject", "message")

    error_mails.hand_over(report)
    error_mails.hand_over(report)
    assert len(queued()) == 2
    redis_server.delete(*redis_server.scan_iter("*error-mails:period:*"))
    error_mails.hand_over(report)

    assert len(queued()) == 4


@pytest.mark.usefixtures("_admins")
def test_errors_when_there_are_very_many_kinds_fill_no_mailbox(queued: Any) -> None:
    for number in range(error_mails.MAX_KINDS + 10):
        error_mails.hand_over(error_mails.Report(f"kind-{number}", "subject", "message"))

    assert len(queued()) == 2 * error_mails.MAX_KINDS


@pytest.mark.usefixtures("_admins")
def test_error_when_the_broker_is_away_is_mailed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError("broker away")

    monkeypatch.setattr(error_mails.current_app, "send_task", away)

    error_mails.hand_over(error_mails.Report("a-kind", "subject", "message"))

    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("_admins")
def test_requests_that_only_strangers_make_cost_no_mail(queued: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    statuses = [visit("/", host="evil.example"), visit("/api/v2", host="evil.example"), visit("/hung-up/")]
    fields = "&".join(f"a{number}=1" for number in range(2000))
    client = Client(raise_request_exception=False)
    statuses.append(client.post("/posted/", fields, content_type="application/x-www-form-urlencoded").status_code)
    visit("/broken/")

    wait_for(lambda: len(queued()) >= 2, "what really is an error is handed over")
    time.sleep(0.3)

    assert statuses == [400, 400, 500, 400]
    assert len(queued()) == 2


def test_foreign_hosts_are_logged_once_a_minute(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for seldom in logging.getLogger("django.security.DisallowedHost").filters:  # one for each time logs were configured
        seldom._said_at = -1000.0

    for number in range(20):
        visit("/", host=f"evil-{number}.example")

    assert len([record for record in caplog.records if "Invalid HTTP_HOST header" in record.getMessage()]) == 1
