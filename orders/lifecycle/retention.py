"""What is forgotten of orders that ended long ago. Orders, their events, goods and money stay."""

from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.db.models import Q

from accounts.append_only import EVENTS, empty_old_columns
from accounts.batches import ROWS_AT_ONCE, delete_in_batches, while_time_is_left
from orders.models import FINISHED, GoodsReveal, Order, OrderEvent, PromisedLoss, RetentionMark
from preferences.keeping import GOODS_LOOKS_KEPT, LOOK_ADDRESSES_KEPT

Code = OrderEvent.Code
# Their evidence says how a routine step went (which attempt, which answer): read while an order is young, if ever. That
# of refusals, lost answers, refunds, flags, losses and decisions is kept: it says why money went where it did.
ROUTINE = (Code.PLACED, Code.CLAIMED, Code.ACCEPTED, Code.NOT_SENT, Code.PROGRESS, Code.COMPLETED)
EVIDENCE = "evidence of order events"
LOOK_ADDRESSES = "addresses of looks at goods"
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
        if not _go_on(mark, passed[-1]):
            break
    return wiped


def clean_goods_looks(*, now: datetime) -> int:
    """Delete the log of who looked at delivered goods long ago; return how many days of somebody's looks."""
    old = GoodsReveal.objects.filter(created_at__lt=now - GOODS_LOOKS_KEPT.value)
    return delete_in_batches(old.order_by("created_at"))


def forget_look_addresses(*, now: datetime) -> int:
    """Empty from where delivered goods were looked at long ago; return of how many days of somebody's looks.

    Goes through the rows once, the oldest first, and remembers how far it came, as `wipe_order_evidence` does.
    """
    before = now - LOOK_ADDRESSES_KEPT.value
    mark, _created = RetentionMark.objects.get_or_create(name=LOOK_ADDRESSES)
    emptied = 0
    for _batch in while_time_is_left():
        ahead = GoodsReveal.objects.filter(pk__gt=mark.passed_id).order_by("pk")[:ROWS_AT_ONCE]
        passed = [pk for pk, _moment in takewhile(lambda row: row[1] < before, ahead.values_list("pk", "created_at"))]
        if not passed:
            break
        known = ~Q(address=None, last_address=None)
        emptied += GoodsReveal.objects.filter(known, pk__in=passed).update(address=None, last_address=None)
        if not _go_on(mark, passed[-1]):
            break
    return emptied


def _go_on(mark: RetentionMark, passed_id: int) -> bool:
    """Remember how far the job has come; False when another run of it is at work."""
    ours = RetentionMark.objects.filter(pk=mark.pk, passed_id=mark.passed_id)
    mark.passed_id = passed_id
    return bool(ours.update(passed_id=passed_id))


def clean_promised_losses(*, now: datetime) -> int:
    """Delete the counts whose last promise is over: they say nothing more. Orders keep what each of them lost."""
    return delete_in_batches(PromisedLoss.objects.filter(until__lte=now).order_by("until"))
