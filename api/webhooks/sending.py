"""Sending what is due: claim, post, record; no transaction is open while a receiver is talked to.

The row is the queue. A sender that dies leaves a claim that runs out, and the message is sent again under the same id:
a receiver hears of everything at least once.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.encryption import CannotDecrypt
from api.models import Webhook, WebhookDelivery
from api.webhooks.addresses import Resolve, resolve
from api.webhooks.events import MessageWiped, body_of
from api.webhooks.operations import switch_off_failing
from api.webhooks.posting import Answer, post
from api.webhooks.signing import secrets_of, signature
from orders.fulfilment.thread_pool import map_in_threads
from upstream.limits.time_left import is_over

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Seconds until the next attempt; together a little less than a day, then the message is given up.
BACK_OFF = (10, 30, 120, 600, 1800, 3600, *[7200] * 11)
MAX_ATTEMPTS = len(BACK_OFF) + 1
MAX_PER_HOST = 2
# Longer than any attempt takes: resolving, two addresses, each with its time.
CLAIM = timedelta(minutes=3)
ONE_AT_A_TIME = 0x776562686F6F6B73  # the name of the lock in PostgreSQL: "webhooks"


def send_due(*, seconds: float, now: datetime | None = None, resolver: Resolve = resolve) -> int:
    """Send what is due until nothing is, or `seconds` are over; return how many attempts were made.

    Sweeps may overlap, in one process or several: the claims share out the places, WEBHOOK_MAX_IN_FLIGHT in all.
    """
    ends_at = time.monotonic() + seconds
    places = settings.WEBHOOK_MAX_IN_FLIGHT
    waiting = WebhookDelivery.objects.due(now or timezone.now()).values_list("pk", flat=True)[:places]

    def work(_place: int) -> int:
        sent = 0
        while time.monotonic() < ends_at and not is_over():
            delivery = claim(now or timezone.now())
            if delivery is None:
                break
            send(delivery, now=now, resolver=resolver)
            sent += 1
        return sent

    threads = len(waiting)
    return sum(map_in_threads(range(threads), work, threads=threads, name="webhooks"))


def claim(now: datetime) -> WebhookDelivery | None:
    """Take the message that is longest due and has a place for it, for this sender alone; None: nothing has.

    Two at a time go to one host, a third of all places to one customer, and half of them to webhooks that are failing:
    receivers which answer do not wait for those which hang, nor for somebody with many that answer slowly.
    """
    with transaction.atomic():
        _one_at_a_time()
        under_way = WebhookDelivery.objects.filter(claimed_until__gt=now).order_by()
        taken = list(under_way.values_list("webhook__host", "webhook__user", "webhook__failing_since"))
        if len(taken) >= settings.WEBHOOK_MAX_IN_FLIGHT:
            return None
        busy = _full((host for host, _user, _since in taken), MAX_PER_HOST)
        greedy = _full((user for _host, user, _since in taken), max(settings.WEBHOOK_MAX_IN_FLIGHT // 3, 1))
        due = WebhookDelivery.objects.due(now).exclude(webhook__host__in=busy).exclude(webhook__user__in=greedy)
        failing = sum(1 for _host, _user, since in taken if since is not None)
        if failing >= settings.WEBHOOK_MAX_IN_FLIGHT / 2:
            due = due.filter(webhook__failing_since=None)
        found = due.order_by("next_attempt_at", "pk").values_list("pk", flat=True).first()
        if found is None:
            return None
        WebhookDelivery.objects.filter(pk=found).update(
            claim_token=uuid.uuid4(), claimed_until=now + CLAIM, attempts=F("attempts") + 1
        )
    return WebhookDelivery.objects.select_related("webhook", "order__user").filter(pk=found).first()


def send(delivery: WebhookDelivery, *, now: datetime | None = None, resolver: Resolve = resolve) -> None:
    """Post a claimed message and record what came of it."""
    webhook, began = delivery.webhook, now or timezone.now()
    unread = "what this message says"
    try:
        body = body_of(delivery)
        unread = "the secret of this webhook; change it, please"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "storefront-webhooks/1",
            "X-Webhook-Id": str(delivery.event_id),
            "X-Webhook-Event": delivery.event,
            "X-Webhook-Signature": signature(body, secrets_of(webhook, began), began),
        }
    except MessageWiped:  # by what cleans up, since it was claimed; the claim has gone with it
        return
    except CannotDecrypt:
        log.error("webhook_cannot_be_decrypted", webhook_id=webhook.pk, delivery_id=delivery.pk)
        answer = Answer(None, f"The shop cannot read {unread}.")
    except Exception:  # a thread's exception would end its sweep, and the claim would bring it back at once
        log.exception("webhook_body_not_made", delivery_id=delivery.pk)
        answer = Answer(None, "The shop could not make this message.")
    else:
        answer = post(webhook.url, body, headers, resolver=resolver)
    record(delivery, answer, now=now or timezone.now())


def record(delivery: WebhookDelivery, answer: Answer, *, now: datetime) -> None:
    """Write down what came of an attempt. A success counts however late; a failure only while the claim is ours."""
    free = {"claim_token": None, "claimed_until": None, "http_status": answer.status, "error": answer.error[:300]}
    mine = WebhookDelivery.objects.filter(pk=delivery.pk)
    webhook = Webhook.objects.filter(pk=delivery.webhook_id)
    if answer.delivered:
        with transaction.atomic():
            # Its row before the message's, as everywhere: whoever switches it off meanwhile holds it and wants these.
            webhook.exclude(failing_since=None).update(failing_since=None)
            mine.filter(delivered_at=None).update(delivered_at=now, next_attempt_at=None, given_up_at=None, **free)
        return
    log.info("webhook_not_delivered", delivery_id=delivery.pk, status=answer.status, attempts=delivery.attempts)
    with transaction.atomic():
        # Its row first, as whoever switches it off does it: what fails meanwhile must not wait for ever.
        row = webhook.select_for_update(no_key=True).first()
        over = delivery.attempts >= MAX_ATTEMPTS or row is None or row.disabled_at is not None
        again = None if over else now + timedelta(seconds=BACK_OFF[delivery.attempts - 1])
        ours = mine.filter(claim_token=delivery.claim_token, delivered_at=None)
        if ours.update(next_attempt_at=again, given_up_at=now if over else None, **free):
            webhook.filter(failing_since=None).update(failing_since=now)
    switch_off_failing(delivery.webhook_id, now=now)


def _full(takers: Iterable[T], maximum: int) -> list[T]:
    return [taker for taker, count in Counter(takers).items() if count >= maximum]


def _one_at_a_time() -> None:
    """Let one claim after the other count the places. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
