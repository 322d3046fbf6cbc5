"""Goods that come with the order's status: nobody is asked for an address, and none is kept or sent."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Category, Delivery, Service
from orders.models import Order
from orders.placing.mass import LinesRefused, MassLine, place_orders
from orders.placing.place import place_order
from orders.placing.refusals import OrderRefused

pytestmark = pytest.mark.django_db
WAYS = [
    (Delivery.GOODS, "vault", Delivery.VAULT),
    (Delivery.GOODS, "email", Delivery.EMAIL),
    (Delivery.VAULT, "email", Delivery.VAULT),
    (Delivery.EMAIL, "vault", Delivery.EMAIL),
    (Delivery.LINK, "vault", Delivery.LINK),
]


@pytest.fixture
def goods(service: Service) -> Service:
    """The service sells goods, delivered as the setting says: into the order."""
    Category.objects.filter(pk=service.category_id).update(delivery=Delivery.GOODS)
    return Service.objects.select_related("category").get(pk=service.pk)


@pytest.mark.parametrize(("chosen", "setting", "means"), WAYS)
@pytest.mark.parametrize("where", ["category", "service"])
def test_delivery_when_chosen_for_a_category_or_a_service_follows_the_setting_only_where_it_says_so(
    service, settings, chosen, setting, means, where
):
    settings.GOODS_DELIVERY = setting
    if where == "category":
        service.category.delivery = chosen
    else:
        service.delivery_override = chosen

    assert service.delivery == means


def test_setting_when_nothing_is_said_is_the_vault(settings):
    assert settings.GOODS_DELIVERY == "vault"


@pytest.mark.parametrize("link", ["", "ann@example.com", "https://x.com/ann", "  "])
def test_place_order_of_goods_in_the_vault_keeps_no_address_whatever_is_typed(ann, goods, link):
    order = place_order(user=ann, service=goods, quantity=100, link=link, request_id="a", now=timezone.now())

    assert Order.objects.get(pk=order.pk).link == ""


def test_place_order_of_goods_in_the_vault_repeated_is_the_same_order(ann, goods):
    orders = [
        place_order(user=ann, service=goods, quantity=100, link="", request_id="a", now=timezone.now())
        for _time in range(2)
    ]

    assert (orders[0].pk, Order.objects.count()) == (orders[1].pk, 1)


@pytest.mark.parametrize("delivery", [Delivery.LINK, Delivery.EMAIL])
def test_place_order_of_anything_else_still_needs_its_link(ann, service, delivery):
    Category.objects.update(delivery=delivery)
    service.category.refresh_from_db()

    with pytest.raises(OrderRefused) as refusal:
        place_order(user=ann, service=service, quantity=100, link="", request_id="a", now=timezone.now())

    assert (refusal.value.field, Order.objects.count()) == ("link", 0)


def test_place_page_of_goods_in_the_vault_asks_for_no_address_and_says_where_they_appear(client, ann, goods):
    client.force_login(ann)

    page = client.get(reverse("orders:place", args=[goods.pk])).content.decode()

    assert 'name="link"' not in page
    assert ann.email not in re.sub(r"<header.*?</header>", "", page, flags=re.DOTALL)
    assert "Your goods will appear on the page of your order" in page
    assert "We don't ask for an address" in page


def test_place_page_of_goods_in_the_vault_buys_without_a_link(client, ann, goods):
    client.force_login(ann)
    address = reverse("orders:place", args=[goods.pk])
    page = client.get(address, {"quantity": "100"}).content.decode()
    signed = re.search(r'name="quote" value="([^"]+)"', page)[1]
    request_id = re.search(r'name="request_id" value="([^"]+)"', page)[1]

    answer = client.post(address, {"quantity": "100", "quote": signed, "request_id": request_id, "link": ann.email})

    order = Order.objects.get()
    assert (answer.status_code, order.link) == (302, "")
    assert "Your goods will appear here" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()


def test_order_page_when_goods_were_sold_by_mail_and_the_category_is_changed_later_still_shows_an_address(
    client, ann, service
):
    Category.objects.update(delivery=Delivery.EMAIL)
    service.category.refresh_from_db()
    order = place_order(
        user=ann, service=service, quantity=100, link="ann@home.example", request_id="a", now=timezone.now()
    )
    Category.objects.update(delivery=Delivery.VAULT)
    client.force_login(ann)

    page = client.get(reverse("orders:detail", args=[order.pk])).content.decode()

    assert ("Delivered to" in page, 'href="ann@home.example"' in page) == (True, False)


def test_mass_order_of_goods_in_the_vault_has_no_link(ann, goods):
    orders = place_orders(user=ann, lines=[MassLine(goods.pk, "", 100)], request_id="a", now=timezone.now())

    assert [order.link for order in orders] == [""]


def test_mass_order_of_anything_else_says_that_the_link_is_missing(ann, service):
    with pytest.raises(LinesRefused) as refusal:
        place_orders(user=ann, lines=[MassLine(service.pk, "", 100)], request_id="a", now=timezone.now())

    assert refusal.value.problems == {0: "The link is missing."}


def test_mass_page_of_goods_in_the_vault_twice_takes_the_lines_and_does_not_warn(client, ann, goods):
    client.force_login(ann)

    page = client.post(reverse("orders:mass"), {"text": f"{goods.pk} | | 100\n{goods.pk} || 100", "check": "1"})

    text = page.content.decode()
    assert ("The link is missing" in text, "id_again" in text, "Same as line" in text) == (False, False, False)
    assert text.count(f"{reverse('orders:place', args=[goods.pk])}") >= 2
