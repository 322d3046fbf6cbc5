"""Writing the difference, in the caller's transaction: all of it or nothing, together with the end of the run."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from catalog.models import Category, Subcategory, SyncRun
from catalog.pricing import price_book
from catalog.pricing.repricing import advance_price_version, lock_prices
from catalog.sync import tables
from catalog.sync.difference import Comparison, Sell, ServiceRecord, UpstreamFields
from catalog.sync.fetch import CatalogAnswer, Placement, Progress, pairs_of
from catalog.sync.import_rules import apply_to_changed, import_rules, mark_up_new_categories, start_new_services
from catalog.sync.names import Names, new_category
from catalog.sync.scan import Scan
from catalog.sync.service_types import apply_mapped_types
from catalog.titles.reading import title_reader

Row = TypeVar("Row")
REPORT_EVERY = 1000  # rows between two steps of the progress bar


def apply_answer(
    run: SyncRun, answer: CatalogAnswer, found: Scan, placement: Placement, *, now: datetime, progress: Progress
) -> dict[str, Any]:
    """Bring the catalog to what `answer` says; return the status and the counts for the run. Needs a transaction."""
    known = tables.names()
    created = _create_names(answer, known)
    names = tables.names() if created else known
    asked = [names.categories[category] for category in placement.asked if category in names.categories]
    if not (created or found.new or found.touched or asked):
        return {"status": SyncRun.Status.UNCHANGED}
    lock_prices()  # before the rules are read: nobody reprices by older ones meanwhile
    taken_over = import_rules()
    new = [answer.offers[upstream_id] for upstream_id in found.new]
    mark_up_new_categories(taken_over, names.categories.keys() - known.categories.keys(), new)
    comparison = Comparison(answer, placement, names=names, sell=_seller(names, now), now=now, titles=title_reader())
    progress("comparing", 0, 1)
    difference = comparison.difference(tables.service_records(found.touched, asked))
    progress("comparing", 1, 1)
    total = len(found.new) + len(difference.changes)
    report = _reporter(progress, total)
    if found.new:
        tables.insert_services(report(comparison.additions(found.new)), now=now)
        start_new_services(taken_over, new)
    if difference.changes:
        tables.update_services(report(difference.changes))
        if settled := tables.settle_moved():
            again = comparison.difference(tables.service_records(settled, []))
            tables.update_services(again.changes)
        apply_to_changed(taken_over, difference.moved)
    if difference.history:
        tables.insert_history(difference.history, run, now=now)
    if total:
        apply_mapped_types()
        advance_price_version()
        progress("writing", total, total)
    return {
        "status": SyncRun.Status.APPLIED if total or created else SyncRun.Status.UNCHANGED,
        "added": len(found.new),
        "changed": difference.changed,
        "repriced": difference.repriced,
        "withdrawn": difference.withdrawn,
        "returned": difference.returned,
    }


def _seller(names: Names, now: datetime) -> Sell:
    """Return what computes the selling rates that lists are sorted by, as the rules are now."""
    book = price_book(None, now=now)

    def sell(fields: UpstreamFields, place: tuple[int, int | None], service: ServiceRecord | None) -> tuple[int, int]:
        rate_per = service.rate_per_override if service else None
        return book.stored_rates(
            rate_upstream_micros=fields.rate_upstream_micros,
            rate_per=rate_per or names.rate_per[fields.category_id],
            category_id=place[0],
            subcategory_id=place[1],
            service_id=service.id if service else None,
            own_percent=service.markup_percent if service else None,
            rate_override_micros=service.rate_override_micros if service else None,
        )

    return sell


def _create_names(answer: CatalogAnswer, known: Names) -> bool:
    """Create the categories and subcategories that are new; those that went stay, with the admin's settings."""
    offered = dict.fromkeys(offer.category for offer in answer.offers.values())
    wanted = [name for name in dict.fromkeys([*answer.subcategories, *offered]) if name not in known.categories]
    if wanted:
        Category.objects.bulk_create(
            new_category(name, has_products=name in answer.product_categories) for name in wanted
        )
    category_ids = tables.names().categories if wanted else known.categories
    pairs = [(category_ids[category], name) for category, name in pairs_of(answer.subcategories, answer.subcategories)]
    new_pairs = [pair for pair in pairs if pair not in known.subcategories]
    if new_pairs:
        Subcategory.objects.bulk_create(Subcategory(category_id=pk, name=name) for pk, name in new_pairs)
    return bool(wanted or new_pairs)


def _reporter(progress: Progress, total: int) -> Callable[[Iterable[Row]], Iterator[Row]]:
    """Return a wrapper that passes rows through and says now and then how many have passed."""
    done = 0

    def passing(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal done
        for row in rows:
            yield row
            done += 1
            if done % REPORT_EVERY == 0 and done < total:
                progress("writing", done, total)

    return passing
