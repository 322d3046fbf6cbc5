"""Which services are taken over from upstream: staff's import rules, of which the first that matches counts.

What no rule leaves out is sold. What a rule leaves out is kept and brought up to date like everything else, but hidden:
`Service.left_out` remembers that it was the rule, and not staff, that hid it, so that it comes back with another rule.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from catalog.models import Category, ImportRule, MarkupRule, PriceList, Service, ServiceQuerySet
from catalog.models.services import UPSTREAM_CATEGORY_ID
from catalog.pricing.repricing import lock_prices
from catalog.sync import tables
from catalog.sync.fetch import UpstreamOffer
from upstream.reading.text import comparable

READ_AT_ONCE = 5000
EXAMPLES = 8
Outcome = ImportRule.Outcome


class Known(NamedTuple):
    """A service as the rules see it: in the category where upstream has it."""

    id: int
    category_id: int
    type: str
    name: str
    visible: bool
    left_out: bool


class Pattern:
    """A pattern of a rule, by what stands between its `*`; texts are compared as they look, in linear time."""

    def __init__(self, parts: list[str]) -> None:
        self.parts = parts

    def fits(self, text: str) -> bool:
        """Whether the whole text, as `comparable` has it, is what the pattern says."""
        first, *middle = self.parts
        if not middle:
            return text == first
        last = middle.pop()
        if not text.startswith(first):
            return False
        place = len(first)
        for part in middle:
            found = text.find(part, place)
            if found < 0:
                return False
            place = found + len(part)
        return len(text) - len(last) >= place and text.endswith(last)


class Rule(NamedTuple):
    """An `ImportRule`, ready to be used; None is for all. The id of one that is not saved is 0."""

    id: int
    category: "Pattern | None"
    type: "Pattern | None"
    name: "Pattern | None"
    outcome: str
    markup_percent: Decimal | None

    @classmethod
    def of(cls, row: ImportRule) -> "Rule":
        """Return the rule of a row, saved or not."""
        category, upstream_type, name = map(_pattern, (row.category, row.type, row.name))
        return cls(row.pk or 0, category, upstream_type, name, row.outcome, row.markup_percent)


@dataclass(frozen=True)
class ImportRules:
    """The active rules in their order; made for asking about every service of a sync."""

    rules: tuple[Rule, ...] = ()
    _by_place: dict[tuple[str, str], tuple[Rule, ...]] = field(default_factory=dict, init=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def rule_for(self, category: str, upstream_type: str, name: str) -> Rule | None:
        """Return the first rule that matches a service with these names of upstream's."""
        place = category, upstream_type
        candidates = self._by_place.get(place)
        if candidates is None:
            looks = comparable(category), comparable(upstream_type)
            candidates = self._by_place[place] = tuple(
                rule for rule in self.rules if _fits(rule.category, looks[0]) and _fits(rule.type, looks[1])
            )
        looks_so = comparable(name) if candidates else ""
        return next((rule for rule in candidates if _fits(rule.name, looks_so)), None)

    def leave_out(self, category: str, upstream_type: str, name: str) -> bool:
        """Whether a service with these names of upstream's is not sold."""
        rule = self.rule_for(category, upstream_type, name)
        return rule is not None and rule.outcome == Outcome.LEAVE


@dataclass
class ImportEffect:
    """What rules change: how many services a rule is the first for, and which of all are sold no more, or again."""

    matching: int = 0
    gone: int = 0
    back: int = 0
    examples: list[str] = field(default_factory=list)  # titles of those that change

    @property
    def changed(self) -> int:
        return self.gone + self.back


def import_rules() -> ImportRules:
    """Return the rules as they are now; one query. Whoever writes by them holds `lock_prices`."""
    return _rules_of(_active())


def rules_leave_out(ids: list[int]) -> list[int]:
    """Return those of these services that the rules leave out now, whoever has hidden or shown them."""
    if not (rules := import_rules()):
        return []
    names = dict(Category.objects.values_list("pk", "name"))
    known = _known(Service.objects.filter(pk__in=tables.set_of(ids)))
    return [each.id for each in known if rules.leave_out(names[each.category_id], each.type, each.name)]


def apply_import_rules(services: ServiceQuerySet | None = None) -> ImportEffect:
    """Hide what the rules leave out now, show what they left out before; all services or some, in one transaction."""
    with transaction.atomic():
        price_list = lock_prices()  # a sync goes by the same rules: neither overwrites what the other has just written
        rows = _active()
        effect = _apply(_rules_of(rows), Service.objects.all() if services is None else services)
        if services is None and price_list.import_basis != (basis := _basis_of(rows)):
            price_list.import_basis = basis
            price_list.save(update_fields=["import_basis"])
        return effect


def apply_import_rules_if_due() -> ImportEffect | None:
    """Do the same for all services if the rules are not those of the last time; else None after two reads."""
    known = PriceList.objects.values_list("import_basis", flat=True).first() or ""
    return None if known == _basis_of(_active()) else apply_import_rules()


def apply_to_changed(rules: ImportRules, ids: Iterable[int]) -> None:
    """Do the same for services that a sync has moved or renamed, in its transaction."""
    if rules and (changed := [*ids]):
        _apply(rules, Service.objects.filter(pk__in=tables.set_of(changed)))


def start_new_services(rules: ImportRules, offers: Iterable[UpstreamOffer]) -> None:
    """Hide those of these services, which a sync has just inserted, that start hidden or are left out."""
    hidden: dict[str, list[int]] = {Outcome.HIDDEN: [], Outcome.LEAVE: []}
    for offer in offers if rules else ():
        rule = rules.rule_for(offer.category, offer.type, offer.name)
        if rule is not None and rule.outcome in hidden:
            hidden[rule.outcome].append(offer.upstream_id)
    for outcome, ids in hidden.items():
        if ids:
            new = Service.objects.filter(upstream_id__in=tables.set_of(ids))
            new.update(visible=False, left_out=outcome == Outcome.LEAVE)


def mark_up_new_categories(rules: ImportRules, new: Iterable[str], offers: Iterable[UpstreamOffer]) -> None:
    """Give each of these categories, just made, a markup rule where an import rule has a percentage for it.

    Of several import rules that is the one for most of its services. Needs `lock_prices`, and nobody has read the
    markup rules yet.
    """
    found: dict[str, Counter[Decimal]] = {name: Counter() for name in new}
    for offer in offers if rules and found else ():
        if offer.category in found:
            rule = rules.rule_for(offer.category, offer.type, offer.name)
            if rule is not None and rule.markup_percent is not None and rule.outcome != Outcome.LEAVE:
                found[offer.category][rule.markup_percent] += 1
    percents = {name: counted.most_common(1)[0][0] for name, counted in found.items() if counted}
    for category in Category.objects.filter(name__in=percents):
        MarkupRule.objects.create(
            scope=MarkupRule.Scope.CATEGORY, category=category, percent=percents[category.name], fixed_micros=0
        )


def preview_import_rule(rule: ImportRule, *, deleted: bool = False) -> ImportEffect:
    """Return what saving or deleting this rule would change; a fixed number of queries.

    That takes a second for a hundred thousand services. Those that upstream has withdrawn are not counted.
    """
    rows = [row for row in _active() if row.pk != rule.pk]
    counts = rule.active and not deleted
    if counts:
        rows = sorted([*rows, rule], key=lambda row: (row.position, row.pk or float("inf")))
    rules = _rules_of(rows)
    names = dict(Category.objects.values_list("pk", "name"))
    effect = ImportEffect()
    for service in _known(Service.objects.filter(withdrawn_at=None)):
        first = rules.rule_for(names[service.category_id], service.type, service.name)
        effect.matching += first is not None and counts and first.id == (rule.pk or 0)
        if (becomes := _becomes(service, first)) is None:
            continue
        effect.gone += becomes[1]
        effect.back += becomes[0]
        if becomes[0] or becomes[1]:
            effect.examples += [service.name] if len(effect.examples) < EXAMPLES else []
    return effect


def _active() -> list[ImportRule]:
    return list(ImportRule.objects.filter(active=True))


def _rules_of(rows: Iterable[ImportRule]) -> ImportRules:
    return ImportRules(tuple(Rule.of(row) for row in rows))


def _basis_of(rows: list[ImportRule]) -> str:
    """Return a digest of what these rules hide and show; empty without rules."""
    facts = [(row.category, row.type, row.name, row.outcome) for row in rows]
    return hashlib.sha256(repr(facts).encode()).hexdigest() if facts else ""


def _apply(rules: ImportRules, services: ServiceQuerySet) -> ImportEffect:
    names = dict(Category.objects.values_list("pk", "name"))
    changes: dict[tuple[bool, bool], list[int]] = {}
    for service in _known(services):
        rule = rules.rule_for(names[service.category_id], service.type, service.name) if rules else None
        if (becomes := _becomes(service, rule)) is not None:
            changes.setdefault(becomes, []).append(service.id)
    for (visible, left_out), ids in changes.items():
        # Staff may have hidden or shown some of them since they were read.
        still = {"visible": True} if left_out else {"left_out": True}
        chosen = Service.objects.filter(pk__in=tables.set_of(ids), **still)
        chosen.update(visible=visible, left_out=left_out)
    counted = {becomes: len(ids) for becomes, ids in changes.items()}
    return ImportEffect(gone=counted.get((False, True), 0), back=counted.get((True, False), 0))


def _becomes(service: Known, rule: Rule | None) -> tuple[bool, bool] | None:
    """Return what a service's `visible` and `left_out` become by the first rule for it; None where they stay.

    What staff has hidden stays hidden, and is not for a rule to bring back.
    """
    outcome = Outcome.TAKE if rule is None else rule.outcome
    if outcome == Outcome.LEAVE:
        return (False, True) if service.visible else None
    return (outcome == Outcome.TAKE, False) if service.left_out else None


def _known(services: ServiceQuerySet) -> Iterator[Known]:
    rows = services.order_by().values_list("pk", UPSTREAM_CATEGORY_ID, *Known._fields[2:])
    return map(Known._make, rows.iterator(chunk_size=READ_AT_ONCE))


def _pattern(text: str) -> Pattern | None:
    return Pattern(comparable(text).split("*")) if text else None


def _fits(pattern: Pattern | None, compared: str) -> bool:
    return pattern is None or pattern.fits(compared)
