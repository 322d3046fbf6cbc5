"""Celery's doors to the orders. The row is the queue: a lost message costs seconds, a repeated one nothing."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings

from upstream.client import Client, default_client
from upstream.errors import Unavailable, UpstreamError

log = structlog.get_logger(__name__)
# The next message of beat goes on where a round ends; rounds of a second would rest half of the time.
NUMBERS_STAY_SECONDS, NUMBERS_NAP_SECONDS = 30.0, 0.2


def _client() -> Client | None:
    try:
        return default_client()
    except Unavailable as error:
        log.warning("upstream_not_configured", error=str(error))
        return None


def _interval(job: str) -> float:
    """The seconds until beat asks for this job again: by then a long round leaves the rest to the next one."""
    return float(settings.CELERY_BEAT_SCHEDULE[job]["schedule"])


@shared_task
def forward_new_orders(*, order_ids: list[int]) -> None:
    """The nudge: forward these orders now."""
    from orders import operations  # a task is a door to the operation above it

    if client := _client():
        operations.forward_orders(order_ids, client=client)


@shared_task
def forward_orders() -> None:
    """The sweep: forward what is waiting, and give back what nobody waits for any more."""
    from orders import operations

    operations.give_up_waiting()
    if client := _client():
        nudged_since = timedelta(seconds=settings.ORDERS_NUDGE_SECONDS)
        operations.sweep_queue(client=client, seconds=_interval("forward_orders"), nudged_since=nudged_since)


@shared_task
def release_stale_claims() -> None:
    """Find the orders whose senders died."""
    from orders import operations

    operations.release_stale_claims()


@shared_task
def poll_orders() -> None:
    """Ask about the services that are due."""
    from orders import operations

    if client := _client():
        operations.poll_open(kind="service", client=client, seconds=_interval("poll_orders"))


@shared_task
def poll_numbers() -> None:
    """Ask about the numbers that are due, and for a while about those that will be."""
    from orders import operations

    if client := _client():
        operations.poll_open(
            kind="number", client=client, seconds=NUMBERS_STAY_SECONDS, nap_seconds=NUMBERS_NAP_SECONDS
        )


@shared_task
def reconcile_orders() -> None:
    """Look into the orders whose answer never came."""
    from orders import operations

    if client := _client():
        operations.reconcile_orders(client=client)


@shared_task
def probe_foreign_ids() -> None:
    """See whether order ids that are not ours still answer "Order not found"."""
    from orders import operations

    if client := _client():
        operations.probe_foreign_ids(client=client)


@shared_task
def resume_forwarding() -> None:
    """See whether what paused forwarding is over."""
    from orders import operations

    if client := _client():
        try:
            operations.resume_forwarding(client=client)
        except UpstreamError as error:
            log.warning("upstream_not_answering", error=str(error))


@shared_task
def send_notices() -> None:
    """Nudge and sweep: mail what the outbox holds."""
    from orders import notices

    notices.send_notices()


@shared_task
def tell_watchers() -> None:
    """Nudge and sweep: write to those who wait for a service that can be ordered again."""
    from orders import watch_mails

    watch_mails.tell_watchers()


@shared_task
def check_upstream_balance() -> None:
    """Look at the upstream account, and tell the admin before it runs dry."""
    from orders import operations

    if client := _client():
        try:
            operations.check_balance(client=client)
        except UpstreamError as error:
            log.warning("upstream_not_answering", error=str(error))


@shared_task
def review_held_orders() -> None:
    """Release the orders that would not lose money any more, and refund those that waited long enough."""
    from orders import operations

    operations.review_held_orders()


@shared_task
def send_price_digests() -> None:
    """Mail the customers who want it which of their prices have changed."""
    from orders import operations

    operations.send_price_digests()


@shared_task
def place_pending_checkouts() -> None:
    """The sweep: place the orders whose payments have come in, and explain those that cannot be placed."""
    from orders import operations

    operations.close_pending()


@shared_task
def count_purchases() -> None:
    """Count what was bought lately, for the lists sorted by it."""
    from orders import operations

    operations.count_purchases()


@shared_task
def credit_referrals() -> None:
    """Credit what customers have earned by bringing others, where the orders are final."""
    from orders import operations

    operations.credit_referrals()
