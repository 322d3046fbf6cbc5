"""How often services were bought lately: what lists that begin with the most bought are sorted by."""

from datetime import datetime, timedelta

from django.db import connection

from accounts.batches import spans
from catalog.models import Service
from orders.models import Order, Status

LATELY = timedelta(days=30)
# A subquery for each service took seconds with a hundred thousand of them.
_COUNT = f"""
    UPDATE {Service._meta.db_table} SET bought_lately = counted.bought
    FROM (
        SELECT service.id, COALESCE(lately.bought, 0) AS bought
        FROM {Service._meta.db_table} service
        LEFT JOIN (
            SELECT service_id, COUNT(*) AS bought FROM {Order._meta.db_table}
            WHERE service_id > %s AND service_id <= %s AND created_at > %s AND status NOT IN (%s, %s)
                AND original_id IS NULL
            GROUP BY service_id
        ) AS lately ON lately.service_id = service.id
        WHERE service.id > %s AND service.id <= %s AND service.bought_lately <> COALESCE(lately.bought, 0)
    ) AS counted
    WHERE counted.id = {Service._meta.db_table}.id"""  # noqa: S608 - our own names


def count_purchases(*, now: datetime) -> int:
    """Write down how many orders each service had lately, those that came to nothing left out; return how many differ.

    What replaces goods was not bought.

    Only what differs is written, because every change of a service makes what is kept of pages old.
    """
    since = connection.ops.adapt_datetimefield_value(now - LATELY)
    differ = 0
    for span in spans(Service.objects.all()):
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [*span, since, Status.FAILED.value, Status.CANCELED.value, *span])
            differ += cursor.rowcount
    return differ
