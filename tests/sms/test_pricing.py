"""Prices of numbers: the most specific rule of the moment, the group's discount, and never below cost."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup
from catalog.models import MarkupRule
from catalog.pricing.explanations import pricing_in_words
from sms.models import Country, NumberMarkupRule, Project
from sms.operations import buy_numbers
from sms.pricing import number_book, number_price_micros

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _terms(settings: Any) -> None:
    settings.DEFAULT_MARKUP_PERCENT = Decimal(25)
    settings.FLOOR_MARGIN_PERCENT = Decimal(0)


@pytest.fixture
def telegram() -> Project:
    """Telegram in the United States, which costs one."""
    country = Country.objects.create(code="us", name="United States")
    return put(country, "Telegram")


def put(country: Country, name: str, cost: int = 1_000_000) -> Project:
    return Project.objects.create(upstream_id=uuid.uuid4().hex, country=country, name=name, price_upstream_micros=cost)


def rule(scope: str, target: Any = None, percent: float = 0, **fields: Any) -> NumberMarkupRule:
    named = {} if target is None else {scope: target}
    return NumberMarkupRule.objects.create(scope=scope, **named, percent=percent, **fields)


def test_number_price_takes_the_most_specific_rule(telegram: Project) -> None:
    prices = [number_price_micros(telegram, None)]
    MarkupRule.objects.create(scope="all", percent=30)
    prices.append(number_price_micros(telegram, None))
    for scope, target, percent in (
        ("all", None, 40),
        ("country", telegram.country, 50),
        ("site", telegram.site, 60),
        ("project", telegram, 70),
    ):
        rule(scope, target, percent)
        prices.append(number_price_micros(telegram, None))

    assert prices == [1_250_000, 1_300_000, 1_400_000, 1_500_000, 1_600_000, 1_700_000]


def test_number_price_of_another_place_is_not_touched(telegram: Project) -> None:
    elsewhere = Country.objects.create(code="gb", name="United Kingdom")
    rule("country", telegram.country, 50)
    rule("project", telegram, 70)

    assert number_price_micros(put(elsewhere, "Telegram"), None) == 1_250_000
    assert number_price_micros(put(telegram.country, "Viber"), None) == 1_500_000


@pytest.mark.parametrize(
    ("begins", "ends", "price"),
    [(-1, 1, 1_900_000), (1, None, 1_500_000), (-2, -1, 1_500_000), (-1, None, 1_900_000)],
)
def test_number_price_takes_a_dated_rule_while_it_counts(
    telegram: Project, begins: int, ends: int | None, price: int
) -> None:
    rule("site", telegram.site, 50)
    rule(
        "site",
        telegram.site,
        90,
        valid_from=NOW + begins * HOUR,
        valid_until=None if ends is None else NOW + ends * HOUR,
    )

    assert number_price_micros(telegram, None) == price


@pytest.mark.parametrize(
    ("fields", "discount", "price"),
    [
        ({"percent": 20, "fixed_micros": 50_000}, 0, 1_250_000),
        ({"percent": 21, "rounding": "0.50"}, 0, 1_500_000),
        ({"percent": 40}, 10, 1_260_000),
        ({"percent": 40}, 90, 1_000_000),
        ({"percent": 40, "floor_percent": 15}, 90, 1_150_000),
        ({"percent": -50}, 0, 1_000_000),
    ],
)
def test_number_price_is_the_catalogs_formula_and_never_below_cost(
    telegram: Project, ann: Any, fields: dict[str, Any], discount: int, price: int
) -> None:
    ann.group = CustomerGroup.objects.create(name="G", discount_percent=discount)
    rule("all", **fields)

    assert number_price_micros(telegram, ann) == price


def test_buy_numbers_keeps_which_rule_counted_in_words_for_staff(telegram: Project, ann: Any) -> None:
    used = rule("site", telegram.site, 60, rounding="0.05")

    [order] = buy_numbers(user=ann, project=telegram, shown_price_micros=1_600_000, request_id="1")

    assert order.price_micros == 1_600_000
    assert pricing_in_words(order.pricing, store="USD", upstream="USD") == [
        "Upstream's rate: 1.00 USD each.",
        f"Number markup rule #{used.pk} (website or app): 60%.",
        "Rounded up to 0.05.",
        "Never below cost plus 0%.",
        "Result: 1.60 USD each.",
    ]


@pytest.mark.parametrize("scope", ["all", "country", "project"])
def test_words_know_every_scope(telegram: Project, scope: str) -> None:
    rule(scope, {"country": telegram.country, "project": telegram}.get(scope), 60)

    [_rate, listed, *_rest] = pricing_in_words(number_book(None).terms(telegram), store="USD", upstream="USD")

    words = {"all": "all numbers", "country": "country", "project": "website or app in one country"}[scope]
    assert f"({words}): 60%." in listed


def test_cheapest_is_what_the_single_prices_say(telegram: Project, django_assert_num_queries: Any) -> None:
    other = Country.objects.create(code="gb", name="United Kingdom")
    third = Country.objects.create(code="fr", name="France")
    projects = [
        telegram,
        put(other, "Telegram", 900_000),
        put(third, "Telegram", 950_000),
        put(other, "Viber", 100_000),
        put(third, "Viber", 300_000),
    ]
    rule("country", other, 400)  # what costs least is not what is sold for least
    rule("project", projects[2], 90)
    book = number_book(AnonymousUser())
    of_sites: dict[int, int] = {}
    of_countries: dict[int, int] = {}
    for project in projects:
        price = book.price_micros(project)
        of_sites[project.site_id] = min(price, of_sites.get(project.site_id, price))
        of_countries[project.country_id] = min(price, of_countries.get(project.country_id, price))

    with django_assert_num_queries(2):
        assert book.cheapest_of_sites(Project.objects.all()) == of_sites
        assert book.cheapest_of_countries(Project.objects.all()) == of_countries
    assert sorted(of_sites.values()) == [375_000, 1_250_000]


def test_number_book_needs_two_queries_for_any_number_of_projects(
    telegram: Project, django_assert_num_queries: Any
) -> None:
    rule("all", percent=40)
    rule("project", telegram, 50)

    with django_assert_num_queries(2):
        book = number_book(None)
        assert [book.price_micros(project) for project in [telegram] * 9] == [1_500_000] * 9


# --- At the admin ---------------------------------------------------------------------------------------------------


def post_rule(client: Any, **fields: Any) -> Any:
    address = reverse("admin:sms_numbermarkuprule_add")
    return client.post(address, {"scope": "all", "percent": "40", "fixed_micros": "0", **fields})


def test_admin_when_a_rule_is_fine_saves_it_and_clears_what_its_scope_does_not_name(
    telegram: Project, sam: Any, client: Any
) -> None:
    client.force_login(sam)

    post_rule(client, scope="site", site=telegram.site_id, country=telegram.country_id)

    saved = NumberMarkupRule.objects.get()
    assert (saved.site, saved.country, saved.percent) == (telegram.site, None, 40)


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"scope": "site"}, "site", "Choose what the rule applies to."),
        ({"percent": "-5"}, "percent", "Can be negative only if a fixed amount makes up for it."),
        ({"percent": "5", "fixed_micros": "-1"}, "__all__", "would be sold below cost"),
        ({"percent": "-5", "fixed_micros": "0.01"}, "__all__", "Telegram · United States: costs 1.00."),
        ({"fixed_micros": "1000001"}, "fixed_micros", "Enter a number between -1000000 and 1000000."),
        ({}, "scope", "A permanent rule for this already exists"),
    ],
)
def test_admin_when_a_rule_is_wrong_says_so_and_saves_nothing(
    telegram: Project, sam: Any, client: Any, fields: dict[str, str], field: str, text: str
) -> None:
    if field == "scope":
        rule("all", percent=40)
    before = NumberMarkupRule.objects.count()
    client.force_login(sam)

    answer = post_rule(client, **fields)

    assert text in str(answer.context["adminform"].form.errors.get(field))
    assert NumberMarkupRule.objects.count() == before


def test_admin_when_what_would_lose_has_a_rule_of_its_own_saves_the_rule(
    telegram: Project, sam: Any, client: Any
) -> None:
    rule("project", telegram, 40)
    client.force_login(sam)

    post_rule(client, percent="-5", fixed_micros="0.01")

    assert NumberMarkupRule.objects.filter(scope="all").exists()
