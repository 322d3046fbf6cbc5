"""Notices that were sent, or given up, long ago are deleted; what still waits stays."""

from datetime import datetime

from django.conf import settings
from django.db.models import Q

from accounts.batches import delete_in_batches
from notifications.models import Notice
from notifications.outbox import MAX_TRIES
from preferences.keeping import NOTICES_KEPT


def clean_notices(*, now: datetime) -> int:
    """Delete old notices; return how many.

    A key that is forgotten could be told again. So they are kept for longer than anything they tell of may still move.
    What admins were to read, in a shop that names none of them, waits for nobody.
    """
    old = Notice.objects.filter(created_at__lt=now - NOTICES_KEPT.value)
    over = Q(sent_at__isnull=False) | Q(tries__gte=MAX_TRIES)
    if not settings.ADMINS:
        over |= Q(user=None)
    return delete_in_batches(old.filter(over).order_by("created_at"))
