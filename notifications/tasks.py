"""Celery tasks of the outbox."""

from celery import shared_task

from notifications import outbox


@shared_task(name="notifications.tasks.send_notices")
def send_notices() -> None:
    """Wake-up and sweep: mail what the outbox holds."""
    outbox.send_notices()
