"""What the palette lists, and to whom; the keys and the dialog themselves are in tests/browser/test_palette.py."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Service
from catalog.words.synonyms import synonyms
from catalog.words.vocabulary import learn_words
from orders.models import Order
from sms.models import Country, Project
from storefront.palette.pages import pages_for
from tests.catalog.listing_rows import put_on_sale
from tests.pages import markup
from tests.storefront.admin_rows import make_order

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


def options(client: Client, typed: str) -> dict[str, list[str]]:
    """Return the titles of the options by their group's name."""
    answer = client.get(reverse("palette_found"), {"q": typed})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    found: dict[str, list[str]] = {}
    pattern = r'id="palette-(\w+)-\d+"[^>]*>.*?class="palette__title">(.*?)</span>'
    for name, title in re.findall(pattern, markup(answer), re.DOTALL):
        found.setdefault(name, []).append(unescape(title))
    return found


@pytest.fixture
def services(db: None) -> list[Service]:
    found = [put_on_sale("Instagram Followers"), put_on_sale("TikTok Likes", category="TikTok", subcategory="Likes")]
    learn_words()
    return found


def test_palette_lists_pages_for_visitors_and_for_customers(client: Client, ann: User, sam: User) -> None:
    visitor = options(client, "")["pages"]
    client.force_login(ann)
    customer = options(client, "")["pages"]
    client.force_login(sam)

    assert visitor == [
        *("Home", "Services", "Quick order", "Help", "What changed", "Status", "Announcements", "SMS numbers"),
        *("Sign in", "Sign up", "API"),
    ]
    assert {"Home", "My orders", "Wallet", "Your account"} <= set(customer)
    assert not {"Sign in", "Admin"} & set(customer)
    assert "Admin" in options(client, "")["pages"]


def test_palette_finds_pages_by_the_beginnings_of_words_in_both_languages(client: Client, ann: User) -> None:
    client.force_login(ann)

    assert options(client, "wal")["pages"] == ["Wallet"]
    assert options(client, "top up")["pages"] == ["Add money"]
    assert options(client, "кошелек")["pages"] == ["Wallet"]
    assert "pages" not in options(client, "allet")


def test_palette_finds_services_as_the_search_does(client: Client, services: list[Service]) -> None:
    followers, likes = services

    assert options(client, "ig")["services"] == [followers.title]
    assert options(client, "тикток лайки")["services"] == [likes.title]
    assert options(client, "folowers")["services"] == [followers.title]
    assert options(client, f"#{likes.pk}")["services"] == [likes.title]
    assert options(client, "unicorn") == {"everything": ["Search all services for “unicorn”"]}
    Service.objects.update(visible=False)
    assert "services" not in options(client, "ig")


def test_palette_finds_websites_with_numbers(client: Client) -> None:
    germany = Country.objects.create(code="de", name="Germany")
    Project.objects.create(upstream_id="1", country=germany, name="Telegram", price_upstream_micros=500_000)

    assert options(client, "телеграм")["numbers"] == ["Telegram"]


def test_palette_finds_orders_of_the_signed_in_customer_alone(
    client: Client, ann: User, ben: User, services: list[Service]
) -> None:
    own = make_order(ann, service=services[0], title="Followers", link="https://instagram.com/ann")
    foreign = make_order(ben, service=services[0], title="Followers", link="https://instagram.com/ben")
    asked = (str(own.pk), f"#{own.pk}", "instagram.com/ann", "followers", str(foreign.pk), "instagram.com/ben")

    assert all("orders" not in options(client, typed) for typed in asked)
    client.force_login(ann)
    for typed in asked[:4]:
        assert options(client, typed)["orders"] == [f"#{own.pk} Followers"], typed
    assert "orders" not in options(client, asked[5])
    assert f"#{foreign.pk} Followers" not in options(client, asked[4]).get("orders", [])
    assert options(client, "")["orders"] == [f"#{own.pk} Followers"]  # it is open


@pytest.mark.parametrize("typed", ["", "w", "followers", "qqqq", "100"])
@pytest.mark.parametrize("more", [0, 8])
def test_palette_asks_as_often_for_any_number_of_rows_and_shows_few(
    client: Client, ann: User, services: list[Service], typed: str, more: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(1 + more):
        make_order(ann, service=services[0], title=f"Followers {number}")
        put_on_sale(f"Followers {number}")
    client.force_login(ann)
    synonyms()

    with django_assert_max_num_queries(13):
        found = options(client, typed)

    assert sum(map(len, found.values())) <= 27


def test_palette_answers_whatever_is_typed(client: Client, ann: User, services: list[Service]) -> None:
    client.force_login(ann)
    for typed in ("\x00", "%", "\\", "'\"<b>", "9" * 60, "#", "a" * 5000, "\u202e", "(((", "-1"):
        options(client, typed)
    assert "<b>" not in client.get(reverse("palette_found"), {"q": "<b>"}).content.decode()


def test_keys_lead_to_one_page_each_and_nobody_presses_a_modifier_for_them(ann: User, sam: User) -> None:
    for user in (None, ann, sam):
        keys = [page.keys for page in pages_for(user) if page.keys]
        assert len(keys) == len(set(keys))
        assert all(re.fullmatch(r"g [a-z]", each) for each in keys)


def test_dialogs_name_the_keys_of_this_reader(client: Client, ann: User) -> None:
    visitor = client.get(reverse("palette")).content.decode()
    client.force_login(ann)
    customer = client.get(reverse("palette")).content.decode()

    assert f'href="{reverse("orders:list")}" data-keys="g o"' in customer
    assert 'data-keys="g o"' not in visitor
    assert Order.objects.count() == 0
