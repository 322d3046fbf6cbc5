"""Celery's doors to the wallet."""

from celery import shared_task

from wallet import operations


@shared_task(name="wallet.tasks.check_top_ups")
def check_top_ups() -> None:
    """The sweep: ask gateways about payments that never called back."""
    operations.check_top_ups()
