"""Reading titles anew: after staff changed a rule or a service, and for services that were there before."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import transaction

from catalog.models import Service, ServiceQuerySet, TitleRule
from catalog.pricing.repricing import lock_prices
from catalog.sync import tables
from catalog.titles.reading import Rule, TitleColumns, TitleReader, title_reader

READ_AT_ONCE = 5000
EXAMPLES = 8
_COLUMNS = ("pk", "name", "translated_names", "facts_override", *TitleColumns._fields)


def refresh_titles(services: ServiceQuerySet | None = None) -> int:
    """Bring short names and facts to what the rules and the titles say now; return how many services had others.

    Some thousand services at a time, each in a transaction of its own; only rows that differ are written.
    """
    services = Service.objects.all() if services is None else services
    changed, last = 0, 0
    while True:
        with transaction.atomic():
            lock_prices()  # a sync writes the same columns: neither overwrites what the other has just written
            reader = title_reader()
            rows = list(services.order_by("pk").filter(pk__gt=last).values_list(*_COLUMNS)[:READ_AT_ONCE])
            stale = [
                (pk, titles)
                for pk, name, translated, override, *stored in rows
                if (titles := reader.columns(name, translated, override)) != tuple(stored)
            ]
            if stale:
                tables.write_titles(stale)
        changed += len(stale)
        if len(rows) < READ_AT_ONCE:
            return changed
        last = rows[-1][0]


def titles_are_unread() -> bool:
    """Whether there are services whose titles nobody has read yet, as after an update of the shop."""
    return Service.objects.filter(short_title="").exists()


@dataclass
class TitleEffect:
    """What a rule would change: how many titles it is about, how many of them change, and some examples."""

    matching: int = 0
    changed: int = 0
    examples: list[tuple[str, str, str]] = field(default_factory=list)  # title, short name before, after


def preview_rule(rule: TitleRule) -> TitleEffect:
    """Return what saving this rule would change; two queries, and only titles that its pattern is in are split."""
    stored = TitleRule.objects.filter(pk=rule.pk).first() if rule.pk else None
    others = list(TitleRule.objects.filter(active=True).exclude(pk=rule.pk))
    before = title_reader()
    candidates = [Rule.of(each) for each in (stored, rule) if each is not None and each.active]
    place = sum((each.position, each.pk) < (rule.position, rule.pk or float("inf")) for each in others)
    after = TitleReader(tuple(Rule.of(each) for each in others))
    if rule.active:
        after = after.with_rule(Rule.of(rule), place)
    effect = TitleEffect()
    for title in _titles_with(candidates):
        effect.matching += 1
        was, becomes = before.read(title), after.read(title)
        if was[:2] != becomes[:2]:
            effect.changed += 1
            if len(effect.examples) < EXAMPLES:
                effect.examples.append((title, was.name, becomes.name))
    return effect


def _titles_with(rules: Iterable[Rule]) -> Iterator[str]:
    patterns = [rule.pattern for rule in rules]
    names = Service.objects.on_sale().order_by("pk").values_list("name", flat=True).iterator(chunk_size=READ_AT_ONCE)
    return (name for name in names if any(pattern.search(name) for pattern in patterns))
