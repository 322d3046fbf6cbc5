"""Exports are deleted after some days; rows that only tell of them a while later."""

from datetime import datetime, timedelta

from django.db.models import Q

from accounts.batches import delete_in_batches
from preferences.keeping import EXPORTS_KEPT
from privacy.exports.files import remove, remove_strays
from privacy.models import DataExport

State = DataExport.State
ROWS_KEPT = timedelta(days=90)
# Longer than a worker is without a row for the file it writes.
STRAY_SECONDS = 86_400


def clean_exports(*, now: datetime) -> int:
    """Delete the files of exports that were ready long ago, files nobody knows, and old rows; return how many."""
    old = DataExport.objects.filter(state=State.READY, ready_at__lt=now - EXPORTS_KEPT.value)
    cleaned = 0
    for export in old:
        remove(export.file_name)
        cleaned += DataExport.objects.filter(pk=export.pk).update(state=State.GONE, file_name="")
    known = set(DataExport.objects.exclude(file_name="").values_list("file_name", flat=True))
    cleaned += remove_strays(known, older_than_seconds=STRAY_SECONDS)
    over = Q(state__in=[State.GONE, State.FAILED], requested_at__lt=now - ROWS_KEPT)
    return cleaned + delete_in_batches(DataExport.objects.filter(over).order_by("pk"))
