"""Exchange rates: the newest that has begun counts, sales keep theirs, and a jump is asked about."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.caching.version import catalog_version
from catalog.models import Category, ExchangeRate, Service, Subcategory
from catalog.pricing import cost_micros, exchange_rate_micros, next_price_change, price_book
from catalog.pricing.exchange_rate_entry import RateRefused, fetch_exchange_rate, jump_percent
from catalog.pricing.repricing import reprice_if_due, reprice_services
from orders.fulfilment.forward import forward_order
from orders.models import Order, Status
from sms.models import Country, Project
from sms.operations import buy_numbers
from tests.orders.conftest import place
from tests.pages import page_words

pytestmark = pytest.mark.django_db
__all__ = ["place"]  # a fixture
ADD, LIST = "admin:catalog_exchangerate_add", "admin:catalog_exchangerate_changelist"


@pytest.fixture
def abroad(settings: Any) -> Any:
    """Upstream charges in euros, of which one costs 2.00 by the settings; the shop sells in dollars."""
    settings.UPSTREAM_CURRENCY, settings.UPSTREAM_EXCHANGE_RATE = "EUR", Decimal(2)
    return settings


@pytest.fixture
def desk(sam: Any, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def likes(db: None) -> Service:
    category = Category.objects.create(name="Instagram", rate_confirmed_at=timezone.now())
    return Service.objects.create(
        upstream_id=1,
        category=category,
        subcategory=Subcategory.objects.create(category=category, name="Likes"),
        name="Likes",
        type="Default",
        rate_upstream_micros=1_000_000,
        min_quantity=10,
        max_quantity=1000,
        search_text="likes",
    )


def rate(micros: int, **since: float) -> ExchangeRate:
    """Enter a rate that begins in, or with a minus began, so long from now."""
    return ExchangeRate.objects.create(rate_micros=micros, valid_from=timezone.now() + timedelta(**since))


def steady(*, upstream: str, store: str) -> Decimal:
    """A source as EXCHANGE_RATE_SOURCE names one."""
    assert (upstream, store) == ("EUR", "USD")
    return Decimal("2.1000001")


def leaping(**currencies: str) -> Decimal:
    return Decimal("2.5")


def broken(**currencies: str) -> Decimal:
    raise ConnectionError("no route")


def silent(**currencies: str) -> None:
    return None


def test_exchange_rate_is_the_newest_that_has_begun_else_the_settings(abroad: Any) -> None:
    assert exchange_rate_micros() == 2_000_000

    rate(3_000_000, days=-2)
    rate(2_500_000, days=-1)
    rate(9_000_000, days=1)

    assert exchange_rate_micros() == 2_500_000
    assert exchange_rate_micros(timezone.now() - timedelta(hours=36)) == 3_000_000
    assert exchange_rate_micros(timezone.now() + timedelta(days=2)) == 9_000_000
    assert cost_micros(100) == 250


def test_exchange_rate_when_both_currencies_are_one_is_1_and_asks_nothing(django_assert_num_queries: Any) -> None:
    rate(3_000_000, days=-2)

    with django_assert_num_queries(0):
        assert exchange_rate_micros() == 1_000_000


def test_price_book_in_another_currency_asks_one_query_more(abroad: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        price_book(None)


def test_rate_that_begins_reprices_what_is_stored_and_kept(abroad: Any, likes: Service) -> None:
    now = timezone.now()
    reprice_services(now=now)
    version = catalog_version()
    tomorrow = rate(4_000_000, days=1).valid_from

    assert catalog_version() > version  # pages that were cached are not shown any more
    assert next_price_change(now) == tomorrow
    assert reprice_if_due(now=now) is None
    assert reprice_if_due(now=tomorrow)

    likes.refresh_from_db()
    assert likes.selling_rate_micros == 5_000_000


def test_place_order_keeps_the_rate_it_was_sold_at(abroad: Any, place: Any, sandbox: Any, client_upstream: Any) -> None:
    sandbox.set(currency="EUR")
    rate(3_000_000, days=-1)
    order = place(quantity=1000)
    rate(3_300_000, hours=-1)

    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, order.price_micros) == (Status.PENDING, 5_625_000)  # 1.50 × 3 and a quarter more
    assert (order.exchange_rate_micros, order.pricing["exchange_rate_micros"]) == (3_000_000, 3_000_000)
    assert place(quantity=1000).exchange_rate_micros == 3_300_000


def test_buy_numbers_keeps_the_rate_each_was_sold_at(abroad: Any, ann: Any) -> None:
    rate(3_000_000, days=-1)
    country = Country.objects.create(code="us", name="USA")
    project = Project.objects.create(upstream_id="1", country=country, name="Tg", price_upstream_micros=500_000)

    numbers = buy_numbers(user=ann, project=project, quantity=2, request_id="1")

    assert [number.exchange_rate_micros for number in numbers] == [3_000_000, 3_000_000]
    assert Order.objects.filter(exchange_rate_micros=3_000_000, price_micros=1_875_000).count() == 2


def test_add_rate_page_counts_at_once_and_names_who_set_it(abroad: Any, desk: Client, sam: Any, likes: Service) -> None:
    page = desk.post(reverse(ADD), {"rate_micros": "2.2", "valid_from_0": "", "valid_from_1": ""}, follow=True)

    row = ExchangeRate.objects.get()
    assert (row.rate_micros, row.set_by, exchange_rate_micros()) == (2_200_000, sam, 2_200_000)
    likes.refresh_from_db()
    assert likes.selling_rate_micros == 2_750_000
    assert "Now 1 EUR = 2.20 USD." in page.content.decode()


def test_add_rate_page_when_it_jumps_asks_and_takes_a_yes_for_this_rate_alone(abroad: Any, desk: Client) -> None:
    asked = desk.post(reverse(ADD), {"rate_micros": "2.5"})
    other = desk.post(reverse(ADD), {"rate_micros": "25", "sure": "2500000"})

    assert ExchangeRate.objects.count() == 0
    assert "That is a change of +25%: until then, 1 EUR = 2.00 USD." in asked.content.decode()
    assert '<option value="2500000">' in asked.content.decode()
    assert "That is a change of +1150%" in other.content.decode()

    desk.post(reverse(ADD), {"rate_micros": "2.5", "sure": "2500000"})
    assert exchange_rate_micros() == 2_500_000


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"rate_micros": "0"}, "Enter a number above 0"),
        ({"rate_micros": "-2"}, "Enter a number above 0"),
        ({"rate_micros": "NaN"}, "Enter a number"),
        ({"rate_micros": "2.0000001"}, "6 decimal places"),
        ({"rate_micros": "2.1", "valid_from_0": "2020-01-01", "valid_from_1": "00:00"}, "can't start in the past"),
    ],
)
def test_add_rate_page_when_it_is_no_rate_says_so(abroad: Any, desk: Client, form: dict, error: str) -> None:
    page = desk.post(reverse(ADD), form)

    assert error in page_words(page)
    assert ExchangeRate.objects.count() == 0


def test_rate_page_when_both_currencies_are_one_says_that_it_is_1(desk: Client) -> None:
    assert "the exchange rate is 1, and you don't need to enter one" in desk.get(reverse(LIST)).content.decode()
    assert desk.get(reverse(ADD)).status_code == 403


def test_delete_rate_page_when_it_has_begun_refuses(abroad: Any, desk: Client) -> None:
    begun, coming = rate(2_100_000, days=-1), rate(2_200_000, days=1)

    for row in (begun, coming):
        desk.post(reverse("admin:catalog_exchangerate_delete", args=[row.pk]), {"post": "yes"})
    picked = {"action": "delete_selected", "_selected_action": [begun.pk], "post": "yes"}
    desk.post(reverse(LIST), picked)

    assert list(ExchangeRate.objects.all()) == [begun]


def test_fetch_exchange_rate_keeps_a_new_rate_once(abroad: Any) -> None:
    abroad.EXCHANGE_RATE_SOURCE = f"{__name__}.steady"

    row = fetch_exchange_rate(now=timezone.now())

    assert row is not None
    assert (row.rate_micros, row.source) == (2_100_001, f"{__name__}.steady")  # rounded up: cost is not understated
    assert fetch_exchange_rate(now=timezone.now()) is None
    assert ExchangeRate.objects.count() == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("leaping", "change by +25%, from 2.00 to 2.50"),
        ("broken", "ConnectionError: no route"),
        ("silent", "which is not an exchange rate"),
        ("absent", "ImportError"),
    ],
)
def test_fetch_exchange_rate_when_it_cannot_count_leaves_the_old_one(abroad: Any, source: str, reason: str) -> None:
    abroad.EXCHANGE_RATE_SOURCE = f"{__name__}.{source}"

    with pytest.raises(RateRefused) as refusal:
        fetch_exchange_rate(now=timezone.now())

    assert reason in str(refusal.value)
    assert exchange_rate_micros() == 2_000_000


@pytest.mark.parametrize(("after", "jump"), [(120, 0), (80, 0), (121, 21), (79, -21), (400, 300)])
def test_jump_percent_is_what_moved_beyond_a_fifth(after: int, jump: int) -> None:
    assert jump_percent(100, after) == jump
