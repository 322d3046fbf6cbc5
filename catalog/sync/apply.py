"""Writing the difference: all of it or nothing, together with the end of the run's record."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from django.db import transaction

from catalog.models import Category, Subcategory, SyncRun
from catalog.sync import tables
from catalog.sync.difference import Names, compare
from catalog.sync.fetch import Listing, Pair, Progress, pairs_of
from catalog.sync.guess import new_category
from catalog.sync.runs import RunningSync, close_run

Row = TypeVar("Row")
REPORT_EVERY = 1000  # rows between two steps of the progress bar


def apply_listing(
    run: RunningSync,
    listing: Listing,
    *,
    pair_of: dict[int, Pair],
    asked_categories: set[str],
    now: datetime,
    progress: Progress,
) -> None:
    """Bring the catalog to what `listing` says and close the run as applied or unchanged, in one transaction."""
    with transaction.atomic():
        known = tables.names()
        created = _create_names(listing, known)
        progress("comparing", 0, 1)
        difference = compare(
            listing,
            tables.stored_services(),
            names=tables.names() if created else known,
            pair_of=pair_of,
            asked_categories=asked_categories,
            now=now,
        )
        progress("comparing", 1, 1)
        report = _reporter(progress, len(difference.additions) + len(difference.changes))
        if difference.additions:
            tables.insert_services(report(difference.additions), now=now)
        if difference.changes:
            tables.update_services(report(difference.changes))
        run.counts |= {
            "added": len(difference.additions),
            "changed": difference.changed,
            "withdrawn": difference.withdrawn,
            "returned": difference.returned,
        }
        close_run(run, SyncRun.Status.APPLIED if difference or created else SyncRun.Status.UNCHANGED)


def _create_names(listing: Listing, known: Names) -> bool:
    """Create the categories and subcategories that are new; those that went stay, with the admin's settings."""
    offered = dict.fromkeys(offer.category for offer in listing.offers.values())
    wanted = [name for name in dict.fromkeys([*listing.subcategories, *offered]) if name not in known.categories]
    Category.objects.bulk_create(new_category(name, has_products=name in listing.product_categories) for name in wanted)
    category_ids = tables.names().categories if wanted else known.categories
    pairs = [
        (category_ids[category], name) for category, name in pairs_of(listing.subcategories, listing.subcategories)
    ]
    new_pairs = [pair for pair in pairs if pair not in known.subcategories]
    Subcategory.objects.bulk_create(Subcategory(category_id=category_id, name=name) for category_id, name in new_pairs)
    return bool(wanted or new_pairs)


def _reporter(progress: Progress, total: int) -> Callable[[Iterable[Row]], Iterator[Row]]:
    """Return a wrapper that passes rows through and says now and then how many have passed."""
    done = 0

    def passing(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal done
        for row in rows:
            yield row
            done += 1
            if done % REPORT_EVERY == 0 or done == total:
                progress("writing", done, total)

    return passing
