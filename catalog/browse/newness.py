"""Which services are marked as new: those that a sync found lately, after what the shop began with."""

from datetime import datetime, timedelta

from catalog.models import Service
from catalog.preferences import NEW_FOR

FIRST_SYNC = timedelta(days=1)  # what a shop finds on its first day is not news


def opened_at() -> datetime | None:
    """Return when the shop found its first services; one query."""
    return Service.objects.order_by("pk").values_list("first_seen_at", flat=True).first()


def new_since(opened: datetime | None, now: datetime) -> datetime | None:
    """Return since when a service must have been found to count as new; None where none does."""
    if opened is None or not NEW_FOR.value:
        return None
    return max(now - NEW_FOR.value, opened + FIRST_SYNC)


def is_new(service: Service, now: datetime) -> bool:
    """Whether a service is marked as new; a query where it may be."""
    if service.first_seen_at <= now - NEW_FOR.value:
        return False
    since = new_since(opened_at(), now)
    return since is not None and service.first_seen_at > since
