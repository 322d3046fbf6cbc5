"""The page of a service beside its form: facts, format, delivery, warranty, similar services, what it used to cost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup, User
from catalog.models import PricePoint, Service
from catalog.operations.titles import refresh_titles
from catalog.pricing.repricing import reprice_services
from orders.models import Order
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
FOLLOWERS = "Instagram Followers | Real | USA | 1K/Day | 30 Days Refill | Start 0-1 Hour"
GMAIL = "GMAIL ACCOUNTS | 2FA | Format login:pass:recovery | Replacement 24h"


def sold(title: str, **fields: Any) -> Service:
    service = put_on_sale(title, **fields)
    refresh_titles()
    reprice_services(now=timezone.now())
    service.refresh_from_db()
    return service


def page(client: Client, service: Service) -> str:
    return page_words(client.get(reverse("orders:place", args=[service.pk])))


def test_page_says_what_the_title_said_and_keeps_the_title(client: Client) -> None:
    text = page(client, sold(FOLLOWERS, refill=True))

    assert f"Full title {FOLLOWERS}" in text
    assert "Announced speed Starts within 1 hour, 1K a day" in text
    assert "Warranty If the number drops within 30 days, ask for a refill on the page of your order." in text
    assert "Delivery We work on the link you give us." in text
    assert "Real USA 1K a day Starts within 1 hour 30-day refill" in text


def test_page_promises_no_refill_that_cannot_be_asked_for(client: Client) -> None:
    assert "Warranty No refill: if the number drops later, it isn't topped up." in page(client, sold(FOLLOWERS))


def test_page_of_goods_says_format_delivery_and_warranty(client: Client) -> None:
    text = page(client, sold(GMAIL, category="Email Accounts", delivery_override="vault"))

    assert "Format login:pass:recovery One line for each piece: login, password, recovery email." in text
    assert "Delivery Your goods appear on the page of your order, and only you can see them." in text
    assert "Warranty Covered for 24 hours after delivery." in text


def test_warranty_is_read_from_the_description_where_the_title_says_none(client: Client) -> None:
    description = "<p>Fresh ones</p><ul><li>Replacement within 48 hours</li></ul>"
    service = sold("Gmail", category="Email Accounts", delivery_override="vault", upstream_description=description)

    assert "Warranty Covered for 48 hours after delivery." in page(client, service)


def test_similar_services_are_of_the_same_place_and_kind_the_better_ones_first(client: Client, ann: User) -> None:
    service = sold("Followers | 1K/Day")
    sold("Dearer", rate_upstream_micros=9_000_000, bought_lately=50)
    sold("Cheaper one", rate_upstream_micros=1_000_000)
    sold("Faster one | 5K/Day")
    sold("Sold out", stock=0)
    sold("Comments", type="Custom Comments")
    sold("Of another place", subcategory="Likes")
    sold("Gone", withdrawn_at=timezone.now())

    for _reader in ("visitor", "customer"):
        similar = page(client, service).partition("Similar services")[2].partition("Your order")[0]
        assert similar.split(" per 1,000")[0].startswith(" Cheaper one Cheaper")
        assert similar.index("Cheaper one") < similar.index("Faster one") < similar.index("Dearer")
        assert "Faster one Faster 5K a day" in similar
        assert not any(name in similar for name in ("Sold out", "Comments", "Of another place", "Gone"))
        client.force_login(ann)


def test_price_history_shows_our_prices_and_a_table_and_says_whose_they_are(client: Client, ann: User) -> None:
    service = sold("Followers")
    today = timezone.localdate()
    PricePoint.objects.create(service=service, day=today - timedelta(days=30), selling_per_thousand_micros=7_770_000)

    text = page(client, service)

    assert "Price history" in text
    assert "$7.77 per 1,000" in text
    assert "$1.50" not in text  # what it costs us
    ann.group = CustomerGroup.objects.create(name="Gold", discount_percent=5)
    ann.save(update_fields=["group"])
    client.force_login(ann)
    assert "These are our regular prices, without your discount." in page(client, service)


def test_orders_keep_the_title_they_are_sold_under(place: Callable[..., Order], service: Service) -> None:
    Service.objects.filter(pk=service.pk).update(name=FOLLOWERS)
    refresh_titles()

    order = place()

    assert (order.title, order.shown_title) == (FOLLOWERS, FOLLOWERS)


def test_page_asks_as_often_however_many_are_similar(client: Client) -> None:
    service = sold("Followers")

    def queries() -> int:
        Service.objects.filter(pk=service.pk).update(position=Service.objects.count())
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("orders:place", args=[service.pk]))
        return len(asked)

    few = queries()
    for number in range(8):
        put_on_sale(f"Followers {number}")
        PricePoint.objects.create(
            service=service,
            day=timezone.localdate() - timedelta(days=number + 1),
            selling_per_thousand_micros=number + 1,
        )
    reprice_services(now=timezone.now())

    assert queries() == few
