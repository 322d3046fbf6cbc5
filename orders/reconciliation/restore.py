"""After a restore from backup: the database no longer knows what was sent since."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext as _

from orders.attempts.answers import NOT_LOOKED_AT, Cause, note_lost
from orders.attempts.windows import forgotten_at, newest_upstream_id
from orders.fulfilment.pauses import end_pause, pause_forwarding
from orders.lifecycle.supply import supplies
from orders.lifecycle.transitions import Change, move_orders
from orders.models import (
    ForwardingPause,
    FoundOrder,
    LostAttempt,
    Order,
    OrderEvent,
    PendingCheckout,
    RestoreGap,
    Status,
    UpstreamBalance,
)

BATCH = 500
Reason = ForwardingPause.Reason


def declare_restored(*, known_until: datetime | None, now: datetime) -> int:
    """Pause forwarding and make every unsent or sending order unknown until it is reconciled; return how many.

    Any of them may have been sent after the backup was taken, at `known_until`. What upstream has from then on is
    looked for (`orders.reconciliation.gaps`). The pause does not wait for them: only what is sent after it closes their
    windows. Orders that wait for their payment are dropped: they may have been placed and delivered since.
    """
    with transaction.atomic():
        # Each restore has its own moment: what was bought around it is a gap that no window may reach into.
        ForwardingPause.objects.filter(reason=Reason.RESTORED, ended_at=None).update(ended_at=now)
        pause_forwarding(reason=Reason.RESTORED, now=now)
        for kind in supplies():
            first_id = forgotten_at(kind, now).first
            RestoreGap.objects.create(kind=kind, restored_at=now, known_until=known_until, first_id=first_id)
    _drop_pending(now)
    made_unknown = 0
    for kind in supplies():
        newest = newest_upstream_id(kind)
        # Whatever was lost before may have been settled, and sent again, after the backup was taken.
        LostAttempt.objects.unsettled().filter(kind=kind).update(
            sent_at=now, closed_at=None, closed_at_id=None, **NOT_LOOKED_AT
        )
        Order.objects.filter(kind=kind, status=Status.UNKNOWN).update(sent_at=now)
        while batch := list(
            Order.objects.filter(kind=kind, status__in=(Status.PAID, Status.SENDING)).values_list("pk", flat=True)[
                :BATCH
            ]
        ):
            changes = [Change(pk, {}, {"cause": Cause.RESTORED}) for pk in batch]
            with transaction.atomic():
                Order.objects.filter(pk__in=batch, last_upstream_id_before="").update(last_upstream_id_before=newest)
                Order.objects.filter(pk__in=batch).update(sent_at=now)  # it may have been sent until this moment
                move_orders(
                    changes,
                    Status.UNKNOWN,
                    code=OrderEvent.Code.UNKNOWN,
                    now=now,
                    claim_token=None,
                )
                for order in Order.objects.filter(pk__in=batch):
                    note_lost(order, Cause.RESTORED, "", now=now)
            made_unknown += len(batch)
    return made_unknown


def _drop_pending(now: datetime) -> None:
    """Drop what would be placed by itself once it is paid: the money goes to the wallet, and its owner decides."""
    for pending in PendingCheckout.objects.filter(state=PendingCheckout.State.WAITING).select_related("user"):
        with translation.override(pending.user.mail_language):
            reason = _("We had to restore our records, and it may have been delivered before: please look first.")
        dropped = {"state": PendingCheckout.State.DROPPED, "reason": reason[:300], "closed_at": now}
        PendingCheckout.objects.filter(pk=pending.pk, state=PendingCheckout.State.WAITING).update(**dropped)


def restore_under_way() -> RestoreGap | None:
    """Return what was noted of the restore whose pause has not ended, so that going on with it repeats nothing."""
    pause = ForwardingPause.objects.filter(reason=Reason.RESTORED, ended_at=None).first()
    return RestoreGap.objects.filter(restored_at=pause.started_at).first() if pause else None


def known_until_now() -> datetime | None:
    """Return when the newest thing happened that the database knows of; None for one that knows nothing.

    Of a restore that is under way it is what was known before: since then the restore itself has written.
    """
    if begun := restore_under_way():
        return begun.known_until
    moments = (
        Order.objects.aggregate(at=Max("created_at"))["at"],
        OrderEvent.objects.order_by("-id").values_list("created_at", flat=True).first(),
        UpstreamBalance.objects.aggregate(at=Max("asked_at"))["at"],  # looked at every minute, orders or not
    )
    return max((moment for moment in moments if moment is not None), default=None)


@dataclass(frozen=True)
class Left:
    """What a restore has left to do: orders that wait, orders found upstream, and gaps that are not all asked about."""

    unknown: int
    found: int
    gaps: int
    windows_open: int  # attempts whose window only a later order closes, or staff

    @property
    def is_nothing(self) -> bool:
        return not (self.unknown or self.found or self.gaps)


def left_of_restore() -> Left:
    """Count what is not settled yet; a few statements."""
    waiting = LostAttempt.objects.unsettled().filter(state=LostAttempt.State.LOST)
    return Left(
        unknown=waiting.count(),
        found=FoundOrder.objects.open().count(),
        gaps=RestoreGap.objects.filter(finished_at=None).count(),
        windows_open=waiting.filter(doubt__in=("", LostAttempt.Doubt.OPEN)).count(),
    )


def end_restore_pause(*, now: datetime) -> bool:
    """Let orders be sent again after a restore; return whether they were held by one."""
    pause = ForwardingPause.objects.filter(reason=Reason.RESTORED, ended_at=None).first()
    return pause is not None and end_pause(pause.pk, now=now)
