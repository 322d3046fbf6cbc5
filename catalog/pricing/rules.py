"""Which markup rule counts: the ones valid at a moment, the most specific first, then the one that began last."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from accounts.fast_queries.reads import Prepared
from catalog.models import MarkupRule
from catalog.preferences import DEFAULT_MARKUP
from catalog.pricing.formula import Markup

NOT_SAVED = 0
_SINCE_EVER = datetime.min.replace(tzinfo=UTC)


class Timed(Protocol):
    """What counts for a while: a rule of the catalog, or one of another kind of goods."""

    @property
    def id(self) -> int | None: ...
    @property
    def valid_from(self) -> datetime | None: ...
    @property
    def valid_until(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...


def is_valid(rule: Timed, now: datetime) -> bool:
    """Return whether a rule counts at a moment."""
    begun = rule.valid_from is None or rule.valid_from <= now
    return begun and (rule.valid_until is None or now < rule.valid_until)


def began(rule: Timed) -> tuple[datetime, float]:
    """Return what the rules of one target are sorted by: a rule without an end or a beginning is the oldest."""
    newest = rule.id or float("inf")  # one that is not saved yet will be the newest
    if rule.valid_from is None and rule.valid_until is None:
        return _SINCE_EVER, newest
    return rule.valid_from or rule.created_at, newest


class Rule(NamedTuple):
    """A row of the rules, or one that is not saved yet (`id` NOT_SAVED)."""

    id: int
    scope: str
    category_id: int | None
    subcategory_id: int | None
    service_id: int | None
    percent: Decimal
    fixed_micros: int
    floor_percent: Decimal | None
    rounding: str
    valid_from: datetime | None
    valid_until: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, rule: MarkupRule) -> "Rule":
        """Return the facts of a row, saved or not."""
        return cls(rule.pk or NOT_SAVED, *(getattr(rule, name) for name in cls._fields[1:]))

    @property
    def markup(self) -> Markup:
        return Markup(self.percent, self.fixed_micros, self.floor_percent, self.rounding, self.id, self.scope)

    def is_valid(self, now: datetime) -> bool:
        return is_valid(self, now)

    def began(self) -> tuple[datetime, float]:
        return began(self)


@dataclass(frozen=True)
class Chosen:
    """The markups that count at one moment, by what they are for."""

    default: Markup
    by_category: dict[int, Markup] = field(default_factory=dict)
    by_subcategory: dict[int, Markup] = field(default_factory=dict)
    by_service: dict[int, Markup] = field(default_factory=dict)


# Every page and every sale asks this.
_all_rules = Prepared(lambda: MarkupRule.objects.order_by().values_list(*Rule._fields), example=())


def read_rules(*, valid_at: datetime | None = None) -> list[Rule]:
    """Return the rules valid at a moment, or all of them; one query."""
    rules = [Rule(*row) for row in _all_rules.rows()]
    return rules if valid_at is None else [rule for rule in rules if rule.is_valid(valid_at)]


def choose(rules: Iterable[Rule], *, now: datetime) -> Chosen:
    """Return which markup counts for what at a moment."""
    chosen = Chosen(default=Markup(DEFAULT_MARKUP.value))
    everything: Markup | None = None
    for rule in sorted((rule for rule in rules if rule.is_valid(now)), key=Rule.began):
        # A constraint holds that a rule names exactly what its scope says.
        if rule.service_id is not None:
            chosen.by_service[rule.service_id] = rule.markup
        elif rule.subcategory_id is not None:
            chosen.by_subcategory[rule.subcategory_id] = rule.markup
        elif rule.category_id is not None:
            chosen.by_category[rule.category_id] = rule.markup
        else:
            everything = rule.markup
    if everything is None:
        return chosen
    return Chosen(everything, chosen.by_category, chosen.by_subcategory, chosen.by_service)
