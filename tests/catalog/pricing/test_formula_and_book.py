"""Prices: always above cost, the most specific rule, the group's discount."""

from decimal import Decimal
from fractions import Fraction

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import CustomerGroup, User
from catalog.models import Category, MarkupRule, Rounding, Service, Subcategory
from catalog.pricing import (
    Markup,
    PriceBook,
    make_formula,
    markup_price,
    price_book,
    price_for,
    selling_rate,
)

MICROS = 1_000_000
rates = st.integers(0, 10**12)
exchange_rates = st.integers(1, 10**9)
percents = st.decimals(0, 5000, places=2)
shares = st.decimals(0, 100, places=2)
units = st.sampled_from([1, 1000])


def rate_of(rate: int, **changes: object) -> int:
    terms = {
        "exchange_rate_micros": MICROS,
        "markup_percent": Decimal(25),
        "fixed_micros": 0,
        "discount_percent": Decimal(0),
        "floor_percent": Decimal(0),
    }
    return selling_rate(rate, **{**terms, **changes})


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, 625_000),
        ({"fixed_micros": 100_000}, 725_000),
        ({"exchange_rate_micros": 92_500_000}, 57_812_500),
        ({"discount_percent": Decimal(10)}, 562_500),
        ({"discount_percent": Decimal(10), "fixed_micros": 100_000}, 652_500),
        ({"discount_percent": Decimal(90)}, 500_000),
        ({"discount_percent": Decimal(90), "floor_percent": Decimal(5)}, 525_000),
        ({"markup_percent": Decimal(0)}, 500_000),
        ({"markup_percent": Decimal("33.33")}, 666_650),
    ],
)
def test_selling_rate_of_half_a_unit_is_as_calculated_by_hand(terms: dict, expected: int) -> None:
    assert rate_of(500_000, **terms) == expected


def test_selling_rate_when_a_part_of_a_micro_is_left_rounds_up() -> None:
    assert rate_of(1) == 2
    assert rate_of(4) == 5


@pytest.mark.parametrize(
    "terms",
    [
        {"exchange_rate_micros": 0},
        {"discount_percent": Decimal(101)},
        {"discount_percent": Decimal(-1)},
        {"floor_percent": Decimal(-1)},
    ],
)
def test_selling_rate_when_a_term_would_sell_below_cost_raises(terms: dict) -> None:
    with pytest.raises(ValueError, match=r"below cost|discount"):
        rate_of(1, **terms)


@given(rates, exchange_rates, percents, st.integers(0, 10**9), shares, shares)
def test_selling_rate_never_falls_below_cost_plus_floor(
    rate: int, exchange_rate_micros: int, percent: Decimal, fixed: int, discount: Decimal, floor: Decimal
) -> None:
    sold_at = rate_of(
        rate,
        exchange_rate_micros=exchange_rate_micros,
        markup_percent=percent,
        fixed_micros=fixed,
        discount_percent=discount,
        floor_percent=floor,
    )

    assert sold_at >= Fraction(rate * exchange_rate_micros, MICROS) * (1 + Fraction(floor) / 100)


@given(rates, percents, shares, shares)
def test_selling_rate_when_the_discount_grows_never_rises(
    rate: int, percent: Decimal, discount: Decimal, other: Decimal
) -> None:
    small, large = sorted([discount, other])

    assert rate_of(rate, markup_percent=percent, discount_percent=large) <= rate_of(
        rate, markup_percent=percent, discount_percent=small
    )


roundings = st.sampled_from(["", *Rounding.values])
lowered = st.decimals(-99, 5000, places=2)  # of a rule whose fixed part makes up for it, or does not
fixed_parts = st.integers(-(10**9), 10**9)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("0.01", 1_630_000),
        ("0.05", 1_650_000),
        ("0.10", 1_700_000),
        ("0.50", 2_000_000),
        ("1.00", 2_000_000),
        (".99", 1_990_000),
    ],
)
def test_selling_rate_when_rounded_goes_up_to_the_next_step(rounding: str, expected: int) -> None:
    assert rate_of(1_300_001, rounding=rounding) == expected
    assert rate_of(expected, rounding=rounding, markup_percent=Decimal(0)) == expected


def test_selling_rate_when_rounded_gives_the_discount_afterwards_and_keeps_the_floor() -> None:
    assert rate_of(1_300_000, rounding=".99", discount_percent=Decimal(10)) == 1_791_000
    assert rate_of(1_300_000, rounding=".99", discount_percent=Decimal(60)) == 1_300_000
    # A markup below the floor is lifted to it, and what is lifted is rounded too.
    assert rate_of(1_300_000, rounding="0.50", markup_percent=Decimal(0), floor_percent=Decimal(20)) == 2_000_000


def test_selling_rate_when_the_service_has_its_own_price_replaces_the_markup_not_the_floor() -> None:
    assert rate_of(1_000_000, rate_override_micros=3_333_333, rounding="1.00") == 3_333_333
    assert rate_of(1_000_000, rate_override_micros=3_333_333, discount_percent=Decimal(50)) == 1_666_667
    assert rate_of(1_000_000, rate_override_micros=900_000, floor_percent=Decimal(5)) == 1_050_000


@given(rates, exchange_rates, lowered, fixed_parts, shares, shares, roundings, st.none() | rates)
def test_selling_rate_whatever_the_rule_never_falls_below_cost_plus_floor(
    rate: int,
    exchange_rate_micros: int,
    percent: Decimal,
    fixed: int,
    discount: Decimal,
    floor: Decimal,
    rounding: str,
    own: int | None,
) -> None:
    sold_at = rate_of(
        rate,
        exchange_rate_micros=exchange_rate_micros,
        markup_percent=percent,
        fixed_micros=fixed,
        discount_percent=discount,
        floor_percent=floor,
        rounding=rounding,
        rate_override_micros=own,
    )

    assert sold_at >= Fraction(rate * exchange_rate_micros, MICROS) * (1 + Fraction(floor) / 100)


@given(rates, rates, lowered, fixed_parts, shares, shares, roundings)
def test_selling_rate_when_the_cost_rises_never_falls(
    rate: int, more: int, percent: Decimal, fixed: int, discount: Decimal, floor: Decimal, rounding: str
) -> None:
    rule = {
        "markup_percent": percent,
        "fixed_micros": fixed,
        "discount_percent": discount,
        "floor_percent": floor,
        "rounding": rounding,
    }

    assert rate_of(rate, **rule) <= rate_of(rate + more, **rule)


@given(rates, percents, fixed_parts, shares, st.sampled_from(Rounding.values))
def test_selling_rate_when_rounded_rises_by_less_than_a_step_and_ends_as_it_should(
    rate: int, percent: Decimal, fixed: int, floor: Decimal, rounding: str
) -> None:
    step = 1_000_000 if rounding == ".99" else int(Decimal(rounding) * MICROS)
    end = 990_000 if rounding == ".99" else 0
    rule = {"markup_percent": percent, "fixed_micros": fixed, "floor_percent": floor}

    plain, rounded = rate_of(rate, **rule), rate_of(rate, **rule, rounding=rounding)

    assert 0 <= rounded - plain < step
    assert rounded % step == end


@given(rates, rates, lowered, fixed_parts, shares)
def test_unprotected_rate_is_what_is_sold_unless_the_floor_lifts_it(
    rate: int, exchange_rate_micros: int, percent: Decimal, fixed: int, floor: Decimal
) -> None:
    formula = make_formula(
        Markup(percent, fixed, rounding="0.05"),
        exchange_rate_micros=exchange_rate_micros + 1,
        discount_percent=Decimal(0),
        floor_percent=floor,
    )

    if not formula.is_lifted(rate):
        assert formula.rate_micros(rate) == formula.unprotected_micros(rate)
        assert not formula.loses(rate)
    else:
        assert formula.rate_micros(rate) >= formula.unprotected_micros(rate)
    if formula.loses(rate):
        assert formula.unprotected_micros(rate) < formula.cost_micros(rate)


@given(rates, exchange_rates, percents, shares, st.integers(1, 10**7), units)
def test_price_for_any_quantity_covers_its_cost(
    rate: int, exchange_rate_micros: int, percent: Decimal, discount: Decimal, quantity: int, rate_per: int
) -> None:
    sold_at = rate_of(
        rate, exchange_rate_micros=exchange_rate_micros, markup_percent=percent, discount_percent=discount
    )

    price = price_for(sold_at, quantity, rate_per)

    assert price >= Fraction(rate * exchange_rate_micros, MICROS) * quantity / rate_per
    assert price % 100 == 0


@given(rates, st.integers(1, 10**7), st.integers(1, 10**7), units)
def test_price_for_more_pieces_is_never_lower(rate: int, quantity: int, more: int, rate_per: int) -> None:
    assert price_for(rate, quantity, rate_per) <= price_for(rate, quantity + more, rate_per)


@pytest.mark.parametrize(
    ("rate", "quantity", "rate_per", "expected"),
    [
        (625_000, 1000, 1000, 625_000),
        (625_000, 1, 1000, 700),
        (625_000, 3, 1, 1_875_000),
        (1, 1, 1000, 100),
        (0, 5, 1000, 0),
    ],
)
def test_price_for_rounds_up_to_a_hundredth_of_a_cent(rate: int, quantity: int, rate_per: int, expected: int) -> None:
    assert price_for(rate, quantity, rate_per) == expected


@pytest.mark.parametrize(("quantity", "rate_per"), [(0, 1000), (-5, 1000), (1, 0)])
def test_price_for_no_pieces_raises(quantity: int, rate_per: int) -> None:
    with pytest.raises(ValueError, match="pieces at a rate"):
        price_for(1, quantity, rate_per)


@pytest.fixture
def listing(db: None, settings) -> Service:
    """A service at 1.00 per 1,000, in a subcategory; the default markup is 25 %."""
    settings.DEFAULT_MARKUP_PERCENT = Decimal(25)
    settings.FLOOR_MARGIN_PERCENT = Decimal(0)
    settings.UPSTREAM_EXCHANGE_RATE = Decimal(1)
    category = Category.objects.create(name="Instagram")
    subcategory = Subcategory.objects.create(category=category, name="Followers")
    return Service.objects.create(
        upstream_id=1,
        category=category,
        subcategory=subcategory,
        name="Followers",
        type="Default",
        rate_upstream_micros=MICROS,
        min_quantity=1,
        max_quantity=1000,
    )


def add_rules(service: Service, *scopes: str) -> None:
    """One rule for each scope, each with a percentage of its own."""
    rules = {
        "all": MarkupRule(scope="all", percent=10),
        "category": MarkupRule(scope="category", category=service.category, percent=20),
        "subcategory": MarkupRule(scope="subcategory", subcategory=service.subcategory, percent=30),
        "service": MarkupRule(scope="service", service=service, percent=40, fixed_micros=5),
    }
    for scope in scopes:
        rules[scope].save()


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([], 1_250_000),
        (["all"], 1_100_000),
        (["all", "category"], 1_200_000),
        (["all", "category", "subcategory"], 1_300_000),
        (["all", "category", "subcategory", "service"], 1_400_005),
        (["category", "service"], 1_400_005),
    ],
)
def test_rate_micros_when_several_rules_fit_takes_the_most_specific(
    listing: Service, scopes: list[str], expected: int
) -> None:
    add_rules(listing, *scopes)

    assert price_book(None).rate_micros(listing) == expected


def test_rate_micros_when_rules_are_for_others_takes_the_default(listing: Service) -> None:
    other_category = Category.objects.create(name="TikTok")
    # The same name in another category is another subcategory.
    other = Subcategory.objects.create(category=other_category, name="Followers")
    MarkupRule.objects.create(scope="category", category=other_category, percent=70)
    MarkupRule.objects.create(scope="subcategory", subcategory=other, percent=80)

    assert price_book(None).rate_micros(listing) == 1_250_000


def test_price_book_when_the_customer_has_a_group_takes_its_discount_down_to_the_floor(
    listing: Service, settings
) -> None:
    settings.FLOOR_MARGIN_PERCENT = Decimal(2)
    group = CustomerGroup.objects.create(name="Friends", discount_percent=Decimal("10.00"))
    user = User.objects.create_user("friend@example.com", "x", group=group)

    assert price_book(user).rate_micros(listing) == 1_125_000

    group.discount_percent = Decimal(50)
    group.save()
    assert price_book(User.objects.get(pk=user.pk)).rate_micros(listing) == 1_020_000


def test_price_book_of_a_visitor_has_no_discount(listing: Service) -> None:
    assert price_book(AnonymousUser()).rate_micros(listing) == 1_250_000


@pytest.mark.parametrize("services", [1, 3])
def test_price_book_for_many_services_asks_for_the_rules_once(
    listing: Service, services: int, django_assert_num_queries
) -> None:
    add_rules(listing, "all", "category", "subcategory", "service")

    with django_assert_num_queries(1):
        book = price_book(AnonymousUser())
        prices = [book.price_micros(listing, 100) for _ in range(services)]

    assert prices == [140_100] * services  # 1.400005 per 1,000: a hundred are 0.1400005, rounded up


def test_price_micros_when_the_rate_buys_one_piece_multiplies(listing: Service) -> None:
    listing.rate_per_override = 1
    book = price_book(None)

    assert book.price_micros(listing, 3) == 3_750_000
    assert book.cost_upstream_micros(listing, 3) == 3_000_000
    assert book.rate_per_thousand_micros(listing) == 1_250_000_000


def test_cost_upstream_micros_when_a_part_of_a_micro_is_left_rounds_up(listing: Service) -> None:
    listing.rate_upstream_micros = 1

    assert price_book(None).cost_upstream_micros(listing, 1) == 1


def test_markup_price_of_a_number_takes_the_markup_for_everything(listing: Service) -> None:
    assert markup_price(500_000, None) == 625_000

    add_rules(listing, "all", "category")
    assert markup_price(500_000, None) == 550_000
    assert markup_price(1, None) == 100


def test_price_book_when_the_store_has_another_currency_converts(listing: Service, settings) -> None:
    settings.UPSTREAM_CURRENCY, settings.UPSTREAM_EXCHANGE_RATE = "EUR", Decimal("92.5")
    book: PriceBook = price_book(None)

    assert book.rate_micros(listing) == 115_625_000
    assert book.cost_upstream_micros(listing, 1000) == MICROS
