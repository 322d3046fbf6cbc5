"""Celery tasks of the outbox."""

from celery import shared_task

from notifications import letters, outbox


@shared_task(name="notifications.tasks.send_notices")
def send_notices() -> None:
    """Wake-up and sweep: mail what the outbox holds, letters first."""
    letters.send_letters()
    outbox.send_notices()


@shared_task(name="notifications.tasks.send_letters")
def send_letters() -> None:
    """Wake-up: somebody waits for a letter."""
    letters.send_letters()
