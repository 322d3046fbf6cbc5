"""Codes and messages are kept for a while and then wiped, wherever they stand."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.fulfilment.poll import poll_due
from orders.models import Order
from sms.models import Number
from sms.operations import wipe_contents
from tests.clock import stopped_at
from tests.upstream.raw_server import RawServer, answer, client_of

pytestmark = pytest.mark.django_db(transaction=True)
PRICE = 625_000
RIPE = timedelta(minutes=3)


@pytest.fixture
def poll(client_upstream: Any) -> Any:
    def poll_all(*, seconds: float = 5, **later: float) -> int:
        return poll_due(
            kind="number",
            client=client_upstream,
            clock=stopped_at(timezone.now() + timedelta(seconds=seconds, **later)),
        )

    return poll_all


@pytest.fixture
def received(waiting_number, poll, sandbox) -> Order:
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")
    poll()
    return waiting_number


def test_wipe_contents_deletes_code_and_message_after_the_days_and_once(received, settings, monkeypatch):
    monkeypatch.setattr("accounts.batches.ROWS_AT_ONCE", 1)
    later = timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS)

    assert wipe_contents(now=later - timedelta(hours=1)) == 0
    assert wipe_contents(now=later + timedelta(hours=1)) == 1
    assert wipe_contents(now=later + timedelta(hours=2)) == 0

    number = Number.objects.get()
    assert (number.code, number.content, number.state) == ("", "", Number.State.RECEIVED)
    assert number.content_wiped_at == later + timedelta(hours=1)


def test_a_code_stands_nowhere_but_on_its_number(received):
    """Not in the order, its events or its drift: there it would outlive its deletion."""
    received.refresh_from_db()
    everything = [str(vars(row)) for row in [received, *received.events.all()]]

    assert not any("482913" in text for text in everything)


def test_wiped_code_is_answered_sensibly_and_shown_as_deleted(received, client, ann, settings):
    from accounts.keys.api_keys import create_api_key

    def ask(action: str) -> Any:
        key = create_api_key(user=ann, name=action)[1]
        return client.post("/api/v2", {"key": key, "action": action, "order": received.pk}).json()

    wipe_contents(now=timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS + 1))

    code, status = ask("sms_code"), ask("sms_status")

    assert (code["status"], code["code"]) == ("completed", "")
    assert "deleted" in code["message"]
    assert (status["status"], status["code"]) == ("code_received", None)
    client.force_login(ann)
    assert "were deleted on" in client.get("/sms/numbers/").content.decode()
    assert "deleted on" in client.get("/sms/numbers/history/").content.decode()


@pytest.mark.usefixtures("long_lives")
def test_wipe_contents_when_a_message_came_to_a_number_that_never_had_its_code_deletes_it_too(
    waiting_number, settings
) -> None:
    read = '{"status": "expired", "sms_content": "Open https://example.com/secret"}'
    status = '{"status": "expired", "charge": "0.0000"}'
    with RawServer(
        lambda sock, received: sock.sendall(answer(read if received.form["action"] == "sms_code" else status))
    ) as server:
        poll_due(kind="number", client=client_of(server), clock=stopped_at(timezone.now() + RIPE))
    number = Number.objects.get()
    assert (number.state, number.received_at) == (Number.State.EXPIRED, None)

    assert wipe_contents(now=timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS - 1)) == 0
    wipe_contents(now=timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS + 1))

    assert Number.objects.get().content == ""


@pytest.mark.usefixtures("long_lives")
def test_wipe_contents_when_no_message_came_leaves_the_number_alone(waiting_number, settings) -> None:
    assert wipe_contents(now=timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS + 1)) == 0

    assert Number.objects.get().content_wiped_at is None
