"""Celery's doors to the orders. The row is the queue: a lost message costs seconds, a repeated one nothing."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from orders.accounting import purchase_counts, service_margin, service_quality
from orders.accounting.daily_totals import keeping
from orders.attempts import assumptions
from orders.fulfilment import follow_losses as losses
from orders.fulfilment import forward, margin, pauses, poll, queue
from orders.lifecycle import cashback, complaints, levels, referrals
from orders.notices import price_digest
from orders.placing import pay_first
from orders.reconciliation import gaps, reconcile
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


@shared_task(name="orders.tasks.forward_new_orders")
def forward_new_orders(*, ids: list[int]) -> None:
    """Wake-up: forward these orders now."""
    if client := _client():
        queue.forward_orders(ids, client=client, clock=timezone.now)


@shared_task(name="orders.tasks.forward_orders")
def forward_orders() -> None:
    """The sweep: forward what is waiting, and give back what nobody waits for any more."""
    forward.give_up_waiting(now=timezone.now())
    if client := _client():
        woken_since = timedelta(seconds=settings.ORDERS_WAKE_SECONDS)
        queue.sweep_queue(
            client=client, seconds=_interval("forward_orders"), woken_since=woken_since, clock=timezone.now
        )


@shared_task(name="orders.tasks.release_stale_claims")
def release_stale_claims() -> None:
    """Find the orders whose senders died."""
    forward.release_stale_claims(now=timezone.now())


@shared_task(name="orders.tasks.poll_orders")
def poll_orders() -> None:
    """Ask about the services that are due."""
    if client := _client():
        poll.poll_open(kind="service", client=client, seconds=_interval("poll_orders"), clock=timezone.now)


@shared_task(name="orders.tasks.poll_numbers")
def poll_numbers() -> None:
    """Ask about the numbers that are due, and for a while about those that will be."""
    if client := _client():
        poll.poll_open(
            kind="number",
            client=client,
            seconds=NUMBERS_STAY_SECONDS,
            nap_seconds=NUMBERS_NAP_SECONDS,
            clock=timezone.now,
        )


@shared_task(name="orders.tasks.reconcile_orders")
def reconcile_orders() -> None:
    """Look into the orders whose answer never came, and into what a restored database has forgotten."""
    if client := _client():
        gaps.look_into_gaps(client=client, now=timezone.now())
        reconcile.reconcile_orders(client=client, now=timezone.now())


@shared_task(name="orders.tasks.follow_losses")
def follow_losses() -> None:
    """See what upstream charges in the end for what no order follows."""
    if client := _client():
        losses.follow_losses(client=client, now=timezone.now())


@shared_task(name="orders.tasks.probe_foreign_ids")
def probe_foreign_ids() -> None:
    """See whether order ids that are not ours still answer "Order not found"."""
    if client := _client():
        assumptions.probe_foreign_ids(client=client, now=timezone.now())


@shared_task(name="orders.tasks.resume_forwarding")
def resume_forwarding() -> None:
    """See whether what paused forwarding is over."""
    if client := _client():
        try:
            pauses.resume_forwarding(client=client, now=timezone.now())
        except UpstreamError as error:
            log.warning("upstream_not_answering", error=str(error))


@shared_task(name="orders.tasks.check_upstream_balance")
def check_upstream_balance() -> None:
    """Look at the upstream account, and tell the admin before it runs dry."""
    if client := _client():
        try:
            pauses.look_at_account(client=client, now=timezone.now())
        except UpstreamError as error:
            log.warning("upstream_not_answering", error=str(error))


@shared_task(name="orders.tasks.review_held_orders")
def review_held_orders() -> None:
    """Release the orders that would not lose money any more, and refund those that waited long enough."""
    margin.review_held_orders(now=timezone.now())


@shared_task(name="orders.tasks.warn_of_deadlines")
def warn_of_deadlines() -> None:
    """Tell the admins of reports about goods that the supplier hears of for not much longer."""
    complaints.warn_of_deadlines(now=timezone.now())


@shared_task(name="orders.tasks.send_price_digests")
def send_price_digests() -> None:
    """Mail the customers who want it which of their prices have changed."""
    price_digest.send_price_digests(now=timezone.now())


@shared_task(name="orders.tasks.place_pending_checkouts")
def place_pending_checkouts() -> None:
    """The sweep: place the orders whose payments have come in, and explain those that cannot be placed."""
    pay_first.close_pending(now=timezone.now())


@shared_task(name="orders.tasks.keep_totals")
def keep_totals() -> None:
    """Reckon the totals of today, and of days that late charges and refunds have changed."""
    keeping.keep_totals(now=timezone.now())


@shared_task(name="orders.tasks.compare_totals")
def compare_totals() -> None:
    """Look at every day there is for changes that came later than any are expected."""
    keeping.note_changes()


@shared_task(name="orders.tasks.count_purchases")
def count_purchases() -> None:
    """Count what was bought lately, for the lists sorted by it."""
    purchase_counts.count_purchases(now=timezone.now())


@shared_task(name="orders.tasks.measure_quality")
def measure_quality() -> None:
    """Measure how fast services are, what becomes of their orders and what these bring, for the pages that say so."""
    now = timezone.now()
    changed, margins = service_quality.measure_quality(now=now), service_margin.measure_margins(now=now)
    log.info("measure_quality", changed=changed, margins=margins)


@shared_task(name="orders.tasks.credit_referrals")
def credit_referrals() -> None:
    """Credit what customers have earned by bringing others, where the orders are final."""
    referrals.credit_referrals(now=timezone.now())


@shared_task(name="orders.tasks.credit_cashback")
def credit_cashback() -> None:
    """Credit what orders have earned their own customers, where they are final."""
    cashback.credit_cashback(now=timezone.now())


@shared_task(name="orders.tasks.move_customers")
def move_customers() -> None:
    """Put customers on the level that their last thirty days belong to."""
    levels.move_customers(now=timezone.now())
