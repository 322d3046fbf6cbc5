"""Celery's doors to what the API does by itself."""

from celery import shared_task
from django.conf import settings

from api.test_mode import operations as test_mode
from api.webhooks import operations as webhooks
from api.webhooks import sending


@shared_task(name="api.tasks.send_webhooks")
def send_webhooks() -> None:
    """Wake-up and sweep: post what is due to the customers' servers."""
    sending.send_due(seconds=float(settings.CELERY_BEAT_SCHEDULE["send_webhooks"]["schedule"]))


@shared_task(name="api.tasks.clean_webhooks")
def clean_webhooks() -> None:
    """Wipe and delete messages that have been kept long enough."""
    webhooks.clean_deliveries()


@shared_task(name="api.tasks.clean_simulated_orders")
def clean_simulated_orders() -> None:
    """Forget the orders of test keys that are long over."""
    test_mode.clean_simulated_orders()
