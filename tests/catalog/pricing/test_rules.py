"""Which rule counts when: validity to the moment, the most specific one, the one that began last; own prices; words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import CustomerGroup, User
from catalog.models import MarkupRule, Service
from catalog.pricing import next_price_change, price_book
from catalog.pricing.explanations import pricing_in_words
from orders.models import Order
from orders.placing.mass import MassLine, place_orders
from orders.placing.place import place_order
from tests.storefront.admin_rows import make_service

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def listing(settings: Any) -> Service:
    """A service at 1.50 per 1,000; the default markup is 25%."""
    settings.DEFAULT_MARKUP_PERCENT = Decimal(25)
    settings.FLOOR_MARGIN_PERCENT = Decimal(0)
    settings.UPSTREAM_EXCHANGE_RATE = Decimal(1)
    return make_service(1)


def rule(percent: int, **fields: Any) -> MarkupRule:
    """A rule for everything, unless a scope is named; made long ago."""
    long_ago = NOON - timedelta(days=300)
    return MarkupRule.objects.create(**{"scope": "all", "percent": percent, "created_at": long_ago, **fields})


def percent_at(service: Service, moment: datetime) -> Decimal:
    return price_book(None, now=moment).markup(service).percent


def test_price_book_when_a_rule_begins_and_ends_takes_it_from_the_first_moment_to_before_the_last(
    listing: Service,
) -> None:
    rule(40, valid_from=NOON, valid_until=NOON + HOUR)

    moments = (NOON - MICRO, NOON, NOON + HOUR - MICRO, NOON + HOUR)
    assert [percent_at(listing, moment) for moment in moments] == [25, 40, 40, 25]


@pytest.mark.parametrize(
    ("fields", "before", "at_noon"),
    [({"valid_from": NOON}, 25, 40), ({"valid_until": NOON}, 40, 25), ({}, 40, 40)],
)
def test_price_book_when_a_rule_has_one_end_or_none_takes_it_on_that_side(
    listing: Service, fields: dict, before: int, at_noon: int
) -> None:
    rule(40, **fields)

    assert [percent_at(listing, NOON - MICRO), percent_at(listing, NOON)] == [before, at_noon]


def test_price_book_when_rules_of_one_target_overlap_takes_the_one_that_began_last_then_the_newest(
    listing: Service,
) -> None:
    rule(1, scope="service", service=listing, valid_from=NOON - HOUR)
    rule(2, scope="service", service=listing, valid_from=NOON - 2 * HOUR)
    assert percent_at(listing, NOON) == 1

    rule(3, scope="service", service=listing, valid_from=NOON - HOUR)
    assert percent_at(listing, NOON) == 3


def test_price_book_when_a_rule_only_ends_counts_it_from_when_it_was_made(listing: Service) -> None:
    rule(1, valid_from=NOON - HOUR)
    rule(2, valid_until=NOON + HOUR, created_at=NOON - 2 * HOUR)
    assert percent_at(listing, NOON) == 1

    rule(3, valid_until=NOON + HOUR, created_at=NOON - MICRO)
    assert percent_at(listing, NOON) == 3


def test_price_book_when_a_lasting_rule_is_newer_than_a_temporary_one_still_takes_that(listing: Service) -> None:
    rule(1, valid_until=NOON + HOUR)
    rule(2, created_at=NOON - MICRO)

    assert [percent_at(listing, NOON), percent_at(listing, NOON + HOUR)] == [1, 2]


def test_price_book_when_a_wider_rule_began_later_still_takes_the_most_specific(listing: Service) -> None:
    rule(4, valid_from=NOON - MICRO)
    rule(3, scope="category", category=listing.category, valid_from=NOON - HOUR)
    rule(2, scope="subcategory", subcategory=listing.subcategory, valid_until=NOON + HOUR)
    rule(1, scope="service", service=listing, valid_until=NOON)

    assert [percent_at(listing, NOON + HOUR * hours) for hours in (-1, 0, 1)] == [1, 2, 3]


def test_price_book_when_a_rule_has_a_floor_of_its_own_lets_no_discount_below_it(listing: Service) -> None:
    rule(40, floor_percent=30, rounding="0.05")
    group = CustomerGroup.objects.create(name="Friends", discount_percent=Decimal(50))
    friend = User.objects.create_user("friend@example.com", "x", group=group)

    assert price_book(None).rate_micros(listing) == 2_100_000
    assert price_book(friend).rate_micros(listing) == 1_950_000
    listing.rate_override_micros = 1_600_000
    assert price_book(None).rate_micros(listing) == 1_950_000


def test_price_book_when_a_service_has_its_own_price_takes_it_before_any_rule(listing: Service) -> None:
    rule(40, scope="service", service=listing, rounding="1.00")
    listing.rate_override_micros = 2_222_222
    group = CustomerGroup.objects.create(name="Friends", discount_percent=Decimal(10))
    friend = User.objects.create_user("friend@example.com", "x", group=group)

    assert price_book(None).rate_micros(listing) == 2_222_222
    assert price_book(friend).rate_micros(listing) == 2_000_000
    assert price_book(friend).rate_per_thousand_micros(listing) == 2_000_000


def test_stored_rates_of_a_customers_book_are_a_visitors_all_the_same(listing: Service) -> None:
    group = CustomerGroup.objects.create(name="Friends", discount_percent=Decimal(10))
    friend = User.objects.create_user("friend@example.com", "x", group=group)

    rates = price_book(friend).stored_rates(
        rate_upstream_micros=1_500_000,
        rate_per=1,
        category_id=listing.category_id,
        subcategory_id=None,
        service_id=None,
        own_percent=None,
        rate_override_micros=None,
    )

    assert rates == (1_875_000, 1_875_000_000)


def test_next_price_change_when_rules_begin_and_end_is_the_first_of_those_moments(listing: Service) -> None:
    assert next_price_change(NOON) is None
    rule(1)
    assert next_price_change(NOON) is None
    rule(2, valid_from=NOON, valid_until=NOON + 3 * HOUR)
    rule(3, valid_from=NOON + HOUR)

    moments = [next_price_change(NOON + offset) for offset in (-MICRO, 0 * HOUR, HOUR, 3 * HOUR)]
    assert moments == [NOON, NOON + HOUR, NOON + 3 * HOUR, None]


def test_place_order_keeps_how_its_price_came_about(service: Service, ann: User, settings: Any) -> None:
    settings.FLOOR_MARGIN_PERCENT = Decimal("2.50")
    ann.group = CustomerGroup.objects.create(name="Friends", discount_percent=Decimal("10.00"))
    ann.save()
    made = rule(40, scope="category", category=service.category, fixed_micros=150_000, rounding="0.50")

    order = place_order(
        user=ann, service=service, quantity=1000, link="https://example.com/me", request_id="1", now=timezone.now()
    )

    kept = Order.objects.get(pk=order.pk)
    assert kept.pricing == {
        "rule": made.pk,
        "scope": "category",
        "percent": "40.00",
        "fixed_micros": 150_000,
        "rounding": "0.50",
        "floor_percent": "2.50",
        "discount_percent": "10.00",
        "exchange_rate_micros": 1_000_000,
        "rate_upstream_micros": 1_500_000,
        "rate_override_micros": None,
        "rate_per": 1000,
        "rate_micros": 2_250_000,
    }
    assert kept.rate_micros == 2_250_000
    assert pricing_in_words(kept.pricing, store="USD", upstream="USD") == [
        "Upstream's rate: 1.50 USD per 1,000.",
        f"Markup rule #{made.pk} (Category): 40% and 0.15 USD.",
        "Rounded up to 0.50.",
        "Customer group discount: 10%.",
        "Never below cost plus 2.5%.",
        "Result: 2.25 USD per 1,000.",
    ]


def test_place_orders_keeps_how_each_price_came_about(service: Service, ann: User) -> None:
    made = rule(60)
    lines = [MassLine(service_id=service.pk, link=f"https://example.com/{n}", quantity=100) for n in range(2)]

    place_orders(user=ann, lines=lines, request_id="1", now=timezone.now())

    kept = [(order.pricing["rule"], order.pricing["rate_micros"]) for order in Order.objects.all()]
    assert kept == [(made.pk, 2_400_000)] * 2


def test_pricing_in_words_of_an_own_price_in_another_currency_says_both(listing: Service, settings: Any) -> None:
    settings.UPSTREAM_CURRENCY, settings.UPSTREAM_EXCHANGE_RATE = "EUR", Decimal("92.5")
    listing.rate_override_micros, listing.rate_per_override = 200_000_000, 1

    words = pricing_in_words(price_book(None).terms(listing), store="RUB", upstream="USD")

    assert words == [
        "Upstream's rate: 1.50 USD each.",
        "1 USD cost 92.5 RUB.",
        "The service's own price: 200.00 RUB.",
        "Never below cost plus 0%.",
        "Result: 200.00 RUB each.",
    ]
    assert pricing_in_words({}, store="RUB", upstream="USD") == []
