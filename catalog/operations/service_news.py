"""What changed today, for the page of changes: written down with each sync that changed something, and with new prices.

The day's rows are written anew each time, in the transaction that changes the catalog: what came of a day is what
counts, so a service that left and came back within it is no news.
"""

from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.batches import delete_in_batches
from catalog.models import PricePoint, Service, ServiceChange, ServiceNews, SyncRun
from catalog.pricing.price_points import keep_price_points

SHOWN_DAYS, KEPT_DAYS = 30, 40
FIRST_SYNC = timedelta(days=1)  # what a shop finds on its first day is not news
LEAST_PERCENT = 1  # less is rounding, or an exchange rate that breathes

NEWS, SERVICES, CHANGES = ServiceNews._meta.db_table, Service._meta.db_table, ServiceChange._meta.db_table
POINTS, RUNS = PricePoint._meta.db_table, SyncRun._meta.db_table
# In the order of their ids, and pages show the newest first. A row that is there already stays.
_INTO = f"INSERT INTO {NEWS} (service_id, day, kind, before_micros, after_micros)"
_ONCE = "ON CONFLICT (service_id, day) DO NOTHING"
_OF_TODAY = f"""
    SELECT change.service_id FROM {CHANGES} AS change JOIN {RUNS} AS run ON run.id = change.run_id
    WHERE run.started_at >= %(earlier)s AND change.created_at >= %(begins)s AND change.kind =
"""  # noqa: S608 - our own names of tables
_GONE = f"""
    {_INTO} SELECT service.id, %(day)s, 'gone', NULL, NULL FROM {SERVICES} AS service
    WHERE service.withdrawn_at >= %(begins)s AND service.first_seen_at < %(begins)s AND service.visible {_ONCE}
"""  # noqa: S608 - our own names of tables and columns
_NEW = f"""
    {_INTO} SELECT service.id, %(day)s, 'new', NULL, NULL FROM {SERVICES} AS service
    WHERE service.first_seen_at >= %(begins)s AND service.first_seen_at > %(opened)s
        AND service.withdrawn_at IS NULL AND service.visible {_ONCE}
"""  # noqa: S608 - our own names of tables and columns
_BACK = f"""
    {_INTO} SELECT service.id, %(day)s, 'back', NULL, NULL FROM {SERVICES} AS service
    WHERE service.withdrawn_at IS NULL AND service.visible
        AND service.id IN ({_OF_TODAY} 'back') AND service.id NOT IN ({_OF_TODAY} 'withdrawn') {_ONCE}
"""  # noqa: S608 - our own names of tables and columns
# Against what it cost when yesterday ended.
_PRICES = f"""
    {_INTO} SELECT found.id, %(day)s, CASE WHEN found.after < found.before THEN 'cheaper' ELSE 'dearer' END,
        found.before, found.after
    FROM (
        SELECT service.id, service.selling_per_thousand_micros AS after, (
            SELECT point.selling_per_thousand_micros FROM {POINTS} AS point
            WHERE point.service_id = service.id AND point.day < %(day)s ORDER BY point.day DESC LIMIT 1
        ) AS before
        FROM {SERVICES} AS service
        WHERE service.withdrawn_at IS NULL AND service.visible AND service.selling_per_thousand_micros > 0
    ) AS found
    WHERE found.before IS NOT NULL AND ABS(found.after - found.before) * 100 >= found.before * {LEAST_PERCENT}
        AND found.after <> found.before {_ONCE}
"""  # noqa: S608 - our own names of tables and columns


def write_days_news(*, now: datetime) -> int:
    """Write down what changed since midnight, and keep today's prices; return how many changes there are.

    One transaction, a handful of statements however many services there are.
    """
    day = timezone.localdate(now)
    begins = timezone.make_aware(datetime.combine(day, time.min))
    first = Service.objects.order_by("pk").values_list("first_seen_at", flat=True).first()
    if first is None:
        return 0
    moments = {"begins": begins, "earlier": begins - timedelta(days=1), "opened": first + FIRST_SYNC}
    with transaction.atomic(), connection.cursor() as cursor:
        values = {name: _stored(moment) for name, moment in moments.items()} | {"day": day}
        ServiceNews.objects.filter(day=day).delete()
        for statement in (_GONE, _NEW, _BACK, _PRICES):
            cursor.execute(statement, values)
        keep_price_points(now=now)
        return ServiceNews.objects.filter(day=day).count()


def news_of_sync(run: SyncRun) -> None:
    """Write the day's news with a sync that changed what is for sale, in its transaction."""
    changed = run.added or run.withdrawn or run.returned or run.repriced
    if run.kind == SyncRun.Kind.CATALOG and run.status == SyncRun.Status.APPLIED and changed:
        write_days_news(now=run.finished_at or timezone.now())


def clean_service_news(*, now: datetime) -> int:
    """Forget news that no page shows any more; return how many."""
    oldest = timezone.localdate(now) - timedelta(days=KEPT_DAYS)
    return delete_in_batches(ServiceNews.objects.filter(day__lt=oldest).order_by("pk"))


def _stored(moment: datetime) -> Any:
    return Service._meta.get_field("first_seen_at").get_db_prep_value(moment, connection)
