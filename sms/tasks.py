"""Celery's doors to the numbers."""

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from catalog.models import SyncRun
from catalog.sync.heard import tell_of_progress
from catalog.sync.runs import SyncAlreadyRunning
from catalog.sync.translation_rounds import is_due
from sms import operations, sync
from sms.queries import success_rates
from sms.sync_translations import sync_translations as ask_for_translations
from upstream.client import default_client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)


@shared_task(name="sms.tasks.sync_sms")
def sync_sms() -> None:
    """Copy upstream's countries and projects."""
    try:
        client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
        sync.sync_sms(client=client, progress=tell_of_progress(SyncRun.Kind.SMS))
    except (UpstreamError, SyncAlreadyRunning) as error:
        log.warning("sync_sms_failed", error=str(error))


@shared_task(name="sms.tasks.sync_translations")
def sync_translations() -> None:
    """Ask for names in other languages, where that is due; what was interrupted goes on with a later message."""
    if not is_due(SyncRun.Kind.SMS_TRANSLATIONS, now=timezone.now()):
        return
    try:
        client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
        ask_for_translations(client=client, now=timezone.now())
    except (UpstreamError, SyncAlreadyRunning) as error:
        log.warning("sync_sms_translations_failed", error=str(error))


@shared_task(name="sms.tasks.count_success_rates")
def count_success_rates() -> None:
    """Count how often codes came lately."""

    success_rates.count_success_rates(timezone.now())


@shared_task(name="sms.tasks.replace_numbers")
def replace_numbers() -> None:
    """The sweep: replace numbers without a code for those who asked for it."""
    try:
        client = default_client()
    except UpstreamError as error:
        log.warning("upstream_not_configured", error=str(error))
        return
    operations.replace_due_numbers(client=client)


@shared_task(name="sms.tasks.seal_codes")
def seal_codes() -> None:
    """Encrypt the codes that a worker of the version before has just written."""
    operations.seal_codes()


@shared_task(name="sms.tasks.wipe_sms_contents")
def wipe_sms_contents() -> None:
    """Delete codes and messages whose time is over."""
    operations.wipe_contents()
