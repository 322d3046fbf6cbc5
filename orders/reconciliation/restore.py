"""After a restore from backup: the database no longer knows what was sent since."""

from datetime import datetime

from django.db import transaction

from orders.attempts.answers import NOT_LOOKED_AT, Cause, note_lost
from orders.attempts.windows import newest_upstream_id
from orders.fulfilment.pauses import pause_forwarding
from orders.lifecycle.supply import supplies
from orders.lifecycle.transitions import Change, move_orders
from orders.models import ForwardingPause, LostAttempt, Order, OrderEvent, Status

BATCH = 500
Reason = ForwardingPause.Reason


def declare_restored(*, now: datetime) -> int:
    """Pause forwarding and make every unsent or sending order unknown until it is reconciled; return how many.

    Any of them may have been sent after the backup was taken. The admin ends the pause when they are settled.
    """
    with transaction.atomic():
        # Each restore has its own moment: what was bought around it is a gap that no window may reach into.
        ForwardingPause.objects.filter(reason=Reason.RESTORED, ended_at=None).update(ended_at=now)
        pause_forwarding(reason=Reason.RESTORED, now=now)
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
