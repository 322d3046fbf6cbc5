"""Nothing grows for ever: each table that only looks back is cleaned, a little at a time."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.contrib.sessions.models import Session

from accounts.batches import delete_in_batches
from accounts.keys.retention import clean_key_spending
from accounts.security.retention import (
    clean_email_changes,
    clean_known_networks,
    clean_support_visits,
    clean_user_sessions,
    clean_wrong_tries,
)
from accounts.trail.retention import thin_trail
from catalog.operations.service_news import clean_service_news
from catalog.sync.retention import clean_sync_details
from jobs.retention import clean_jobs
from notifications.letters import clean_letters
from notifications.retention import clean_notices
from orders.lifecycle.retention import (
    clean_goods_looks,
    clean_promised_losses,
    forget_look_addresses,
    wipe_order_evidence,
)
from privacy.exports.retention import clean_exports
from support.attachments.storing import delete_old_contents
from support.documents.acceptance import forget_acceptance_addresses
from support.status.keeping import clean_status_days
from support.tickets.thread import close_answered
from wallet.retention import clean_gateway_events

log = structlog.get_logger(__name__)


def clean_sessions(*, now: datetime) -> int:
    """Delete the sessions that have expired, as `clearsessions` does, but not in one statement."""
    return delete_in_batches(Session.objects.filter(expire_date__lt=now).order_by("expire_date"))


JOBS: tuple[Callable[..., int], ...] = (
    clean_sessions,
    clean_user_sessions,
    clean_wrong_tries,
    clean_known_networks,
    clean_email_changes,
    clean_support_visits,
    clean_letters,
    clean_notices,
    wipe_order_evidence,
    clean_goods_looks,
    forget_look_addresses,
    clean_promised_losses,
    clean_gateway_events,
    clean_sync_details,
    clean_key_spending,
    thin_trail,
    clean_exports,
    clean_jobs,
    clean_status_days,
    clean_service_news,
    forget_acceptance_addresses,
    close_answered,
    delete_old_contents,
)


def forget_old_rows(*, now: datetime) -> dict[str, int]:
    """Run every job once, each for a bounded time; return how many rows by job. One that fails stops no other."""
    forgotten = {}
    for job in JOBS:
        try:
            forgotten[job.__name__] = job(now=now)
        except Exception:  # each table is cleaned for itself
            log.exception("retention_failed", job=job.__name__)
    if any(forgotten.values()):
        log.info("old_rows_forgotten", **forgotten)
    return forgotten
