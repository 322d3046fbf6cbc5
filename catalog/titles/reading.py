"""Reading titles as staff's rules and the shop's vocabulary have it, into the columns of a service."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from catalog.models import TitleRule
from catalog.titles.facts import Facts, add_fact, agrees, columns_of, read_value, with_override
from catalog.titles.split import Split, split_title
from upstream.reading.text import line


class TitleColumns(NamedTuple):
    """The columns of a service that follow from its title, its translations and what staff says of it."""

    short_title: str = ""
    short_titles: dict[str, str] = {}
    facts: dict[str, Any] = {}
    qualities: int = 0
    country: str = ""
    covered_days: int | None = None
    speed_per_day: int | None = None


@dataclass(frozen=True)
class Rule:
    """A `TitleRule`, ready to be used."""

    kind: str
    pattern: "re.Pattern[str]"
    replacement: str = ""
    fact: str = ""
    value: str = ""

    @classmethod
    def of(cls, row: TitleRule) -> "Rule":
        """Return the rule of a row, saved or not."""
        return cls(row.kind, compiled(row.pattern), row.replacement, row.fact, row.value)

    def value_in(self, match: "re.Match[str]") -> Any:
        """Return the value of its fact, with the title's number in the place of #. Raises ValueError."""
        number = re.sub(r"\D", "", next(filter(None, match.groups()), ""))
        return read_value(self.fact, self.value.replace("#", number))


def compiled(pattern: str) -> "re.Pattern[str]":
    """Return the expression that a rule's pattern stands for: # a number, * anything within a part."""
    text = re.escape(line(unicodedata.normalize("NFKC", pattern)))
    text = text.replace(r"\#", r"(\d[\d.,]*)").replace(r"\*", r"[^|\[\](){};]{0,200}?").replace(r"\ ", r"\s+")
    return re.compile(rf"(?<!\w){text}(?!\w)" if pattern[:1].isalnum() else text, re.IGNORECASE)


@dataclass(frozen=True)
class TitleReader:
    """Reads titles by these rules; the same for all titles of one sync."""

    rules: Sequence[Rule] = ()

    def read(self, title: str, agreed: Mapping[str, Any] | None = None) -> Split:
        """Return a title split; `agreed` are the facts of the English one where this is a translation."""
        if not self.rules:
            return split_title(title, agreed=agreed)
        text, facts, taken = self._by_rules(line(unicodedata.normalize("NFKC", title)), agreed)
        if not any(character.isalnum() for character in text):
            return Split(title, facts, ())
        split = split_title(text, facts=facts, agreed=agreed)
        return split._replace(taken=(*taken, *split.taken))

    def columns(
        self, name: str, translated: Mapping[str, str] | None = None, override: Mapping[str, Any] | None = None
    ) -> TitleColumns:
        """Return everything that is stored of a service's titles."""
        split = self.read(name)
        short_titles = {}
        for code, title in (translated or {}).items():
            short = self.read(title, agreed=split.facts).name
            if short != title:
                short_titles[code] = short
        facts = with_override(split.facts, override or {})
        return TitleColumns(split.name, short_titles, facts, *columns_of(facts))

    def with_rule(self, rule: Rule, place: int) -> "TitleReader":
        """Return a reader with one more rule."""
        return replace(self, rules=(*self.rules[:place], rule, *self.rules[place:]))

    def _by_rules(self, text: str, agreed: Mapping[str, Any] | None) -> tuple[str, Facts, list[str]]:
        facts: Facts = {}
        taken: list[str] = []
        for rule in self.rules:
            match = rule.pattern.search(text)
            if match is None:
                continue
            if rule.kind == TitleRule.Kind.REPLACE:
                text = rule.pattern.sub(rule.replacement.replace("\\", r"\\"), text)
                continue
            if rule.kind == TitleRule.Kind.FACT and not _note(rule, match, facts, agreed):
                continue
            taken += [each[0] for each in rule.pattern.finditer(text)]
            text = " ".join(rule.pattern.sub(" ", text).split())
        return text, facts, taken


def _note(rule: Rule, match: "re.Match[str]", facts: Facts, agreed: Mapping[str, Any] | None) -> bool:
    """Note the fact of a rule; return whether its words may go."""
    try:
        value = rule.value_in(match)
    except ValueError:
        return False
    return (agreed is None or agrees(agreed, rule.fact, value)) and add_fact(facts, rule.fact, value)


def title_reader(without: Iterable[int] = ()) -> TitleReader:
    """Return the reader as staff's rules are now, those with these ids left out; one query."""
    rows = TitleRule.objects.filter(active=True).exclude(pk__in=[*without])
    return TitleReader(tuple(Rule.of(row) for row in rows))
