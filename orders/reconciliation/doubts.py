"""What is laid out for staff where nothing could be proved."""

from datetime import datetime
from typing import Any

from django.db import transaction

from orders.attempts.answers import State
from orders.lifecycle.attention import Flag, raise_flag
from orders.lifecycle.transitions import Change, write_events
from orders.models import LostAttempt, Order, OrderEvent

# Of an attempt that nobody waits for, only what upstream answered is worth a human's time.
ABOUT_ANSWERS = (
    LostAttempt.Doubt.CANDIDATES,
    LostAttempt.Doubt.UNEXPLAINED,
    LostAttempt.Doubt.PRICES,
    LostAttempt.Doubt.FORGOTTEN,
)


def keep_doubt(
    row: LostAttempt,
    doubt: LostAttempt.Doubt,
    detail: str,
    found: dict[str, Any],
    *,
    now: datetime,
    question: str = "",
) -> None:
    """Keep why an attempt was not settled, and what was found; a window that was closed by hand meanwhile stays so.

    `question` is what upstream was asked, "" where it was not. Staff is told once that what they called not placed may
    have been placed.
    """
    if not question and (row.doubt, row.doubt_detail, row.evidence) == (doubt, detail[:300], found):
        return
    as_read = LostAttempt.objects.filter(pk=row.pk, state=row.state, closed_at_id=row.closed_at_id)
    kept = {"doubt": doubt, "doubt_detail": detail[:300], "evidence": found, "looked_at": now, "asked_about": question}
    if row.state != State.ABANDONED or doubt not in ABOUT_ANSWERS:
        as_read.update(**kept)
        return
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=row.order_id)
        if not as_read.update(**kept) or row.doubt in ABOUT_ANSWERS:
            return
        candidates = [each["id"] for each in found["candidates"]]
        raise_flag(order.pk, Flag.PERHAPS_TWICE, now=now, upstream_ids=candidates)
        said = {"code": Flag.PERHAPS_TWICE, "details": {"upstream_ids": candidates}}
        change = Change(order.pk, {}, {**said, **found, "looked_at": now.isoformat()})
        write_events([change], code=OrderEvent.Code.ATTENTION, status=order.status, now=now)
