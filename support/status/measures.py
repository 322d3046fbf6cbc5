"""How each part of the shop is doing at a moment, from what the shop knows of itself: no question to anybody else.

A measure returns None where there is nothing to measure. What strangers can cause, such as forged callbacks of a
gateway, is no measure of ours.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django_redis import get_redis_connection

from catalog.models import SyncRun
from orders.fulfilment.pauses import Gate, gate
from orders.models import OPEN, Kind, Order
from sms.models import Number
from support.models import Health, Part
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured
from wallet.gateways import enabled_gateways
from wallet.models import TopUp

MINUTE, HOUR = 60, 3600
ROWS = 500  # the newest of a few hours: enough for a median
# Seconds from which a part is slow, and from which it counts as not working.
WAITING, OVERDUE = (5 * MINUTE, 30 * MINUTE), (10 * MINUTE, HOUR)
SLOW_CODES, FEW_CODES, NO_CODES = 3 * MINUTE, 5, 10
CODES_OF, ENDINGS_OF, SENT_OF, PAYMENTS_OF = (timedelta(hours=hours) for hours in (6, 2, 3, 1))
SYNCS_MISSED, SYNCS_LOST = 3, 24
SLOW_ANSWER_SECONDS = 1.0


@dataclass(frozen=True)
class Measure:
    """How a part is doing; `figure` is what the page says in words, see support/status/words.py."""

    health: str
    figure: dict[str, Any] = field(default_factory=dict)


def orders_sent(now: datetime) -> Measure:
    """Whether paid orders go out, and within how many seconds nine of ten lately did."""
    sent = Order.objects.filter(kind=Kind.SERVICE, sent_at__gte=now - SENT_OF, answered_at__isnull=False)
    times = [
        (sent_at - created_at).total_seconds()
        for sent_at, created_at in sent.order_by("-sent_at").values_list("sent_at", "created_at")[:ROWS]
        if sent_at is not None
    ]
    figure = {"within": _most(times)} if times else {}
    if gate() == Gate.CLOSED:
        return Measure(Health.DOWN, {"paused": True})
    waits = oldest_waits(now)
    health = graded(waits, WAITING)
    return Measure(health, figure if health == Health.OK else {"waits": round(waits)})


def delivery_followed(now: datetime) -> Measure:
    """Whether our provider answers, and whether it is asked in time about what is under way."""
    silent = provider_silent_since()
    silent_for = 0.0 if silent is None else (now - silent).total_seconds()
    due = next_question_due()
    late = 0.0 if due is None else (now - due).total_seconds()
    health = graded(max(late, silent_for), OVERDUE)
    if silent is not None:
        return Measure(Health.SLOW if health == Health.OK else health, {"silent": round(silent_for)})
    return Measure(health, {"late": round(late)} if health != Health.OK else {"under_way": due is not None})


def codes_received(now: datetime) -> Measure:
    """Whether codes come to numbers, and how many seconds half of them took lately."""
    came = Number.objects.filter(received_at__gte=now - CODES_OF, content_wiped_at=None)
    moments = came.order_by("-received_at").values_list("received_at", "created_at")[:ROWS]
    rows = [(received_at, created_at) for received_at, created_at in moments if received_at is not None]
    if not rows or rows[0][0] < now - ENDINGS_OF:
        # Of several customers: one who uses none of their numbers says nothing.
        vain = Number.objects.filter(created_at__gte=now - ENDINGS_OF, state=Number.State.EXPIRED).exclude(phone="")
        found = vain.aggregate(numbers=Count("pk"), customers=Count("order__user", distinct=True))
        if found["numbers"] >= NO_CODES and found["customers"] >= FEW_CODES:
            return Measure(Health.DOWN, {"none": True})
    times = [(received_at - created_at).total_seconds() for received_at, created_at in rows]
    if len(times) < FEW_CODES:
        return Measure(Health.OK)
    half = round(median(times))
    return Measure(Health.SLOW if half > SLOW_CODES else Health.OK, {"half": half})


def catalog_read(now: datetime) -> Measure | None:
    """How long ago prices and stock were last compared with our provider's."""
    good = (SyncRun.Status.APPLIED, SyncRun.Status.UNCHANGED)
    runs = SyncRun.objects.filter(kind=SyncRun.Kind.CATALOG, status__in=good, finished_at__isnull=False)
    last = runs.order_by("-started_at").values_list("finished_at", flat=True).first()
    if last is None:
        return None
    age = max(0.0, (now - last).total_seconds())
    every = float(settings.CELERY_BEAT_SCHEDULE["sync_catalog"]["schedule"])
    return Measure(graded(age, (SYNCS_MISSED * every, SYNCS_LOST * every)), {"age": round(age)})


def payments_begun(now: datetime) -> Measure | None:
    """Whether payments can be begun: how many of the last hour their gateway did not answer."""
    if not enabled_gateways():
        return None
    begun = TopUp.objects.filter(created_at__gte=now - PAYMENTS_OF).order_by("-pk")
    rows = begun.values_list("status", "gateway_id", "pay_url")[:ROWS]
    # As `start_top_up` leaves one whose gateway did not answer.
    failed = [row == (TopUp.Status.DECLINED, "", "") for row in rows]
    if not any(failed):
        return Measure(Health.OK)
    nothing_else = len(failed) > 1 and all(failed)
    return Measure(Health.DOWN if nothing_else else Health.SLOW, {"failed": sum(failed), "begun": len(failed)})


def website_answers(now: datetime) -> Measure:
    """How fast the database and the cache answer, which every page asks. That somebody measures says the rest."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    try:
        get_redis_connection("default").ping()
    except Exception:  # whatever keeps it from answering: pages are slower without it
        return Measure(Health.SLOW)
    return Measure(Health.SLOW if time.perf_counter() - started > SLOW_ANSWER_SECONDS else Health.OK)


MEASURES: dict[str, Callable[[datetime], Measure | None]] = {
    Part.ORDERS: orders_sent,
    Part.DELIVERY: delivery_followed,
    Part.NUMBERS: codes_received,
    Part.CATALOG: catalog_read,
    Part.PAYMENTS: payments_begun,
    Part.WEBSITE: website_answers,
}


def provider_silent_since() -> datetime | None:
    """Return since when our provider does not answer; None while it does, or none is set up."""
    try:
        limiter = default_client().limiter
    except UpstreamNotConfigured:
        return None
    down = None if limiter is None else limiter.down()
    return None if down is None else down.since


def oldest_waits(now: datetime) -> float:
    """Return for how many seconds the paid order that is sent next has been waiting; 0 where none waits."""
    first = Order.objects.waiting_to_send(now).values_list("hold_waived_at", "created_at").first()
    return 0.0 if first is None else (now - (first[0] or first[1])).total_seconds()


def next_question_due() -> datetime | None:
    """Return when our provider is to be asked about the first of the orders under way; None without any."""
    under_way = Order.objects.filter(kind=Kind.SERVICE, status__in=OPEN, next_poll_at__isnull=False)
    due: datetime | None = under_way.aggregate(due=Min("next_poll_at"))["due"]
    return due


def graded(seconds: float, limits: tuple[float, float]) -> str:
    """Return the health of something that is so late; `limits` are those of slow and of not working."""
    slow, down = limits
    if seconds >= down:
        return Health.DOWN
    return Health.SLOW if seconds >= slow else Health.OK


def _most(times: Sequence[float]) -> int:
    """Return what nine of ten do not exceed."""
    return round(sorted(times)[ceil(len(times) * 0.9) - 1])
