"""What to change in the local catalog so that it says what upstream says. Pure: no database, no network."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from catalog.sync.fetch import Listing, Offer, Pair

WITHDRAW_AFTER = 2  # complete syncs in a row without the service


class UpstreamFields(NamedTuple):
    """The columns of a service that a sync owns; everything else belongs to the admin."""

    category_id: int
    subcategory_id: int | None
    name: str
    type: str
    rate_upstream_micros: int
    min_quantity: int
    max_quantity: int
    refill: bool
    cancel: bool
    stock: int | None
    upstream_description: str
    search_text: str


class Stored(NamedTuple):
    """A service as the shop has it."""

    id: int
    upstream_id: int
    shown_name: str
    missed_syncs: int
    withdrawn_at: datetime | None
    fields: UpstreamFields


class Change(NamedTuple):
    """What a known service becomes; `changed_at` None leaves that time as it is."""

    id: int
    missed_syncs: int
    withdrawn_at: datetime | None
    changed_at: datetime | None
    fields: UpstreamFields


class Addition(NamedTuple):
    """A service the shop did not know."""

    upstream_id: int
    fields: UpstreamFields


@dataclass
class Difference:
    """Everything one sync has to write. `changes` holds the withdrawn, the missed and the returned ones too."""

    additions: list[Addition] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    changed: int = 0
    withdrawn: int = 0
    returned: int = 0

    def __bool__(self) -> bool:
        return bool(self.additions or self.changes)


@dataclass(frozen=True)
class Names:
    """Ids of the categories and subcategories by upstream name, and the words each adds to a service's search text."""

    categories: dict[str, int]
    subcategories: dict[tuple[int, str], int]
    category_words: dict[int, str]
    subcategory_words: dict[int, str]

    def pairs(self) -> set[Pair]:
        """Return every subcategory by the names upstream knows it under."""
        category_names = {pk: name for name, pk in self.categories.items()}
        return {(category_names[category_id], name) for category_id, name in self.subcategories}

    def fields(self, offer: Offer, subcategory_id: int | None, shown_name: str = "") -> UpstreamFields:
        """Return the columns of a service offered like this."""
        category_id = self.categories[offer.category]
        return UpstreamFields(
            category_id,
            subcategory_id,
            offer.name,
            offer.type,
            offer.rate_upstream_micros,
            offer.min_quantity,
            offer.max_quantity,
            offer.refill,
            offer.cancel,
            offer.stock,
            offer.description,
            self.search_text(offer.name, shown_name, category_id, subcategory_id),
        )

    def search_text(self, name: str, shown_name: str, category_id: int, subcategory_id: int | None) -> str:
        """Return the lower-case text that a search looks through."""
        subcategory = "" if subcategory_id is None else self.subcategory_words[subcategory_id]
        words = (name, shown_name, self.category_words[category_id], subcategory)
        return " ".join(filter(None, words)).lower()


def compare(
    listing: Listing,
    stored: Iterable[Stored],
    *,
    names: Names,
    pair_of: dict[int, Pair],
    asked_categories: set[str],
    now: datetime,
) -> Difference:
    """Return what has to be written. Empties `listing.offers`: what is left after the known ones is new.

    `pair_of` says where the services of `asked_categories` belong; in other categories they stay where they are.
    A service that was set aside is left as it is. Raises KeyError for a category that `names` does not have.
    """
    difference = Difference()
    set_aside = listing.set_aside_ids

    def subcategory_id(offer: Offer, present: int | None) -> int | None:
        if offer.category not in asked_categories:
            return present
        pair = pair_of.get(offer.upstream_id)
        return None if pair is None else names.subcategories[names.categories[offer.category], pair[1]]

    for service in stored:
        offer = listing.offers.pop(service.upstream_id, None)
        if offer is not None:
            fields = names.fields(offer, subcategory_id(offer, service.fields.subcategory_id), service.shown_name)
            _compare_offered(difference, service, fields, now)
        elif service.upstream_id not in set_aside and service.withdrawn_at is None:
            _miss(difference, service, now)
    difference.additions = [
        Addition(offer.upstream_id, names.fields(offer, subcategory_id(offer, None)))
        for offer in listing.offers.values()
    ]
    listing.offers.clear()
    return difference


def _compare_offered(difference: Difference, service: Stored, fields: UpstreamFields, now: datetime) -> None:
    returns = service.withdrawn_at is not None
    if fields == service.fields and service.missed_syncs == 0 and not returns:
        return
    # A search text that follows a name the admin chose is not a change of the service.
    changes = fields[:-1] != service.fields[:-1]
    difference.returned += returns
    difference.changed += changes and not returns
    changed_at = now if changes or returns else None
    difference.changes.append(Change(service.id, 0, None, changed_at, fields))


def _miss(difference: Difference, service: Stored, now: datetime) -> None:
    missed = service.missed_syncs + 1
    gone = missed >= WITHDRAW_AFTER
    difference.withdrawn += gone
    moment = now if gone else None
    difference.changes.append(Change(service.id, missed, moment, moment, service.fields))


class Place(NamedTuple):
    """Where a known service stands, by upstream's names."""

    category: str
    subcategory: str | None
    withdrawn: bool


def categories_to_ask(listing: Listing, places: dict[int, Place], *, known: set[Pair]) -> set[str]:
    """Return the categories whose subcategories may have changed, so that only these are asked.

    Those are the ones with a service that is new, back or moved; with a subcategory that is not `known`; and
    with a known service in a subcategory that is no longer listed.
    """
    listed = {(category, name) for category, names in listing.subcategories.items() for name in names}
    ask = {category for category, _name in listed - known}
    for offer in listing.offers.values():
        place = places.get(offer.upstream_id)
        if (
            place is None
            or place.withdrawn
            or place.category != offer.category
            or (place.subcategory is not None and (place.category, place.subcategory) not in listed)
        ):
            ask.add(offer.category)
    return ask


def missing_from_sale(listing: Listing, places: dict[int, Place]) -> int:
    """Return how many services that are not withdrawn are neither offered nor set aside."""
    set_aside = listing.set_aside_ids
    return sum(
        1
        for upstream_id, place in places.items()
        if not place.withdrawn and upstream_id not in listing.offers and upstream_id not in set_aside
    )
