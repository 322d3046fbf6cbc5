"""How fast services are and what becomes of their orders, measured from the orders of the last days.

What is counted, and why, is in docs/quality.md. Nothing of a customer is in it: figures of many orders alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, FilteredRelation, Q, QuerySet

from accounts.batches import spans
from catalog.models import Service, ServiceQuality, in_steps
from catalog.models.services import NEVER_MEASURED
from catalog.preferences import MEASURED_DAYS, MEASURED_LEAST
from orders.accounting.measured_rows import WRITTEN_AT_ONCE, keep_measured
from orders.models import FINISHED, Kind, Order, OrderEvent, ServiceRequest, Status

SHARES = (0.5, 0.9)  # what is usual, and what nine in ten stay below
COMPLETED, PARTIAL, REFUNDED = range(3)
DAY_SECONDS = 86_400
FIGURES = (
    *("orders", "completed", "partial", "refunded", "by_day"),
    *("start_seconds", "start_seconds_most", "done_seconds", "done_seconds_most"),
)
SERVICES_AT_ONCE = 5000  # compared, and few of them written
Row = Mapping[str, Any]  # what is read of one order
Ended = QuerySet[Any, Any]  # of such rows

# One look at the orders, whatever number of services they are of.
_MEASURE = f"""
    WITH ended AS MATERIALIZED (
        SELECT service_id,
            CASE WHEN status IN ('{Status.CANCELED}', '{Status.FAILED}') OR refunded_micros >= price_micros
                    THEN {REFUNDED}
                WHEN status = '{Status.PARTIAL}' OR refunded_micros > 0 THEN {PARTIAL} ELSE {COMPLETED} END AS became,
            EXTRACT(EPOCH FROM COALESCE(began, finished_at) - created_at)::float8 AS start,
            EXTRACT(EPOCH FROM finished_at - created_at)::float8 AS done,
            FLOOR(EXTRACT(EPOCH FROM finished_at - %s) / {DAY_SECONDS})::int AS day
        FROM ({{found}}) AS found
    ), whole AS (
        SELECT service_id, COUNT(*) FILTER (WHERE became = {COMPLETED}) AS completed,
            COUNT(*) FILTER (WHERE became = {PARTIAL}) AS partial,
            COUNT(*) FILTER (WHERE became = {REFUNDED}) AS refunded,
            PERCENTILE_CONT(%s::float8[]) WITHIN GROUP (ORDER BY start) FILTER (WHERE became <> {REFUNDED}) AS starts,
            PERCENTILE_CONT(%s::float8[]) WITHIN GROUP (ORDER BY done) FILTER (WHERE became = {COMPLETED}) AS dones
        FROM ended GROUP BY service_id HAVING COUNT(*) >= %s
    ), days AS (
        SELECT service_id, JSONB_OBJECT_AGG(day, middle) AS middles FROM (
            SELECT service_id, day, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY done) AS middle
            FROM ended JOIN whole USING (service_id) WHERE became = {COMPLETED} GROUP BY service_id, day
        ) AS by_day GROUP BY service_id
    )
    SELECT service_id, completed, partial, refunded, starts, dones, middles::text
    FROM whole LEFT JOIN days USING (service_id)
"""  # noqa: S608 - our own words and numbers

_TELL_LISTS = f"""
    UPDATE {Service._meta.db_table} SET done_seconds = measured.seconds, completed_percent = measured.share
    FROM (
        SELECT id, seconds, share FROM (
            SELECT service.id, service.done_seconds, service.completed_percent,
                COALESCE(quality.done_seconds, {NEVER_MEASURED}) AS seconds,
                COALESCE(100 * quality.completed / quality.orders, 0) AS share
            FROM {Service._meta.db_table} service
            LEFT JOIN {ServiceQuality._meta.db_table} quality ON quality.service_id = service.id
            WHERE service.id > %s AND service.id <= %s
        ) AS compared WHERE done_seconds <> seconds OR completed_percent <> share
    ) AS measured
    WHERE measured.id = {Service._meta.db_table}.id"""  # noqa: S608 - our own names


class Measured(NamedTuple):
    """What became of one service's orders; times in seconds, as they are: at the half and at nine in ten."""

    service_id: int
    completed: int
    partial: int
    refunded: int
    starts: Sequence[float] | None
    dones: Sequence[float] | None
    by_day: dict[int, float]  # the usual time to the end, by day, the first of the days is 0


def measure_quality(*, now: datetime) -> int:
    """Measure every service with enough orders that ended in the last days; return of how many the figures differ.

    Only what differs is written, because every change makes what is kept of pages old.
    """
    since = first_day(now)
    measure = _measured_by_database if connection.vendor == "postgresql" else _measured_here
    found = {each.service_id: _row(each, now) for each in measure(_ended(since, now), since)}
    differing = keep_measured(ServiceQuality, found, FIGURES)
    for span in spans(Service.objects.all(), SERVICES_AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(_TELL_LISTS, [*span])
    return differing


def first_day(now: datetime) -> datetime:
    """Return where the days that are measured begin: whole days, so that orders leave them once a day."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=MEASURED_DAYS.value.days - 1)


def _ended(since: datetime, now: datetime) -> Ended:
    """Orders that ended then, without those that say nothing of a service: staff's, and what the buyer called off."""
    ended = Order.objects.filter(kind=Kind.SERVICE, finished_at__gte=since, finished_at__lte=now, status__in=FINISHED)
    ended = ended.filter(original=None)  # nothing was paid for what replaces goods, so nothing tells how it went
    # From the few orders that were canceled to their events: there are too many of those to look at all.
    canceled = ended.filter(status=Status.CANCELED)
    unsent = canceled.filter(events__code=OrderEvent.Code.CANCELED, events__data__by="customer")
    # What the supplier had begun by then ends as partial. A request that staff declined has ended nothing.
    called_off = Q(requests__kind=ServiceRequest.Kind.CANCEL) & ~Q(requests__state=ServiceRequest.State.DECLINED)
    asked = ended.filter(called_off, status__in=(Status.CANCELED, Status.PARTIAL))
    return (
        ended.exclude(user__is_staff=True)
        .exclude(pk__in=unsent.order_by().values("pk"))
        .exclude(pk__in=asked.order_by().values("pk"))
        .annotate(seen=FilteredRelation("events", condition=Q(events__code=OrderEvent.Code.PROGRESS)))
        .annotate(began=F("seen__created_at"))
        .order_by()
        .values("service_id", "status", "price_micros", "refunded_micros", "created_at", "finished_at", "began")
    )


def _measured_by_database(ended: Ended, since: datetime) -> Iterator[Measured]:
    sql, params = ended.query.sql_with_params()
    shares = list(SHARES)
    with connection.cursor() as cursor:
        # Django's own statement between our own words.
        cursor.execute(_MEASURE.replace("{found}", sql), [since, *params, shares, shares, MEASURED_LEAST.value])
        for *figures, middles in cursor.fetchall():
            by_day = {int(day): middle for day, middle in json.loads(middles or "{}").items()}
            yield Measured._make((*figures, by_day))


def _measured_here(ended: Ended, since: datetime) -> Iterator[Measured]:
    """Do the same where the database has no percentiles: orders pass by service, those of one in memory."""
    rows = ended.order_by("service_id").iterator(chunk_size=WRITTEN_AT_ONCE)
    for service_id, orders in groupby(rows, key=lambda row: row["service_id"]):
        became: dict[int, list[Row]] = {COMPLETED: [], PARTIAL: [], REFUNDED: []}
        for order in orders:
            became[_became(order)].append(order)
        counts = [len(each) for each in became.values()]
        if sum(counts) < MEASURED_LEAST.value:
            continue
        by_day: dict[int, list[float]] = {}
        for order in became[COMPLETED]:
            by_day.setdefault((order["finished_at"] - since).days, []).append(_seconds(order, "finished_at"))
        starts = [_seconds(order, "began") for order in (*became[COMPLETED], *became[PARTIAL])]
        dones = [_seconds(order, "finished_at") for order in became[COMPLETED]]
        middles = {day: percentile(sorted(took), 0.5) for day, took in by_day.items()}
        completed, partial, refunded = counts
        times = _percentiles(starts), _percentiles(dones)
        yield Measured(service_id, completed, partial, refunded, *times, middles)


def _became(order: Row) -> int:
    if order["status"] in (Status.CANCELED, Status.FAILED) or order["refunded_micros"] >= order["price_micros"]:
        return REFUNDED
    return PARTIAL if order["status"] == Status.PARTIAL or order["refunded_micros"] > 0 else COMPLETED


def _seconds(order: Row, until: str) -> float:
    took: timedelta = (order[until] or order["finished_at"]) - order["created_at"]
    return took.total_seconds()


def _percentiles(took: Iterable[float]) -> list[float] | None:
    ordered = sorted(took)
    return [percentile(ordered, share) for share in SHARES] if ordered else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return what this share of the values stay below, between two of them where need be, as PERCENTILE_CONT does."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _row(measured: Measured, now: datetime) -> ServiceQuality:
    """Return the row for these figures: times in steps, and none of too few orders."""
    least = MEASURED_LEAST.value
    completed, partial, refunded = measured.completed, measured.partial, measured.refunded
    start, start_most = _kept(measured.starts if completed + partial >= least else None)
    done, done_most = _kept(measured.dones if completed >= least else None)
    days = [measured.by_day.get(day) for day in range(MEASURED_DAYS.value.days)]
    return ServiceQuality(
        service_id=measured.service_id,
        orders=completed + partial + refunded,
        completed=completed,
        partial=partial,
        refunded=refunded,
        start_seconds=start,
        start_seconds_most=start_most,
        done_seconds=done,
        done_seconds_most=done_most,
        by_day=[None if took is None or done is None else in_steps(took) for took in days],
        measured_at=now,
    )


def _kept(times: Sequence[float] | None) -> tuple[int | None, int | None]:
    return (None, None) if times is None else (in_steps(times[0]), in_steps(times[1]))
