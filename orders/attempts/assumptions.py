"""What reconciliation relies on: checked against our own history all the time, switched off by itself when it fails."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import structlog

from orders.attempts.windows import forgotten, known_ids, unanswered, whole, windows_in_flight
from orders.lifecycle.drift import Subject, note_drift
from orders.lifecycle.supply import supplies
from orders.models import Order, UpstreamAssumption
from upstream.client import Client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
Name = UpstreamAssumption.Name
LOOKED_AT = 200


def holds(kind: str) -> bool:
    """Whether reconciliation of this kind may rely on both assumptions."""
    return not UpstreamAssumption.objects.filter(kind=kind, broken_at__isnull=False).exists()


def note_broken(name: str, kind: str, evidence: dict[str, Any], *, now: datetime) -> None:
    """Rely on this assumption no more, until the admin says otherwise; the first evidence is kept."""
    row, created = UpstreamAssumption.objects.get_or_create(
        name=name, kind=kind, defaults={"broken_at": now, "evidence": evidence}
    )
    if not created and not UpstreamAssumption.objects.filter(pk=row.pk, broken_at=None).update(
        broken_at=now, evidence=evidence
    ):
        return
    note_drift(Subject.ASSUMPTION, f"{row.get_name_display()} ({row.get_kind_display()})", evidence, now=now)
    log.warning("assumption_broken", name=name, kind=kind, evidence=evidence)


def rely_again(assumption_id: int) -> bool:
    """Rely on a broken assumption again, by the admin's word; return whether it was broken. Its evidence stays."""
    return bool(UpstreamAssumption.objects.filter(pk=assumption_id, broken_at__isnull=False).update(broken_at=None))


def check_ascending(order: Order, upstream_id: str, *, now: datetime) -> None:
    """Check the id that has just answered `order` against the ids we had before it was sent."""
    before, number = whole(order.last_upstream_id_before), whole(upstream_id)
    evidence = {"order": order.pk, "before": order.last_upstream_id_before, "answered": upstream_id}
    if number is None or (before is not None and number <= before):
        note_broken(Name.IDS_ASCEND, order.kind, evidence, now=now)


def probe_foreign_ids(*, client: Client, now: datetime) -> int:
    """Ask for one id between two of ours that is surely not ours, for each kind; return how many were asked.

    It has to answer "Order not found": if it answers with a status, a stranger's order could be taken for a lost one.
    """
    asked = 0
    for kind, supply in supplies().items():
        foreign = _foreign_id(kind) if holds(kind) else None
        if foreign is None:
            continue
        asked += 1
        try:
            report = supply.look_up(client, str(foreign))
        except UpstreamError:
            continue
        if report is not None:
            note_broken(Name.FOREIGN_NOT_FOUND, kind, {"id": foreign, "word": report.word}, now=now)
    return asked


def _foreign_id(kind: str) -> int | None:
    """Return an id in a gap between ids of ours that cannot belong to a lost order, nor to one that is being sent.

    The order of the questions matters: whoever has an id in a gap was being sent when the gap was seen, or lost, or is
    known by the last question.
    """
    recent = Order.objects.filter(kind=kind, upstream_id__isnull=False, sent_at__isnull=False).order_by("-id")
    texts = recent.values_list("upstream_id", flat=True)[:LOOKED_AT]
    ours = sorted(number for text in texts if (number := whole(text)) is not None)
    gaps = [low + 1 for low, high in pairwise(ours) if high - low > 1]
    if not gaps:
        return None
    # Where all kinds share one space of ids, `status` may answer for orders of the others, too.
    doubtful = [window for each in supplies() for window in windows_in_flight(each)]
    doubtful += [attempt.window for each in supplies() for attempt in unanswered(each)]
    doubtful += forgotten(kind)
    safe = {gap for gap in gaps if not any(window.may_hold(gap) for window in doubtful)}
    ours_all = {number for each in supplies() for number in known_ids(each, safe)}
    return max(safe - ours_all, default=None)
