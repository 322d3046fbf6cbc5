"""How often codes come: counted over the last days, told only where enough numbers speak."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from accounts.batches import spans
from sms.models import Number, Project, SuccessRate

State = Number.State

# Seconds from one column to another, to the microsecond; both databases keep moments in UTC. SQLite's own functions
# round a moment to milliseconds, and not always to the same side: whole seconds and what follows the point are read
# apart.
_SQLITE_SECONDS = "(CAST(strftime('%%s', substr({0}, 1, 19)) AS INTEGER) + CAST('0' || substr({0}, 20) AS REAL))"
_SECONDS = {
    "postgresql": "EXTRACT(EPOCH FROM ({later} - {earlier}))",
    "sqlite": f"ROUND({_SQLITE_SECONDS.format('{later}')} - {_SQLITE_SECONDS.format('{earlier}')}, 6)",
}
# A number had its chance when it was fetched and has had its code, or has ended without one and was not let go before.
# The median is the mean of the one or two rows in the middle: neither database's own function for it is known to both.
_COUNT = """
    INSERT INTO sms_successrate (project_id, observed, received, median_seconds, counted_at)
    SELECT project_id, COUNT(*), SUM(got_it),
        CAST(ROUND(AVG(CASE WHEN got_it = 1 AND place BETWEEN codes / 2.0 AND codes / 2.0 + 1 THEN seconds END))
            AS INTEGER),
        %(now)s
    FROM (
        SELECT chance.project_id, chance.got_it, chance.seconds,
            ROW_NUMBER() OVER (PARTITION BY chance.project_id, chance.got_it ORDER BY chance.seconds) AS place,
            SUM(chance.got_it) OVER (PARTITION BY chance.project_id) AS codes
        FROM (
            SELECT number.project_id,
                CASE WHEN number.state = %(received)s THEN 1 ELSE 0 END AS got_it,
                CASE WHEN number.state = %(received)s THEN {to_code} END AS seconds
            FROM sms_number AS number
            LEFT JOIN sms_number AS later ON later.replaces_id = number.id
            WHERE number.project_id > %(after)s AND number.project_id <= %(last)s
                AND number.created_at >= %(since)s AND number.phone <> ''
                AND (number.state = %(received)s OR (
                    number.state IN (%(expired)s, %(canceled)s)
                    AND (number.cancel_requested_at IS NULL OR {to_canceling} >= %(chance)s)
                    AND (later.id IS NULL OR {to_replacement} >= %(chance)s)
                ))
        ) AS chance
    ) AS numbered
    WHERE 1 = 1
    GROUP BY project_id
    ON CONFLICT (project_id) DO UPDATE SET observed = EXCLUDED.observed, received = EXCLUDED.received,
        median_seconds = EXCLUDED.median_seconds, counted_at = EXCLUDED.counted_at
"""


def count_success_rates(now: datetime) -> int:
    """Count anew how often and how fast codes came to each project; return how many projects have figures.

    Some projects at a time, so that no statement takes long; at last those without a number lately are forgotten.
    """
    seconds = _SECONDS[connection.vendor]
    counting = _COUNT.format(
        to_code=seconds.format(later="number.received_at", earlier="number.created_at"),
        to_canceling=seconds.format(later="number.cancel_requested_at", earlier="number.created_at"),
        to_replacement=seconds.format(later="later.created_at", earlier="number.created_at"),
    )
    moment = connection.ops.adapt_datetimefield_value
    figures = {
        "now": moment(now),
        "since": moment(now - timedelta(days=settings.SMS_SUCCESS_DAYS)),
        "received": State.RECEIVED.value,
        "expired": State.EXPIRED.value,
        "canceled": State.CANCELED.value,
        "chance": settings.SMS_FAIR_CHANCE_SECONDS,
    }
    for after, last in spans(Project.objects.all()):
        with connection.cursor() as cursor:
            cursor.execute(counting, {**figures, "after": after, "last": last})
    SuccessRate.objects.filter(counted_at__lt=now).delete()
    return SuccessRate.objects.count()
