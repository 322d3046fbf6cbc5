"""Between which two syncs an attempt lies: what was read of prices before it, and for the first time after it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from catalog.models import SyncRun

APPLIED = (SyncRun.Status.APPLIED, SyncRun.Status.UNCHANGED)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SyncSpan:
    """Prices known at `after` and those that changed up to `until` are all there were; None: not ended yet."""

    after: datetime
    until: datetime | None

    @property
    def closed(self) -> bool:
        """Whether it lies between two syncs."""
        return self.after > EARLIEST and self.until is not None


def sync_span(kind: str, sent_at: datetime) -> SyncSpan:
    """Return the span of an attempt sent then, which upstream may have carried out until the settling time was over."""
    runs = SyncRun.objects.filter(kind=kind, status__in=APPLIED, finished_at__isnull=False)
    before = runs.filter(finished_at__lte=sent_at).order_by("-finished_at").first()
    settled_at = sent_at + timedelta(seconds=settings.SETTLE_SECONDS)
    since = runs.filter(started_at__gte=settled_at).order_by("started_at").first()
    return SyncSpan(
        after=before.finished_at if before is not None and before.finished_at else EARLIEST,
        until=since.finished_at if since is not None else None,
    )
