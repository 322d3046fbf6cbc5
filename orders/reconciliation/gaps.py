"""What upstream has from the time that a restored database has forgotten: asked for once, id by id, and kept for staff.

An id that answers and is nobody's is a `FoundOrder`. It breaks no assumption and proves nothing by itself: it may
belong to an order that was waiting at the backup, or to one that is forgotten altogether. Who can be is shown beside
each waiting order. When staff says that it is a forgotten one, it is nobody's candidate any more, and what is left of a
closed window proves as it always does. An id that an order of another kind has is asked about as well: the kinds may be
counted apart.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.models import User
from notifications.outbox import tell_admins
from orders.attempts.windows import forgotten_at, known_ids
from orders.lifecycle.supply import Report, supplies
from orders.models import FoundOrder, LostAttempt, Order, RestoreGap
from orders.reconciliation.other_kinds import OtherKinds, is_word_about_the_kind
from upstream.client import Client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
ASKED_AT_ONCE = 200  # ids a round, of some thousand calls that are allowed in the same time
LONGEST_ROUND_SECONDS = 10.0  # the next round is due soon, and threads that ask here send no orders
ASK_AGAIN = timedelta(hours=6)  # what a found order is charged in the end


def look_into_gaps(*, client: Client, now: datetime) -> int:
    """Ask on about what restored databases have forgotten, and about what was found; return how many were found.

    A question that fails ends the round; the next one goes on there.
    """
    found: dict[RestoreGap, int] = {}
    try:
        for gap in RestoreGap.objects.filter(finished_at=None).order_by("pk"):
            found[gap] = _look_into(gap, client, now)
        _ask_again(client, now)
    except UpstreamError as error:
        log.warning("gap_not_asked_about", error=str(error))
    _settle_known(now)  # before staff is told: what was being sent meanwhile is known by now
    for gap, count in found.items():
        if count:
            _tell(gap, now)
    return sum(found.values())


def settle_found(found_id: int, *, note: str, actor: User, now: datetime) -> bool:
    """Say that an order upstream is of none that waits here: it was forgotten; return whether that was open."""
    rows = FoundOrder.objects.open().filter(pk=found_id)
    return bool(rows.update(settled_at=now, settled_by=actor, note=note[:300]))


@dataclass(frozen=True)
class _Asked:
    until: int
    found: int


def _look_into(gap: RestoreGap, client: Client, now: datetime) -> int:
    window = forgotten_at(gap.kind, gap.restored_at)
    if gap.first_id is None:  # nothing had ever been sent: there is nowhere to begin
        RestoreGap.objects.filter(pk=gap.pk).update(finished_at=now, last_id=window.last)
        return 0
    asked_until = gap.first_id - 1 if gap.asked_until is None else gap.asked_until
    last = window.last if window.last is not None else _look_ahead(gap)
    asked = _ask_range(gap, range(asked_until + 1, min(last, asked_until + ASKED_AT_ONCE) + 1), client, now)
    changes: dict[str, object] = {"asked_until": max(asked.until, asked_until), "last_id": window.last}
    if window.last is not None and asked.until >= window.last:
        changes["finished_at"] = now
    RestoreGap.objects.filter(pk=gap.pk).update(**changes)
    return asked.found


def _look_ahead(gap: RestoreGap) -> int:
    """Until an order closes the gap: some ids after the last that was found; between them are only strangers'."""
    texts = FoundOrder.objects.filter(gap=gap).values_list("upstream_id", flat=True)
    newest = max((int(text) for text in texts), default=0)
    return max((gap.first_id or 0) - 1, newest) + settings.RECONCILE_LOOK_AHEAD


def _ask_range(gap: RestoreGap, ids: range, client: Client, now: datetime) -> _Asked:
    """Ask about these ids as far as upstream answers, and keep what is found. Raises UpstreamError for the first."""
    ours, others = known_ids(gap.kind, ids), OtherKinds(gap.kind, client)
    theirs = others.with_ids(ids)
    until, found, ends_at = ids.start - 1, 0, time.monotonic() + LONGEST_ROUND_SECONDS
    for number in ids:
        if time.monotonic() > ends_at:
            break
        if number not in ours:
            try:
                report = supplies()[gap.kind].look_up(client, str(number))
                known = report is not None and number in theirs and others.have(number, report)
            except UpstreamError as error:
                if number in theirs and is_word_about_the_kind(error):
                    report, known = None, False
                elif until < ids.start:
                    raise
                else:
                    break
            if report is not None and not known:
                found += _keep(gap, number, report, now)
        until = number
    return _Asked(until, found)


def _keep(gap: RestoreGap, number: int, report: Report, now: datetime) -> bool:
    """Keep what answered, unless an order of ours has got this very id meanwhile; return whether it is new."""
    with transaction.atomic():
        if known_ids(gap.kind, [number]):
            return False
        _row, is_new = FoundOrder.objects.get_or_create(
            kind=gap.kind,
            upstream_id=str(number),
            defaults={"gap": gap, "found_at": now, "asked_at": now, **_told(report)},
        )
    return is_new


def _told(report: Report) -> dict[str, object]:
    return {
        "word": report.word[:100],
        "charge_upstream_micros": report.charge_upstream_micros,
        "start_count": report.start_count,
        "remains": report.remains,
    }


def _ask_again(client: Client, now: datetime) -> None:
    """See what upstream charges in the end for what nobody here follows."""
    late = now - timedelta(days=settings.LATE_CHANGE_DAYS)
    rows = FoundOrder.objects.of_nobody().filter(asked_at__lt=now - ASK_AGAIN, found_at__gt=late)
    for row in rows.order_by("asked_at")[:ASKED_AT_ONCE]:
        report = supplies()[row.kind].look_up(client, row.upstream_id)
        told = {} if report is None else _told(report)
        FoundOrder.objects.filter(pk=row.pk).update(asked_at=now, **told)


def _settle_known(now: datetime) -> None:
    """Note of what was found which order here turned out to have it; two statements, however much was found."""
    same = {"kind": OuterRef("kind"), "upstream_id": OuterRef("upstream_id")}
    losses = LostAttempt.objects.filter(state=LostAttempt.State.LOSS, **same)
    for known, order_id in ((Order.objects.filter(**same), "pk"), (losses, "order_id")):
        FoundOrder.objects.of_nobody().filter(Exists(known)).update(
            order_id=Subquery(known.values(order_id)[:1]), settled_at=Coalesce("settled_at", Value(now))
        )


def _tell(gap: RestoreGap, now: datetime) -> None:
    count = FoundOrder.objects.open().filter(gap=gap).count()
    if not count:
        return
    body = _(
        "Upstream has %(count)d orders from the time that the restored database has forgotten. Whose they are is not "
        "known here: compare them with the supplier's own list (Admin → Orders found after a restore)."
    ) % {"count": count}
    tell_admins(f"found:{gap.pk}", _("Orders were found after the restore"), body, now)
