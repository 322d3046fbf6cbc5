"""What a number costs: the most specific markup rule of numbers, else the shop's rule for everything."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import BigIntegerField, Case, F, Min, Value, When
from django.utils import timezone

from accounts.models import User
from catalog.pricing import Markup, PriceBook, price_book
from catalog.pricing.rules import NOT_SAVED, began, is_valid
from sms.models import NumberMarkupRule, Project, ProjectQuerySet

NO_RULE = 0
Scope = NumberMarkupRule.Scope


@dataclass(frozen=True)
class NumberMarkups:
    """The markups of numbers that count at one moment, by what they are for."""

    default: Markup | None = None
    by_country: dict[int, Markup] = field(default_factory=dict)
    by_site: dict[int, Markup] = field(default_factory=dict)
    by_project: dict[int, Markup] = field(default_factory=dict)

    def of(self, *, project_id: int, site_id: int, country_id: int) -> Markup | None:
        """Return the most specific one; None leaves it to the shop's rule for everything."""
        for markups, target in ((self.by_project, project_id), (self.by_site, site_id), (self.by_country, country_id)):
            if target in markups:
                return markups[target]
        return self.default


@dataclass(frozen=True, eq=False)
class NumberBook:
    """Every price of numbers for one customer, by the rules as they were when the book was opened."""

    book: PriceBook
    markups: NumberMarkups

    def markup(self, project: Project) -> Markup | None:
        return self.markups.of(project_id=project.pk, site_id=project.site_id, country_id=project.country_id)

    def price_micros(self, project: Project) -> int:
        """Return what one number of the project costs the customer, in store micros."""
        return self.book.piece_micros(project.price_upstream_micros, self.markup(project))

    def terms(self, project: Project) -> dict[str, Any]:
        """Return how that price comes about, as JSON takes it; orders keep it. See `catalog.pricing.explanations`."""
        return self.book.piece_terms(project.price_upstream_micros, self.markup(project))

    def price_at(self, place: "Place") -> int:
        """Return the same as `price_micros` for a project that was read as a few columns only."""
        return self.book.piece_micros(place.cost_micros, self.markups.of(**place.ids))

    def cheapest_of_sites(self, projects: ProjectQuerySet) -> dict[int, int]:
        """Return the lowest price of each website or app among these projects; one query, a few rows for each.

        Under one markup the cheapest number is the one that costs least, so only the least cost under each counts.
        """
        return self._cheapest(projects, "site_id", by_country=True)

    def cheapest_of_countries(self, projects: ProjectQuerySet) -> dict[int, int]:
        """Return the lowest price in each country among these projects, in the same way."""
        return self._cheapest(projects, "country_id", by_site=True)

    def _cheapest(
        self, projects: ProjectQuerySet, key: str, *, by_country: bool = False, by_site: bool = False
    ) -> dict[int, int]:
        country = _ruled("country_id", self.markups.by_country) if by_country else F("country_id")
        site = _ruled("site_id", self.markups.by_site) if by_site else F("site_id")
        rows = (
            projects.order_by()
            .values(key, ruled_project=_ruled("pk", self.markups.by_project), ruled_site=site, ruled_country=country)
            .annotate(minimum=Min("price_upstream_micros"))
        )
        found: dict[int, int] = {}
        for row in rows:
            markup = self.markups.of(
                project_id=row["ruled_project"], site_id=row["ruled_site"], country_id=row["ruled_country"]
            )
            price_micros = self.book.piece_micros(row["minimum"], markup)
            found[row[key]] = min(price_micros, found.get(row[key], price_micros))
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """The columns of a project that its price and its place in a list depend on."""

    project_id: int
    site_id: int
    country_id: int
    cost_micros: int

    @property
    def ids(self) -> dict[str, int]:
        return {"project_id": self.project_id, "site_id": self.site_id, "country_id": self.country_id}


def number_book(user: User | AnonymousUser | None, *, now: datetime | None = None) -> NumberBook:
    """Open the book for this customer, or a visitor: what `price_book` asks, and one query for the rules of numbers."""
    now = now or timezone.now()
    return NumberBook(price_book(user, now=now), choose_markups(NumberMarkupRule.objects.order_by(), now=now))


def number_price_micros(project: Project, user: User | None, book: NumberBook | None = None) -> int:
    """Return what this customer pays for one number of the project, in store micros.

    For many projects open the book once with `number_book(user)` and hand it in: no query then.
    """
    return (book or number_book(user)).price_micros(project)


def choose_markups(rules: Iterable[NumberMarkupRule], *, now: datetime) -> NumberMarkups:
    """Return which markup counts for what at a moment; the rules may be saved or not."""
    chosen = NumberMarkups()
    everything: Markup | None = None
    for rule in sorted((rule for rule in rules if is_valid(rule, now)), key=began):
        markup = markup_of(rule)
        # A constraint holds that a rule names exactly what its scope says.
        if rule.project_id is not None:
            chosen.by_project[rule.project_id] = markup
        elif rule.site_id is not None:
            chosen.by_site[rule.site_id] = markup
        elif rule.country_id is not None:
            chosen.by_country[rule.country_id] = markup
        else:
            everything = markup
    return NumberMarkups(everything, chosen.by_country, chosen.by_site, chosen.by_project)


def markup_of(rule: NumberMarkupRule) -> Markup:
    """Return what a rule does to upstream's price."""
    return Markup(
        rule.percent,
        rule.fixed_micros,
        rule.floor_percent,
        rule.rounding,
        rule.pk or NOT_SAVED,
        f"number:{rule.scope}",
    )


def _ruled(column: str, markups: dict[int, Markup]) -> Case:
    """Return the column where a rule names it, else NO_RULE: what no rule tells apart is one group."""
    targets = When(**{f"{column}__in": list(markups)}, then=F(column))
    return Case(targets, default=Value(NO_RULE), output_field=BigIntegerField())
