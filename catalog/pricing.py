"""What things cost: upstream rate, markup, discount, floor. Pages, API and checkout all ask here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from catalog.models import MarkupRule, Service
from upstream.money import MICROS, micros_from_decimal, round_charge


def selling_rate(
    rate_upstream_micros: int,
    *,
    exchange_rate_micros: int,
    markup_percent: Decimal,
    fixed_micros: int,
    discount_percent: Decimal,
    floor_percent: Decimal,
) -> int:
    """Return the rate a customer pays, in store micros rounded up, for as many pieces as the rate buys.

    `exchange_rate_micros` is what one unit of upstream's currency costs in ours, in micros. The markup comes
    first, then the discount on the whole; the result is never below the cost plus `floor_percent` of it.
    Raises ValueError for a negative rate or floor, an exchange rate of zero or less, a discount not in 0..100.
    """
    if rate_upstream_micros < 0 or exchange_rate_micros <= 0 or floor_percent < 0:
        raise ValueError("a rate, an exchange rate or a floor that would sell below cost")
    if not 0 <= discount_percent <= 100:
        raise ValueError(f"a discount of {discount_percent} %")
    cost = Fraction(rate_upstream_micros * exchange_rate_micros, MICROS)
    marked_up = cost * (1 + Fraction(markup_percent) / 100) + fixed_micros
    discounted = marked_up * (1 - Fraction(discount_percent) / 100)
    floor = cost * (1 + Fraction(floor_percent) / 100)
    return ceil(max(discounted, floor))


def price_for(rate_micros: int, quantity: int, rate_per: int) -> int:
    """Return the price of `quantity` pieces in micros, rounded up to 0.0001.

    `rate_micros` buys `rate_per` pieces. Raises ValueError for a quantity or a unit below one.
    """
    if quantity < 1 or rate_per < 1:
        raise ValueError(f"{quantity} pieces at a rate per {rate_per}")
    return round_charge(rate_micros * quantity, rate_per)


def exchange_rate_micros() -> int:
    """Return what one unit of upstream's currency costs in the store's currency, in micros."""
    return micros_from_decimal(settings.UPSTREAM_EXCHANGE_RATE)


@dataclass(frozen=True, slots=True)
class Markup:
    """What one rule adds to a rate: a share, and a fixed amount for as many pieces as the rate buys."""

    percent: Decimal
    fixed_micros: int = 0


@dataclass(frozen=True)
class PriceBook:
    """Every price for one customer, by the rules as they were when the book was opened."""

    default: Markup
    discount_percent: Decimal
    floor_percent: Decimal
    exchange_rate_micros: int
    by_category: dict[int, Markup] = field(default_factory=dict)
    by_subcategory: dict[int, Markup] = field(default_factory=dict)
    by_service: dict[int, Markup] = field(default_factory=dict)

    def markup(self, service: Service) -> Markup:
        """Return the most specific markup: service, subcategory, category, everything."""
        found = self.by_service.get(service.pk)
        if found is None and service.subcategory_id is not None:
            found = self.by_subcategory.get(service.subcategory_id)
        if found is None:
            found = self.by_category.get(service.category_id)
        return self.default if found is None else found

    def rate_micros(self, service: Service) -> int:
        """Return the selling rate in store micros for `service.rate_per` pieces."""
        return self._marked_up(service.rate_upstream_micros, self.markup(service))

    def rate_per_thousand_micros(self, service: Service) -> int:
        """Return the selling rate for a thousand pieces, whatever unit the service is priced in."""
        return self.rate_micros(service) * (1000 // service.rate_per)

    def price_micros(self, service: Service, quantity: int) -> int:
        """Return what `quantity` pieces cost the customer, rounded up to 0.0001."""
        return price_for(self.rate_micros(service), quantity, service.rate_per)

    def cost_upstream_micros(self, service: Service, quantity: int) -> int:
        """Return what upstream should charge us, in micros of its currency, rounded up to a micro."""
        return -(-service.rate_upstream_micros * quantity // service.rate_per)

    def piece_micros(self, cost_upstream_micros: int) -> int:
        """Return the price of one piece outside the catalog (a number), by the markup for everything."""
        return round_charge(self._marked_up(cost_upstream_micros, self.default))

    def _marked_up(self, rate_upstream_micros: int, markup: Markup) -> int:
        return selling_rate(
            rate_upstream_micros,
            exchange_rate_micros=self.exchange_rate_micros,
            markup_percent=markup.percent,
            fixed_micros=markup.fixed_micros,
            discount_percent=self.discount_percent,
            floor_percent=self.floor_percent,
        )


def price_book(user: User | AnonymousUser | None) -> PriceBook:
    """Open the book for this customer, or a visitor: one query for all rules, one for the group."""
    rules = MarkupRule.objects.values_list("category_id", "subcategory_id", "service_id", "percent", "fixed_micros")
    return _book(rules, discount_percent=_discount_of(user))


def markup_price(cost_upstream_micros: int, user: User | AnonymousUser | None) -> int:
    """Return what this customer pays, in store micros, for one piece that costs us `cost_upstream_micros`."""
    return price_book(user).piece_micros(cost_upstream_micros)


def _discount_of(user: User | AnonymousUser | None) -> Decimal:
    group = getattr(user, "group", None)
    return Decimal(0) if group is None else Decimal(group.discount_percent)


def _book(
    rules: Iterable[tuple[int | None, int | None, int | None, Decimal, int]], *, discount_percent: Decimal
) -> PriceBook:
    default = Markup(settings.DEFAULT_MARKUP_PERCENT)
    by_category: dict[int, Markup] = {}
    by_subcategory: dict[int, Markup] = {}
    by_service: dict[int, Markup] = {}
    for category_id, subcategory_id, service_id, percent, fixed_micros in rules:
        markup = Markup(percent, fixed_micros)
        # A constraint holds that a rule names exactly what its scope says.
        if service_id is not None:
            by_service[service_id] = markup
        elif subcategory_id is not None:
            by_subcategory[subcategory_id] = markup
        elif category_id is not None:
            by_category[category_id] = markup
        else:
            default = markup
    return PriceBook(
        default=default,
        discount_percent=discount_percent,
        floor_percent=settings.FLOOR_MARGIN_PERCENT,
        exchange_rate_micros=exchange_rate_micros(),
        by_category=by_category,
        by_subcategory=by_subcategory,
        by_service=by_service,
    )
