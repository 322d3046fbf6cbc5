"""Celery's door to the catalog."""

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

log = structlog.get_logger(__name__)


@shared_task
def sync_catalog() -> None:
    """Sync the catalog; a run that failed or was rejected is in the list of sync runs, and the next one tries again."""
    from catalog import operations
    from upstream.client import default_client
    from upstream.errors import UpstreamError

    try:
        client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
        run = operations.sync_catalog(client=client, now=timezone.now())
    except operations.SyncAlreadyRunning:
        log.info("sync_catalog_skipped", reason="another one is running")
    except UpstreamError as error:
        log.warning("sync_catalog_failed", error=str(error))
    else:
        log.info("sync_catalog", status=run.status, added=run.added, changed=run.changed, withdrawn=run.withdrawn,
                 returned=run.returned, set_aside=len(run.set_aside), error=run.error)  # fmt: skip


@shared_task
def reprice_services() -> None:
    """Bring the stored selling rates up to date where a rule or a setting is not what it was; else do nothing."""
    from catalog import repricing

    done = repricing.reprice_if_due(now=timezone.now())
    if done is not None:
        log.info("reprice_services", changed=done.changed, version=done.version)
