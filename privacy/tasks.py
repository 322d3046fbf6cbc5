"""Celery's doors to what customers asked for about themselves."""

from celery import shared_task
from django.utils import timezone

from privacy.deletion import sweep
from privacy.exports import operations


@shared_task(name="privacy.tasks.prepare_exports")
def prepare_exports() -> None:
    """Write the exports that wait, and begin those anew whose worker died."""
    operations.prepare_exports(clock=timezone.now)


@shared_task(name="privacy.tasks.delete_accounts")
def delete_accounts() -> None:
    """Delete the accounts whose time has come."""
    sweep.delete_accounts(now=timezone.now())
