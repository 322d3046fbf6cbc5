"""What services cost over time: a point a day at most, kept where a price is another one than at the last point."""

from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import PricePoint, Service

KEPT_DAYS = 400
TABLE, SERVICES = PricePoint._meta.db_table, Service._meta.db_table
# One statement, which looks up the last point of each service in the index of their days.
_KEEP = f"""
    INSERT INTO {TABLE} (service_id, day, selling_per_thousand_micros)
    SELECT service.id, %s, service.selling_per_thousand_micros FROM {SERVICES} AS service
    WHERE service.withdrawn_at IS NULL AND service.visible AND service.selling_per_thousand_micros > 0
        AND service.selling_per_thousand_micros <> COALESCE((
            SELECT point.selling_per_thousand_micros FROM {TABLE} AS point
            WHERE point.service_id = service.id ORDER BY point.day DESC LIMIT 1
        ), 0)
    ON CONFLICT (service_id, day) DO UPDATE SET selling_per_thousand_micros = EXCLUDED.selling_per_thousand_micros
"""  # noqa: S608 - our own names of tables
# The last point before the limit stays: it says what a service cost from then on.
_FORGET = f"""
    DELETE FROM {TABLE} WHERE day < %s AND EXISTS (
        SELECT 1 FROM {TABLE} AS later
        WHERE later.service_id = {TABLE}.service_id AND later.day > {TABLE}.day AND later.day <= %s
    )
"""  # noqa: S608


def keep_price_points(*, now: datetime) -> int:
    """Keep today's price of every service on sale whose price has changed since its last point; return how many.

    Prices are those of customers without a group. Points older than KEPT_DAYS are forgotten.
    """
    today = timezone.localdate(now)
    oldest = today - timedelta(days=KEPT_DAYS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_KEEP, [today])
        kept = int(cursor.rowcount)
        cursor.execute(_FORGET, [oldest, oldest])
    return kept


def price_steps(service: Service, *, since: date, today: date) -> list[tuple[date, int]]:
    """Return from which day on a service cost how much per 1,000 pieces, oldest first; one query.

    The first step may begin before `since`. The last one is what it costs today.
    """
    points = PricePoint.objects.filter(service=service).order_by("day")
    steps: list[tuple[date, int]] = []
    for day, micros in points.values_list("day", "selling_per_thousand_micros"):
        if steps and day <= since:
            steps.pop()
        if not steps or steps[-1][1] != micros:
            steps.append((day, micros))
    now = service.selling_per_thousand_micros
    if now and steps and steps[-1][0] >= today and steps[-1][1] != now:
        steps.pop()  # what it costs at the end of today counts
    if now and (not steps or steps[-1][1] != now):
        steps.append((today, now))
    return steps
