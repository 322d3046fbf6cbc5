"""Everything that changes the catalog."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from catalog.models import Category, Service, SyncRun
from catalog.sync import tables
from catalog.sync.apply import apply_listing
from catalog.sync.difference import categories_to_ask, missing_from_sale
from catalog.sync.fetch import Listing, Progress, WrongCurrency, pairs_of, read_listing, read_subcategories
from catalog.sync.runs import (
    RunningSync,
    SyncAlreadyRunning,
    SyncRejected,
    SyncTakenOver,
    close_run,
    open_run,
    recorded_run,
    reject_many_set_aside,
    reject_mass_vanishing,
)
from upstream.client import Client

__all__ = [
    "Progress",
    "RunningSync",
    "SyncAlreadyRunning",
    "SyncRejected",
    "SyncTakenOver",
    "WrongCurrency",
    "close_run",
    "confirm_rate_units",
    "open_run",
    "recorded_run",
    "refresh_search_text",
    "reject_many_set_aside",
    "reject_mass_vanishing",
    "sync_catalog",
]


def sync_catalog(*, client: Client, now: datetime, progress: Progress | None = None) -> SyncRun:
    """Bring the local catalog to what upstream offers and return the record of the run.

    Everything is fetched and checked before anything is written; the difference is applied in one transaction.
    An answer that cannot be trusted leaves the catalog as it is and a run with the status rejected.
    `progress(stage, done, total)` hears of every step; stages: listing, subcategories, comparing, writing.
    Raises SyncAlreadyRunning, UpstreamError (WrongCurrency is one); the run is recorded as failed then.
    """
    progress = progress or (lambda _stage, _done, _total: None)
    with recorded_run(SyncRun.Kind.CATALOG, now=now) as run:
        in_full = _full_pass_is_due(now)
        sent_before = client.usage.requests
        try:
            listing = read_listing(client, progress)
            run.counts |= {"total": listing.total, "set_aside": listing.set_aside, "read_in_full": in_full}
            asked = _check(listing, everything=in_full)
            pair_of = read_subcategories(client, pairs_of(sorted(asked), listing.subcategories), progress)
        finally:
            run.counts["requests"] = client.usage.requests - sent_before
        apply_listing(run, listing, pair_of=pair_of, asked_categories=asked, now=now, progress=progress)
    return run.row


def refresh_search_text(services: QuerySet[Service]) -> int:
    """Make these services findable by the names they have now; return how many had another search text.

    For the admin who has just renamed services or their category; a sync does the same for all of them.
    """
    names = tables.names()
    stale = []
    for service in services.only("name", "shown_name", "category_id", "subcategory_id", "search_text"):
        text = names.search_text(service.name, service.shown_name, service.category_id, service.subcategory_id)
        if text != service.search_text:
            service.search_text = text
            stale.append(service)
    Service.objects.bulk_update(stale, ["search_text"], batch_size=200)
    return len(stale)


def confirm_rate_units(categories: QuerySet[Category], *, now: datetime) -> int:
    """Take the units that these categories are priced in now as certain; return how many were not before.

    The unit is written down with it: another default later does not change what has been confirmed.
    """
    unit = Coalesce("rate_per", Value(settings.DEFAULT_RATE_PER))
    return categories.filter(rate_confirmed_at=None).update(rate_confirmed_at=now, rate_per=unit)


def _check(listing: Listing, *, everything: bool) -> set[str]:
    """Compare the answer with what is on sale; return the categories whose subcategories have to be asked.

    Raises SyncRejected.
    """
    reject_many_set_aside(total=listing.total, set_aside=len(listing.set_aside))
    names = tables.names()
    places = tables.places(names)
    on_sale = sum(not place.withdrawn for place in places.values())
    reject_mass_vanishing(on_sale=on_sale, missing=missing_from_sale(listing, places))
    if everything:
        return set(listing.subcategories)
    return categories_to_ask(listing, places, known=names.pairs())


def _full_pass_is_due(now: datetime) -> bool:
    since = now - timedelta(seconds=settings.SYNC_FULL_EVERY_SECONDS)
    done = SyncRun.objects.filter(
        kind=SyncRun.Kind.CATALOG,
        status__in=[SyncRun.Status.APPLIED, SyncRun.Status.UNCHANGED],
        read_in_full=True,
        started_at__gt=since,
    )
    return not done.exists()
