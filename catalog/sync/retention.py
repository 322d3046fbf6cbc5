"""The details of old syncs are forgotten: what each changed, and what was held back and decided about."""

from datetime import datetime

from django.db.models import Exists, Max, OuterRef

from accounts.batches import delete_in_batches
from catalog.models import ServiceChange, SyncRun
from preferences.keeping import SYNC_DETAILS_KEPT

Status = SyncRun.Status


def clean_sync_details(*, now: datetime) -> int:
    """Delete old runs with their changes and answers; return how many rows.

    One that runs or waits for a decision stays, and so does the newest of each kind and status: that is what the admin
    and the next sync look at.
    """
    newest = SyncRun.objects.order_by().values("kind", "status").annotate(newest=Max("pk")).values_list("newest")
    kept = [pk for (pk,) in newest]
    old = SyncRun.objects.filter(started_at__lt=now - SYNC_DETAILS_KEPT.value)
    over = old.exclude(status__in=[Status.RUNNING, Status.QUARANTINED]).exclude(pk__in=kept)
    changes = ServiceChange.objects.filter(run__in=over.order_by().values("pk"))
    deleted = delete_in_batches(changes.order_by("pk"))
    bare = over.filter(~Exists(ServiceChange.objects.filter(run=OuterRef("pk"))))
    return deleted + delete_in_batches(bare.order_by("started_at"))
