"""Celery tasks of the outbox."""

from celery import shared_task

from notifications import letters, outbox
from notifications.one_round import OneRound

_letters, _notices = OneRound(letters.send_letters), OneRound(outbox.send_notices)


@shared_task(name="notifications.tasks.send_notices")
def send_notices() -> None:
    """Wake-up and sweep: mail what the outbox holds, letters first."""
    _letters.run()
    _notices.run()


@shared_task(name="notifications.tasks.send_letters")
def send_letters() -> None:
    """Wake-up: somebody waits for a letter."""
    _letters.run()
