"""Tasks of the shop as a whole."""

from celery import shared_task
from celery.exceptions import Ignore
from django.utils import timezone

from storefront import retention
from storefront.backups.places import BackupFailed
from storefront.backups.take import take_backup
from storefront.monitoring import alerts, error_mails
from storefront.monitoring.health import note_heartbeat
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured


@shared_task(name="storefront.tasks.beat_heartbeat")
def beat_heartbeat(*, queue: str = "") -> None:
    """Note that beat and a worker of this queue are alive; `doctor` and the health page read it. "": of all queues."""
    note_heartbeat(queue)


@shared_task(name="storefront.tasks.audit_books")
def audit_books() -> None:
    """Prove the books; the admins hear of it when they do not add up."""
    try:
        client = default_client()
    except UpstreamNotConfigured:
        client = None
    alerts.audit_and_tell(client=client)


@shared_task(name="storefront.tasks.forget_old_rows")
def forget_old_rows() -> None:
    """Delete what has been kept long enough."""
    retention.forget_old_rows(now=timezone.now())


@shared_task(name="storefront.tasks.back_up")
def back_up() -> None:
    """Make a backup at BACKUP_TO."""
    try:
        take_backup(now=timezone.now())
    except BackupFailed:  # it is in the log already, and so in the admins' mail; the job has not succeeded
        raise Ignore from None


@shared_task(name="storefront.tasks.mail_error")
def mail_error(*, subject: str, message: str) -> None:
    """Mail an error to the admins."""
    error_mails.send_error_mail(subject=subject, message=message)


@shared_task(name="storefront.tasks.mail_error_count")
def mail_error_count(*, kind: str, subject: str) -> None:
    """Mail how many more errors of a kind came."""
    error_mails.send_count(kind=kind, subject=subject)


@shared_task(name="storefront.tasks.fetch_exchange_rate")
def fetch_exchange_rate() -> None:
    """Ask the source in the settings for today's exchange rate."""
    alerts.fetch_rate_and_tell()
