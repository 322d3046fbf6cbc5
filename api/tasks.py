"""Celery's doors to what the API does by itself."""

from celery import shared_task
from django.conf import settings


@shared_task
def send_webhooks() -> None:
    """Nudge and sweep: post what is due to the customers' servers."""
    from api.webhooks import sending  # a task is a door to the operation above it

    sending.send_due(seconds=float(settings.CELERY_BEAT_SCHEDULE["send_webhooks"]["schedule"]))


@shared_task
def clean_webhooks() -> None:
    """Wipe and delete messages that have been kept long enough."""
    from api.webhooks import operations

    operations.clean_deliveries()


@shared_task
def clean_play_orders() -> None:
    """Forget the orders of test keys that are long over."""
    from api.play import operations

    operations.clean_play_orders()
