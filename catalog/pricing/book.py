"""Every price for one customer, by the rules and settings of one moment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from catalog.preferences import FLOOR_MARGIN
from catalog.pricing.exchange_rates import exchange_rate_micros
from catalog.pricing.formula import Formula, Markup, make_formula, price_for
from catalog.pricing.rules import Chosen, Rule, choose, read_rules
from upstream.money import MICROS, round_charge

LARGEST = 2**63 - 1  # what a column holds; an absurd rate must not stop the sync that brings it
NO_DISCOUNT = Decimal(0)
OWN_SCOPE = "own"  # of a service's own markup, which no rule gives


def cost_micros(rate_upstream_micros: int) -> int:
    """Return what an upstream rate costs the shop, in store micros rounded up."""
    return -(-rate_upstream_micros * exchange_rate_micros() // MICROS)


@dataclass(frozen=True, eq=False)
class PriceBook:
    """Every price for one customer, by the rules as they were when the book was opened."""

    chosen: Chosen
    discount_percent: Decimal
    floor_percent: Decimal
    exchange_rate_micros: int
    # Formulas of a visitor and of this customer by the identity of their markup, which lives as long as the book.
    _visitors: dict[int, Formula] = field(default_factory=dict, init=False, repr=False)
    _customers: dict[int, Formula] = field(default_factory=dict, init=False, repr=False)
    # Services' own markups by the identity of the one of their place, and the percentage.
    _owns: dict[tuple[int, Decimal], Markup] = field(default_factory=dict, init=False, repr=False)

    def markup(self, service: Service) -> Markup:
        """Return the most specific markup: service, subcategory, category, everything."""
        place = service.category_id, service.subcategory_id, service.pk
        return self.markup_at(*place, own_percent=service.markup_percent)

    def markup_at(
        self,
        category_id: int,
        subcategory_id: int | None,
        service_id: int | None,
        *,
        own_percent: Decimal | None,
    ) -> Markup:
        """Return the markup for a service in this place; one that is not saved yet has the id None.

        `own_percent` is the service's own markup. It counts before the rules of places, whose floor and rounding it
        keeps; a rule for the service itself counts before it.
        """
        chosen = self.chosen
        if service_id is not None and (found := chosen.by_service.get(service_id)) is not None:
            return found
        found = None
        if subcategory_id is not None:
            found = chosen.by_subcategory.get(subcategory_id)
        if found is None:
            found = chosen.by_category.get(category_id)
        if found is None:
            found = chosen.default
        return found if own_percent is None else self._own(found, own_percent)

    def _own(self, place: Markup, percent: Decimal) -> Markup:
        key = id(place), percent
        markup = self._owns.get(key)
        if markup is None:
            markup = Markup(percent, 0, place.floor_percent, place.rounding, None, OWN_SCOPE)
            self._owns[key] = markup
        return markup

    def rate_micros(self, service: Service) -> int:
        """Return the selling rate in store micros for `service.rate_per` pieces."""
        formula = self._formula(self.markup(service), self.discount_percent)
        return formula.rate_micros(service.rate_upstream_micros, service.rate_override_micros)

    def rate_per_thousand_micros(self, service: Service) -> int:
        """Return the selling rate for a thousand pieces, whatever unit the service is priced in."""
        return self.rate_micros(service) * (1000 // service.rate_per)

    def price_micros(self, service: Service, quantity: int) -> int:
        """Return what `quantity` pieces cost the customer, rounded up to 0.0001."""
        return price_for(self.rate_micros(service), quantity, service.rate_per)

    def floor_price_micros(self, service: Service, quantity: int) -> int:
        """Return what `quantity` pieces cost at the floor: no coupon and no discount takes a price below it."""
        formula = self._formula(self.markup(service), self.discount_percent)
        return price_for(formula.floor_micros(service.rate_upstream_micros), quantity, service.rate_per)

    def cost_upstream_micros(self, service: Service, quantity: int) -> int:
        """Return what upstream should charge us, in micros of its currency, rounded up to a micro."""
        return -(-service.rate_upstream_micros * quantity // service.rate_per)

    def piece_micros(self, cost_upstream_micros: int, markup: Markup | None = None) -> int:
        """Return the price of one piece outside the catalog (a number), by a markup or else the one for everything."""
        formula = self._formula(markup or self.chosen.default, self.discount_percent)
        return round_charge(formula.rate_micros(cost_upstream_micros))

    def stored_rates(
        self,
        *,
        rate_upstream_micros: int,
        rate_per: int,
        category_id: int,
        subcategory_id: int | None,
        service_id: int | None,
        own_percent: Decimal | None,
        rate_override_micros: int | None = None,
    ) -> tuple[int, int]:
        """Return the selling rate for `rate_per` pieces and for 1,000, in store micros, for a visitor without a group.

        Made for a hundred thousand calls in a row; a service that is not saved yet has the id None.
        """
        formula = self.visitors_formula(category_id, subcategory_id, service_id, own_percent=own_percent)
        rate_micros = formula.rate_micros(rate_upstream_micros, rate_override_micros)
        return min(rate_micros, LARGEST), min(rate_micros * (1000 // rate_per), LARGEST)

    def visitors_formula(
        self,
        category_id: int,
        subcategory_id: int | None,
        service_id: int | None,
        *,
        own_percent: Decimal | None,
    ) -> Formula:
        """Return how a service in this place is priced for a visitor without a group."""
        markup = self.markup_at(category_id, subcategory_id, service_id, own_percent=own_percent)
        formula = self._visitors.get(id(markup))
        if formula is None:
            formula = self._visitors[id(markup)] = self._formula(markup, NO_DISCOUNT)
        return formula

    def customers_formula(
        self, category_id: int, subcategory_id: int | None, service_id: int, *, own_percent: Decimal | None
    ) -> Formula:
        """Return how a service in this place is priced for this customer; made for long lists, like `stored_rates`."""
        markup = self.markup_at(category_id, subcategory_id, service_id, own_percent=own_percent)
        formula = self._customers.get(id(markup))
        if formula is None:
            formula = self._customers[id(markup)] = self._formula(markup, self.discount_percent)
        return formula

    def terms(self, service: Service) -> dict[str, Any]:
        """Return how the rate of a service comes about, as JSON takes it; orders keep it. See `pricing.words`."""
        return self._terms(
            self.markup(service),
            rate_upstream_micros=service.rate_upstream_micros,
            rate_override_micros=service.rate_override_micros,
            rate_per=service.rate_per,
            rate_micros=self.rate_micros(service),
        )

    def piece_terms(self, cost_upstream_micros: int, markup: Markup | None = None) -> dict[str, Any]:
        """Return how the price of one piece outside the catalog comes about, in the shape of `terms`."""
        return self._terms(
            markup or self.chosen.default,
            rate_upstream_micros=cost_upstream_micros,
            rate_override_micros=None,
            rate_per=1,
            rate_micros=self.piece_micros(cost_upstream_micros, markup),
        )

    def _terms(self, markup: Markup, **rates: int | None) -> dict[str, Any]:
        floor_percent = self.floor_percent if markup.floor_percent is None else markup.floor_percent
        return {
            "rule": markup.rule_id,
            "scope": markup.scope,
            "percent": str(markup.percent),
            "fixed_micros": markup.fixed_micros,
            "rounding": str(markup.rounding),
            "floor_percent": str(floor_percent),
            "discount_percent": str(self.discount_percent),
            "exchange_rate_micros": self.exchange_rate_micros,
            **rates,
        }

    def _formula(self, markup: Markup, discount_percent: Decimal) -> Formula:
        return make_formula(
            markup,
            exchange_rate_micros=self.exchange_rate_micros,
            discount_percent=discount_percent,
            floor_percent=self.floor_percent,
        )


def price_book(user: User | AnonymousUser | None, *, now: datetime | None = None) -> PriceBook:
    """Open the book for this customer, or a visitor: one query for the rules valid now, one for the group.

    One more for the exchange rate, where upstream's currency is another one.
    """
    now = now or timezone.now()
    return open_book(read_rules(valid_at=now), now=now, discount_percent=discount_of(user))


def open_book(rules: Iterable[Rule], *, now: datetime, discount_percent: Decimal = NO_DISCOUNT) -> PriceBook:
    """Open a book over these rules, saved or not, as they stand at a moment."""
    return PriceBook(
        chosen=choose(rules, now=now),
        discount_percent=discount_percent,
        floor_percent=FLOOR_MARGIN.value,
        exchange_rate_micros=exchange_rate_micros(now),
    )


def markup_price(cost_upstream_micros: int, user: User | AnonymousUser | None) -> int:
    """Return what this customer pays, in store micros, for one piece that costs us `cost_upstream_micros`."""
    return price_book(user).piece_micros(cost_upstream_micros)


def discount_of(user: User | AnonymousUser | None) -> Decimal:
    """Return the discount of this customer's group in percent; one query unless they were read with it."""
    group = getattr(user, "group", None)
    return NO_DISCOUNT if group is None else Decimal(group.discount_percent)
