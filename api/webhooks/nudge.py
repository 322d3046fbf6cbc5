"""Asking a worker to send soon; losing that costs seconds, the sweep finds the rows."""

from django.core.cache import cache

from orders.nudge import Messenger

ONCE_IN_SECONDS = 1


def nudge_webhooks() -> None:
    """Ask a worker to send what is due; call it once the rows are committed."""
    _messenger.tell(0)


def _send(_gathered: list[int]) -> None:
    from api.tasks import send_webhooks  # leaf: the task imports the operation that nudges

    # One message, of all processes, for everything that happens while it waits.
    if cache.add("webhooks_nudged", 1, timeout=ONCE_IN_SECONDS):
        send_webhooks.apply_async(retry=False, countdown=ONCE_IN_SECONDS, expires=60)


_messenger = Messenger(_send)
