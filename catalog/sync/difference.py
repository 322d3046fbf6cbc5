"""What to write so that the local catalog says what upstream says. Pure: no database, no network."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from catalog.models import ServiceChange
from catalog.sync.fetch import CatalogAnswer, Placement, UpstreamOffer
from catalog.sync.names import Names, own_names
from catalog.titles.reading import TitleReader

WITHDRAW_AFTER = 2  # complete syncs in a row without the service
LONGEST_KEPT = 300  # characters of a text in the history
TOLD_APART = frozenset({"category_id", "subcategory_id", "rate_upstream_micros", "stock"})


class UpstreamFields(NamedTuple):
    """The columns of a service that upstream decides."""

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


class Derived(NamedTuple):
    """The columns that follow from upstream's and the admin's."""

    search_text: str
    selling_rate_micros: int
    selling_per_thousand_micros: int
    # As `catalog.titles.reading.TitleColumns` has them.
    short_title: str
    short_titles: dict[str, str]
    facts: dict[str, Any]
    qualities: int
    country: str
    covered_days: int | None
    speed_per_day: int | None


class ServiceRecord(NamedTuple):
    """A service as the shop has it, with what the admin decided about its price, its name and its place.

    `moved_to` is the category that staff has put it into; the place in `fields` is always upstream's.
    """

    id: int
    upstream_id: int
    display_name: str
    short_title_override: str
    facts_override: dict[str, Any]
    rate_per_override: int | None
    rate_override_micros: int | None
    markup_percent: Decimal | None
    missed_syncs: int
    withdrawn_at: datetime | None
    translated_names: dict[str, str]
    moved_to: int | None
    fields: UpstreamFields
    derived: Derived


class ServiceUpdate(NamedTuple):
    """What a known service becomes; `changed_at` None leaves that time as it is."""

    id: int
    missed_syncs: int
    withdrawn_at: datetime | None
    changed_at: datetime | None
    fields: UpstreamFields
    derived: Derived


class Addition(NamedTuple):
    """A service the shop did not know."""

    upstream_id: int
    fields: UpstreamFields
    derived: Derived


class Event(NamedTuple):
    """A line of a service's history."""

    service_id: int
    kind: str
    rate_before_micros: int | None = None
    rate_after_micros: int | None = None
    fields: dict[str, list[Any]] | None = None


# Columns, where it is sold, and the service, or None for a new one → selling rate, and that per 1,000
Sell = Callable[[UpstreamFields, tuple[int, int | None], ServiceRecord | None], tuple[int, int]]


@dataclass
class Difference:
    """What one sync writes about known services; the withdrawn, the missed and the returned are among `changes`.

    `moved` are the ids of those whose category, type or name is another one, which import rules go by.
    """

    changes: list[ServiceUpdate] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    history: list[Event] = field(default_factory=list)
    changed: int = 0
    repriced: int = 0
    withdrawn: int = 0
    returned: int = 0


class Comparison:
    """Says what becomes of each service when `answer` is applied.

    In a category that was not asked for its subcategories, services stay in the one where they are.
    """

    def __init__(
        self,
        answer: CatalogAnswer,
        placement: Placement,
        *,
        names: Names,
        sell: Sell,
        now: datetime,
        titles: TitleReader | None = None,
    ) -> None:
        self.answer = answer
        self.placement = placement
        self.names = names
        self.sell = sell
        self.now = now
        self.titles = titles or TitleReader()

    def additions(self, new: Iterable[int]) -> Iterator[Addition]:
        """Yield the services with these upstream ids, which the shop does not know yet."""
        for upstream_id in new:
            fields = self._fields(self.answer.offers[upstream_id], None)
            yield Addition(upstream_id, fields, self._derived(fields, None))

    def difference(self, stored: Iterable[ServiceRecord]) -> Difference:
        """Return what has to be written about these services. One that was set aside is left as it is."""
        found, set_aside = Difference(), self.answer.set_aside_ids
        for service in stored:
            offer = self.answer.offers.get(service.upstream_id)
            if offer is not None:
                self._offered(found, service, offer)
            elif service.upstream_id not in set_aside and service.withdrawn_at is None:
                self._missed(found, service)
        return found

    def _offered(self, found: Difference, service: ServiceRecord, offer: UpstreamOffer) -> None:
        fields = self._fields(offer, service.fields.subcategory_id)
        derived = self._derived(fields, service)
        returns = service.withdrawn_at is not None
        changes = fields != service.fields
        if not changes and derived == service.derived and not service.missed_syncs and not returns:
            return
        # A search text or a selling rate that follows the admin's decision is not a change of the service.
        changed_at = self.now if changes or returns else None
        found.changes.append(ServiceUpdate(service.id, 0, None, changed_at, fields, derived))
        if _told_by(service.fields) != _told_by(fields):
            found.moved.append(service.id)
        found.returned += returns
        found.changed += changes and not returns
        if returns:
            found.history.append(Event(service.id, ServiceChange.Kind.BACK))
        before, after = service.fields.rate_upstream_micros, fields.rate_upstream_micros
        if before != after:
            found.repriced += 1
            found.history.append(Event(service.id, ServiceChange.Kind.RATE, before, after))
        if changes and (other := self._other_fields(service.fields, fields)):
            found.history.append(Event(service.id, ServiceChange.Kind.FIELDS, fields=other))

    def _missed(self, found: Difference, service: ServiceRecord) -> None:
        missed = service.missed_syncs + 1
        gone = missed >= WITHDRAW_AFTER
        moment = self.now if gone else None
        found.changes.append(ServiceUpdate(service.id, missed, moment, moment, service.fields, service.derived))
        if gone:
            found.withdrawn += 1
            found.history.append(Event(service.id, ServiceChange.Kind.WITHDRAWN))

    def _fields(self, offer: UpstreamOffer, subcategory_id: int | None) -> UpstreamFields:
        category_id = self.names.categories[offer.category]
        if offer.category in self.placement.asked:
            pair = self.placement.pair_of.get(offer.upstream_id)
            subcategory_id = None if pair is None else self.names.subcategories[category_id, pair[1]]
        return UpstreamFields(category_id, subcategory_id, *offer[2:])

    def _derived(self, fields: UpstreamFields, service: ServiceRecord | None) -> Derived:
        place: tuple[int, int | None] = fields.category_id, fields.subcategory_id
        if service is not None and service.moved_to is not None:
            place = service.moved_to, None
        if service is None:
            text = self.names.search_text(fields.name, "", *place)
            sold = self.sell(fields, place, None)
            return Derived._make((text, *sold, *self.titles.columns(fields.name)))
        # Translations are of the name as it was: with another one they go, until they are asked for again.
        translated = service.translated_names if fields.name == service.fields.name else {}
        own = own_names(service.display_name, service.short_title_override)
        text = self.names.search_text(fields.name, own, *place, translated)
        sold = self.sell(fields, place, service)
        titles = self.titles.columns(fields.name, translated, service.facts_override)
        return Derived._make((text, *sold, *titles))

    def _other_fields(self, before: UpstreamFields, after: UpstreamFields) -> dict[str, list[Any]]:
        """Return what changed besides the rate, for people to read."""
        found = changed_columns(UpstreamFields._fields, before, after)
        if before[:2] != after[:2]:
            found["place"] = [self._place(before), self._place(after)]
        return found

    def _place(self, fields: UpstreamFields) -> str:
        category = self.names.category_names[fields.category_id]
        if fields.subcategory_id is None:
            return category
        return f"{category} · {self.names.pairs[fields.subcategory_id][1]}"


def changed_columns(columns: Iterable[str], before: Iterable[Any], after: Iterable[Any]) -> dict[str, list[Any]]:
    """Return {column: [before, after]} of what is kept as history: rates and places are told apart, and stock comes and
    goes with every sale. Long texts are cut."""
    return {
        column: [_short(old), _short(new)]
        for column, old, new in zip(columns, before, after, strict=True)
        if old != new and column not in TOLD_APART
    }


def _told_by(fields: UpstreamFields) -> tuple[int, str, str]:
    return fields.category_id, fields.type, fields.name


def _short(value: Any) -> Any:
    return value[:LONGEST_KEPT] if isinstance(value, str) else value
