"""Messages of webhooks: made, written by polls, sent, listed."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from api.models import Webhook, WebhookDelivery
from api.webhooks.sending import send_due
from orders.fulfilment.poll import poll_due
from tests.clock import stopped_at


def poll(kind: str, client: Any, *, hours: float = 1) -> None:
    poll_due(kind=kind, client=client, clock=stopped_at(timezone.now() + timedelta(hours=hours)))


def events() -> list[str]:
    """The names of all messages, oldest first."""
    return list(WebhookDelivery.objects.order_by("pk").values_list("event", flat=True))


def send_later() -> int:
    """Send what a poll in the near future has written."""
    return send_due(seconds=10, now=timezone.now() + timedelta(hours=3))


def make(hook: Webhook, count: int = 1, **fields: Any) -> list[WebhookDelivery]:
    """Messages that are due, as rows."""
    moment = timezone.now() - timedelta(seconds=1)
    return [
        WebhookDelivery.objects.create(
            **{"webhook": hook, "event": "test", "created_at": moment, "next_attempt_at": moment, **fields}
        )
        for _each in range(count)
    ]
