"""What a message says, and how it is signed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from api.models import Webhook, WebhookDelivery
from api.webhooks.operations import rotate_secret, secret_of
from api.webhooks.sending import send_due
from orders.fulfilment.forward import forward_order
from orders.models import Order
from sms.models import Number
from tests.api.webhooks.messages import events, make, poll, send_later
from tests.api.webhooks.receiver import Receiver

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


def test_send_when_an_order_was_refunded_then_the_message_says_what_the_api_says(
    hook: Webhook, secret: str, receiver: Receiver, sent: Order, client_upstream: Any, sandbox: Any
) -> None:
    sandbox.set_order(sent.upstream_id, status="Partial", remains=400)
    poll("service", client_upstream)

    assert send_later() == 3

    came = next(one for one in receiver.received if one.message["event"] == "order.partial")
    row = WebhookDelivery.objects.get(event="order.partial")
    assert came.message == {
        "id": str(row.event_id),
        "event": "order.partial",
        "created_at": row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {
            "order": sent.pk,
            "status": "Partial",
            "charge": "1.125",
            "start_count": came.message["data"]["start_count"],
            "remains": 400,
            "currency": "USD",
        },
    }
    assert came.is_signed_with(secret)
    assert came.headers["x-webhook-id"] == str(row.event_id)
    assert came.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert (row.state, row.http_status, row.attempts) == ("delivered", 204, 1)


def test_signature_when_body_or_secret_is_another_then_it_does_not_fit(
    hook: Webhook, secret: str, receiver: Receiver
) -> None:
    make(hook)
    send_due(seconds=10)

    [came] = receiver.received
    assert came.is_signed_with(secret)
    assert not came.is_signed_with(secret + "x")
    assert not type(came)(came.path, came.headers, came.body + b" ").is_signed_with(secret)


def test_rotate_secret_when_a_day_is_not_over_then_both_sign_and_then_only_the_new_one(
    hook: Webhook, secret: str, receiver: Receiver
) -> None:
    now = timezone.now()
    new = rotate_secret(hook, now=now)
    make(hook)
    send_due(seconds=10, now=now + timedelta(hours=23))
    make(hook)
    send_due(seconds=10, now=now + timedelta(hours=25))

    first, second = receiver.received
    assert (first.is_signed_with(new), first.is_signed_with(secret)) == (True, True)
    assert (second.is_signed_with(new), second.is_signed_with(secret)) == (True, False)
    assert secret_of(Webhook.objects.get()) == new
    assert new not in Webhook.objects.get().secret_encrypted


def test_number_when_its_code_comes_then_the_message_has_it_and_the_table_does_not(
    hook: Webhook, receiver: Receiver, number: Order, client_upstream: Any, sandbox: Any
) -> None:
    sandbox.deliver_code(number.upstream_id, "493817", "Your code is 493817")
    poll("number", client_upstream, hours=0.01)
    send_later()

    told = {one.message["event"]: one.message["data"] for one in receiver.received}
    assert told["number.code_received"]["code"] == "493817"
    assert told["number.active"]["phone"] == sandbox.orders[0]["phone"]
    assert "493817" not in str(list(WebhookDelivery.objects.values()))


def test_number_when_its_phone_comes_later_than_the_order_then_that_is_told(
    hook: Webhook, number: Order, client_upstream: Any
) -> None:
    Number.objects.update(phone="")
    poll("number", client_upstream, hours=0.01)

    assert events() == ["number.active", "number.active"]


def test_number_when_the_webhook_wants_orders_alone_then_it_is_not_told(
    hook: Webhook, place: Callable[..., Order], number: Order, client_upstream: Any, sandbox: Any
) -> None:
    WebhookDelivery.objects.all().delete()
    Webhook.objects.update(wants_numbers=False)
    sandbox.deliver_code(number.upstream_id, "493817", "Your code is 493817")
    poll("number", client_upstream, hours=0.01)
    forward_order(place().pk, client=client_upstream, clock=timezone.now)

    assert events() == ["order.accepted"]


def test_number_when_it_expires_then_the_message_calls_it_so(
    hook: Webhook, receiver: Receiver, number: Order, client_upstream: Any, sandbox: Any
) -> None:
    sandbox.set_number(number.upstream_id, status="expired")
    poll("number", client_upstream, hours=2)
    send_later()

    told = {one.message["event"]: one.message["data"] for one in receiver.received}
    assert set(told) == {"number.active", "number.expired", "number.refunded"}
    assert told["number.refunded"]["charge"] == "0.0000"
