"""Goods that come as accounts with the status, over the API: no link is needed, and one that is sent goes nowhere."""

import pytest
from django.utils import timezone

from accounts.models import User
from api.registry import ACTIONS
from catalog.models import Category, Delivery, Service
from orders.lifecycle.goods import keep_goods
from orders.models import Order, Status
from tests.api.conftest import Call

pytestmark = pytest.mark.django_db


@pytest.fixture
def goods(service: Service) -> Service:
    Category.objects.filter(pk=service.category_id).update(delivery=Delivery.GOODS)
    return service


@pytest.mark.parametrize("link", [None, "", " ", "reseller@example.com"])
def test_add_when_goods_come_with_the_status_then_no_address_is_kept(
    call: Call, goods: Service, ann: User, link: str | None
) -> None:
    asked = {"service": goods.pk, "quantity": 10} | ({} if link is None else {"link": link})

    answer = call("add", **asked)

    order = Order.objects.get()
    assert (answer, order.link) == ({"order": order.pk}, "")


def test_add_when_goods_go_by_mail_then_the_accounts_own_address_is_taken(
    call: Call, goods: Service, ann: User, settings
) -> None:
    settings.GOODS_DELIVERY = "email"

    call("add", service=goods.pk, quantity=10)

    assert Order.objects.get().link == ann.email


def test_add_when_it_is_a_link_service_then_an_empty_link_is_refused(call: Call, service: Service) -> None:
    assert call("add", service=service.pk, quantity=10, link="") == {"error": "Link is required"}


def test_status_when_goods_have_come_then_it_has_them(call: Call, goods: Service) -> None:
    order_id = call("add", service=goods.pk, quantity=10)["order"]
    Order.objects.update(status=Status.COMPLETED, upstream_id="7")
    keep_goods(Order.objects.get(), ["rosa@example.com:pass"], timezone.now())

    assert call("status", order=order_id)["accounts"] == ["rosa@example.com:pass"]


def test_documentation_when_it_describes_the_link_says_that_goods_need_none() -> None:
    [link] = [parameter for parameter in ACTIONS["add"].parameters if parameter.name == "link"]

    assert "For goods, leave it empty" in str(link.description)
