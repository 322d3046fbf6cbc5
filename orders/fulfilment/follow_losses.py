"""What the shop pays for upstream and no order follows: an attempt that came twice, numbers that nobody asked for.

Upstream may give such money back, as it does for a number without a code: the books take what it charges in the end.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from orders.lifecycle.supply import Report, supply_of
from orders.lifecycle.transitions import Change, write_events
from orders.models import LostAttempt, OrderEvent
from upstream.client import Client
from upstream.errors import InvalidApiKey, Refused, UpstreamError
from upstream.money import text_from_micros

log = structlog.get_logger(__name__)
FIRST_LOOK = timedelta(minutes=15)
AT_ONCE = 50  # of one round: the rest comes in the next one


def follow_losses(*, client: Client, now: datetime) -> int:
    """Ask about the losses that are due, for LATE_CHANGE_DAYS; return how many charges have changed."""
    since = now - timedelta(days=settings.LATE_CHANGE_DAYS)
    losses = LostAttempt.objects.losses_beside().filter(settled_at__gt=since).select_related("order")
    due = [attempt for attempt in losses.order_by(F("looked_at").asc(nulls_first=True), "pk") if _is_due(attempt, now)]
    changed = 0
    for attempt in due[:AT_ONCE]:
        try:
            report = supply_of(attempt.order).look_up(client, attempt.upstream_id)
        except UpstreamError as error:
            log.warning("loss_not_followed", upstream_id=attempt.upstream_id, error=str(error))
            if not isinstance(error, Refused) or isinstance(error, InvalidApiKey):
                break
            report = None  # of this one it says nothing; the others are asked about
        changed += _record(attempt, report, now)
    return changed


def _is_due(attempt: LostAttempt, now: datetime) -> bool:
    """Each pause is as long as all before it, the first one a quarter of an hour."""
    began = attempt.settled_at or attempt.created_at
    looked_at = max(attempt.looked_at or began, began)
    return now >= looked_at + max(FIRST_LOOK, looked_at - began)


def _record(attempt: LostAttempt, report: Report | None, now: datetime) -> bool:
    """Keep what upstream says now; return whether that is another charge."""
    as_read = LostAttempt.objects.filter(pk=attempt.pk, state=LostAttempt.State.LOSS)
    charge = None if report is None else report.charge_upstream_micros
    if charge is None or charge == attempt.charge_upstream_micros:
        as_read.update(looked_at=now)
        return False
    before = attempt.charge_upstream_micros
    with transaction.atomic():
        if not as_read.filter(charge_upstream_micros=before).update(looked_at=now, charge_upstream_micros=charge):
            return False
        evidence = {
            "upstream_id": attempt.upstream_id,
            "charge": text_from_micros(charge),
            "charge_before": None if before is None else text_from_micros(before),
        }
        change = Change(attempt.order_id, {}, evidence)
        write_events([change], code=OrderEvent.Code.ATTENTION, status=attempt.order.status, now=now)
    log.info("charge_of_loss_changed", order_id=attempt.order_id, **evidence)
    return True
