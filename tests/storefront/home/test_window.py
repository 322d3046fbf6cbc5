"""What visitors see of the shop: what sells best first, under headings, with figures that are true."""

import re
from html import unescape

import pytest
from django.conf import settings
from django.contrib.admin.sites import site
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.browse.groups import kind_of
from catalog.models import Category, CategoryGroup, Service, ServiceQuality
from sms.models import Country, Project, SuccessRate
from storefront.home.proof import LEAST
from storefront.home.window import FIRST_GROUP
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words

pytestmark = pytest.mark.django_db


def tiles(page) -> list[str]:
    return [unescape(name) for name in re.findall(r'category-tile__name">([^<]*)<', page.content.decode())]


def headings(page) -> list[str]:
    return [unescape(name) for name in re.findall(r'class="group-heading"[^>]*>([^<]*)<', page.content.decode())]


@pytest.mark.parametrize(
    ("name", "group", "icon"),
    [
        ("Instagram", "social", "camera"),
        ("YouTube", "social", "play"),
        ("TikTok", "social", "note"),
        ("Telegram", "social", "plane"),
        ("X (Twitter)", "social", "hash"),
        ("WhatsApp Channels", "social", "chat"),
        ("Instagram Accounts", "accounts", "camera"),
        ("Email Accounts", "accounts", "mail"),
        ("Old Accounts", "accounts", "user"),
        ("Windows Keys", "keys", "key"),
        ("Music Subscriptions", "keys", "sound"),
        ("SMS Numbers", "numbers", "phone"),
        ("Website Traffic", "sites", "globe"),
        ("Google Maps", "sites", "pin"),
        ("Something else", "other", "box"),
        ("Инстаграм", "social", "camera"),
        ("High fashion", "other", "box"),  # "ig" is a word of its own or none
    ],
)
def test_kind_of_a_category_is_read_from_its_name(name: str, group: str, icon: str) -> None:
    kind = kind_of(name)

    assert (kind.group, kind.icon) == (group, icon)


def test_home_puts_categories_under_headings_the_best_known_first(client: Client) -> None:
    for name in ("Windows Keys", "Telegram", "Instagram Accounts", "Instagram"):
        put_on_sale("A", category=name)

    page = client.get("/")

    assert headings(page) == ["Social networks and media", "Accounts", "Keys, software and subscriptions"]
    assert tiles(page) == ["Instagram", "Telegram", "Instagram Accounts", "Windows Keys"]


def test_home_puts_first_what_sells(client: Client) -> None:
    put_on_sale("A", category="Instagram")
    put_on_sale("B", category="Telegram", bought_lately=7)

    assert tiles(client.get("/")) == ["Telegram", "Instagram"]


def test_home_when_staff_chooses_a_group_shows_it_there_at_once(client: Client, sam) -> None:
    category = put_on_sale("A", category="Instagram").category
    assert headings(client.get("/")) == ["Social networks and media"]

    Category.objects.filter(pk=category.pk).update(group=CategoryGroup.OTHER)

    assert headings(client.get("/")) == ["More"]
    assert "group" in str(site.get_model_admin(Category).fields)


def test_home_with_many_categories_shows_the_first_of_a_group_and_a_link_to_the_rest(client: Client) -> None:
    for number in range(FIRST_GROUP + 1):
        put_on_sale("A", category=f"Category {number:02}")

    page = client.get("/")

    assert len(tiles(page)) == FIRST_GROUP
    assert f'href="{reverse("catalog:index")}#group-other"' in page.content.decode()
    assert 'id="group-other"' in client.get(reverse("catalog:index")).content.decode()


def measured(completed: int, *, done_seconds: int = 7200) -> None:
    service = put_on_sale(f"A {completed}")
    ServiceQuality.objects.create(
        service=service, orders=completed, completed=completed, partial=0, refunded=0, done_seconds=done_seconds
    )


def test_home_says_nothing_of_few_orders(client: Client) -> None:
    measured(LEAST - 1)

    text = page_words(client.get("/"))

    assert "Orders completed" not in text
    assert "Usually done in" not in text


def test_home_says_how_many_orders_were_completed_and_how_fast(client: Client) -> None:
    measured(LEAST, done_seconds=3600)
    measured(20, done_seconds=86_400)

    text = page_words(client.get("/"))

    assert f"Orders completed in 30 days {LEAST + 20}" in text
    assert "Usually done in 1 h" in text


def test_home_says_how_many_codes_came_where_they_are_enough(client: Client) -> None:
    put_on_sale("A")
    country = Country.objects.create(code="us", name="USA")
    project = Project.objects.create(upstream_id="1", country=country, name="Telegram", price_upstream_micros=500_000)
    rate = SuccessRate.objects.create(project=project, observed=200, received=LEAST, counted_at=timezone.now())
    assert f"SMS codes received in {settings.SMS_SUCCESS_DAYS} days {LEAST}" in page_words(client.get("/"))

    SuccessRate.objects.filter(pk=rate.pk).update(received=LEAST - 1)
    Service.objects.update(position=1)  # the page is made anew at the next change of the catalog

    assert "SMS codes received" not in page_words(client.get("/"))


def test_home_of_visitors_is_made_once(client: Client, django_assert_max_num_queries) -> None:
    put_on_sale("A")
    client.get("/")

    with django_assert_max_num_queries(1):  # the version of the catalog
        assert client.get("/").status_code == 200
