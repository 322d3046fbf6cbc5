"""What the trail forgets: from where an entry was made, and with what browser. The entry itself stays."""

from datetime import datetime

from django.conf import settings

from accounts.append_only import TRAIL, empty_old_columns
from accounts.batches import batches
from accounts.models import TrailEntry


def thin_trail(*, now: datetime) -> int:
    """Empty address and browser of old entries; return of how many."""
    old = TrailEntry.objects.filter(created_at__lt=now - settings.RETENTION.trail_origins).exclude(origin_salt="")
    return sum(
        empty_old_columns(TRAIL, TrailEntry.objects.filter(pk__in=ids)) for ids in batches(old.order_by("created_at"))
    )
