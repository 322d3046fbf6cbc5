"""What is forgotten of orders that ended long ago. Orders, their events, goods and money stay."""

from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings

from accounts.append_only import EVENTS, empty_old_columns
from accounts.batches import ROWS_AT_ONCE, delete_in_batches, while_time_is_left
from orders.models import FINISHED, GoodsReveal, Order, OrderEvent, PromisedLoss, RetentionMark

Code = OrderEvent.Code
# Their evidence says how a routine step went (which attempt, which answer): read while an order is young, if ever. That
# of refusals, lost answers, refunds, flags, losses and decisions is kept: it says why money went where it did.
ROUTINE = (Code.PLACED, Code.CLAIMED, Code.ACCEPTED, Code.NOT_SENT, Code.PROGRESS, Code.COMPLETED)
EVIDENCE = "evidence of order events"
LONGEST_ORDER = timedelta(days=30)


def wipe_order_evidence(*, now: datetime) -> int:
    """Empty the technical evidence of routine events of orders that ended long ago; return of how many events.

    Goes through the events once, the oldest first, and remembers how far it came: no run looks at all of them. An event
    is passed when its order has usually been over for long enough; that of an order which took longer keeps everything.
    """
    before = now - settings.RETENTION.order_evidence
    mark, _created = RetentionMark.objects.get_or_create(name=EVIDENCE)
    wiped = 0
    for _batch in while_time_is_left():
        ahead = OrderEvent.objects.filter(pk__gt=mark.passed_id).order_by("pk")[:ROWS_AT_ONCE]
        rows = list(ahead.values_list("pk", "created_at"))
        passed = [pk for pk, _moment in takewhile(lambda row: row[1] < before - LONGEST_ORDER, rows)]
        if not passed:
            break
        over = Order.objects.filter(status__in=FINISHED, finished_at__lt=before)
        routine = OrderEvent.objects.filter(pk__in=passed, code__in=ROUTINE, order__in=over).exclude(evidence={})
        wiped += empty_old_columns(EVENTS, routine)
        ours = RetentionMark.objects.filter(pk=mark.pk, passed_id=mark.passed_id)
        if not ours.update(passed_id=passed[-1]):
            break  # another run is at work
        mark.passed_id = passed[-1]
    return wiped


def clean_goods_looks(*, now: datetime) -> int:
    """Delete the log of who looked at delivered goods long ago; return how many days of somebody's looks."""
    old = GoodsReveal.objects.filter(created_at__lt=now - settings.RETENTION.goods_looks)
    return delete_in_batches(old.order_by("created_at"))


def clean_promised_losses(*, now: datetime) -> int:
    """Delete the counts whose last promise is over: they say nothing more. Orders keep what each of them lost."""
    return delete_in_batches(PromisedLoss.objects.filter(until__lte=now).order_by("until"))
