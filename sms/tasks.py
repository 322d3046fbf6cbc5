"""Celery's doors to the numbers."""

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from upstream.client import default_client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)


@shared_task
def sync_sms() -> None:
    """Copy upstream's countries and projects."""
    from catalog.sync.runs import SyncAlreadyRunning
    from sms import sync  # a task is a door to the operation above it

    try:
        sync.sync_sms(client=default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS))
    except (UpstreamError, SyncAlreadyRunning) as error:
        log.warning("sync_sms_failed", error=str(error))


@shared_task
def count_success_rates() -> None:
    """Count how often codes came lately."""
    from sms import success

    success.count_success_rates(timezone.now())


@shared_task
def swap_numbers() -> None:
    """The sweep: exchange numbers without a code for those who wished it."""
    from sms import operations

    try:
        client = default_client()
    except UpstreamError as error:
        log.warning("upstream_not_configured", error=str(error))
        return
    operations.swap_due(client=client)


@shared_task
def wipe_sms_contents() -> None:
    """Delete codes and messages whose time is over."""
    from sms import operations

    operations.wipe_contents()
