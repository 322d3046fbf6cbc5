"""The scan: the whole answer beside the whole catalog, once. Pure: no database, no network.

It finds what differs, so that only those services are read again when it is written; what upstream has to be asked
besides; and how much would change, so that an implausible answer is not applied.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from catalog.sync.fetch import CatalogAnswer, UpstreamOffer
from catalog.sync.names import Names


class StoredService(NamedTuple):
    """A service as the shop has it. From `name` to `upstream_description` in the order of `UpstreamOffer`, which
    `scan_catalog` relies on.
    """

    upstream_id: int
    category_id: int
    name: str
    type: str
    rate_upstream_micros: int
    min_quantity: int
    max_quantity: int
    refill: bool
    cancel: bool
    stock: int | None
    upstream_description: str
    subcategory_id: int | None
    missed_syncs: int
    withdrawn: bool


@dataclass
class Scan:
    """What the scan found; services by upstream id.

    `touched` are the known services to read again: they differ, are missing, or are back. `ask` names the categories
    whose subcategories may have changed.
    """

    on_sale: int = 0
    touched: set[int] = field(default_factory=set)
    ask: set[str] = field(default_factory=set)
    new: list[int] = field(default_factory=list)
    changed: list[StoredService] = field(default_factory=list)
    back: list[StoredService] = field(default_factory=list)
    vanished: list[StoredService] = field(default_factory=list)  # missing for the first time


def scan_catalog(answer: CatalogAnswer, stored: Iterable[StoredService], *, names: Names) -> Scan:
    """Return what differs between the answer and the catalog. A service that was set aside counts as neither."""
    found = Scan()
    category_names, offers, set_aside = names.category_names, answer.offers, answer.set_aside_ids
    listed = {(category, name) for category, subcategories in answer.subcategories.items() for name in subcategories}
    pairs = names.pairs
    found.ask = {category for category, _name in listed.difference(pairs.values())}
    unlisted = {pk for pk, pair in pairs.items() if pair not in listed}
    known: set[int] = set()
    for service in stored:
        upstream_id = service.upstream_id
        known.add(upstream_id)
        found.on_sale += not service.withdrawn
        offer = offers.get(upstream_id)
        if offer is None:
            if upstream_id not in set_aside and not service.withdrawn:
                _miss(found, service)
            continue
        # One comparison for the columns that both have: this is done for every service of every sync.
        same = service[2:11] == offer[2:] and category_names[service.category_id] == offer.category
        if not same or service.missed_syncs or service.withdrawn or service.subcategory_id in unlisted:
            _differ(found, service, offer, same=same)
            if service.subcategory_id in unlisted or category_names[service.category_id] != offer.category:
                found.ask.add(offer.category)
    found.new = [upstream_id for upstream_id in offers if upstream_id not in known]
    found.ask.update(offers[upstream_id].category for upstream_id in found.new)
    return found


def _miss(found: Scan, service: StoredService) -> None:
    found.touched.add(service.upstream_id)
    if not service.missed_syncs:
        found.vanished.append(service)


def _differ(found: Scan, service: StoredService, offer: UpstreamOffer, *, same: bool) -> None:
    found.touched.add(service.upstream_id)
    if service.withdrawn:
        found.back.append(service)
        found.ask.add(offer.category)
    elif not same:
        found.changed.append(service)
