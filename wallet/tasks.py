"""Celery's doors to the wallet."""

from celery import shared_task


@shared_task
def check_top_ups() -> None:
    """The sweep: ask gateways about payments that never called back."""
    from wallet import operations  # a task is a door to the operation above it

    operations.check_top_ups()
