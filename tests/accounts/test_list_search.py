"""The search boxes of the admin's lists: what is typed is found in a row's own columns, and in rows it refers to."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.admin.list_search import found_by
from accounts.models import User
from api.models import WebhookDelivery
from catalog.models import Favorite
from notifications.models import Notice
from orders.models import Order, ServiceRequest
from sms.models import Number
from tests.storefront.admin_rows import make_rows, make_service
from wallet.models import GatewayEvent, LedgerEntry, MoneyRequest, Receipt, TopUp
from wallet.operations import credit

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
ODD = (
    *("xyzzy", "#5", "5", "9" * 30, "#", "'", '"', '""', '" "', '"two words"', "likes & views", "a@b", "%", "\\"),
    *("🔥", "-1", "1e5", "203.0.113."),
)


@pytest.fixture
def desk(sam: User) -> Client:
    client = Client()
    client.force_login(sam)
    return client


def found(desk: Client, model: type[Model], typed: str) -> list[Any]:
    page = desk.get(reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"), {"q": typed})
    return list(page.context["cl"].result_list)


def test_every_list_can_be_searched_for_anything_and_looks_through_one_table(sam: User) -> None:
    make_rows(1)
    request = RequestFactory().get("/admin/", headers={"host": "localhost"})
    request.user = sam
    lists = [(model, pages) for model, pages in admin.site._registry.items() if pages.search_fields]
    assert len(lists) > 50

    for typed in ODD:
        for model, pages in lists:
            rows, repeats = pages.get_search_results(request, model._default_manager.order_by(), typed)
            list(rows)
            joined = [alias for alias, uses in rows.query.alias_refcount.items() if uses]
            assert (len(joined), repeats) == (1, False), (model, joined)


def test_rows_are_found_by_those_they_refer_to(desk: Client, ann: User, sam: User) -> None:
    service = make_service(1)
    mine = Favorite.objects.create(user=ann, service=service)
    Favorite.objects.create(user=sam, service=service)

    assert found(desk, Favorite, ann.email) == [mine]
    assert found(desk, Favorite, f"{ann.email[:3]} {service.search_text.split()[0]}") == [mine]
    assert len(found(desk, Favorite, f"{service.search_text.split()[0]} &")) == 2
    assert found(desk, Favorite, f"{ann.email} xyzzy") == []


def test_quotes_keep_words_together(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(email="ann lee@example.com")

    assert User.objects.filter(found_by(User, ["email"], '"ann lee"')).exists()
    assert not User.objects.filter(found_by(User, ["email"], '"lee ann"')).exists()
    assert User.objects.filter(found_by(User, ["email"], "lee ann")).exists()


def test_the_ledger_is_searched_by_what_rows_are_booked_for(desk: Client) -> None:
    make_rows(2)
    order, top_up, move = Order.objects.latest("pk"), TopUp.objects.latest("pk"), MoneyRequest.objects.latest("pk")
    for user, reference in (
        (order.user, f"order:{order.pk}:refund:5"),
        (order.user, f"order:{order.pk}0"),
        (top_up.user, f"top_up:{top_up.reference}:bonus"),
        (move.user, f"request:{move.request_id}"),
    ):
        credit(user=user, amount_micros=5, kind="adjustment", reference=reference)

    def references(typed: str) -> list[str]:
        return [entry.reference for entry in found(desk, LedgerEntry, typed)]

    assert f"order:{order.pk}:refund:5" in references(f"#{order.pk}")
    assert f"order:{order.pk}0" not in references(f"#{order.pk}")
    assert references(f"order:{order.pk}:refund:5") == [f"order:{order.pk}:refund:5"]
    assert f"top_up:{top_up.reference}:bonus" in references(top_up.reference.lower())
    assert references(move.request_id) == [f"request:{move.request_id}"]
    assert references("order:999999") == references("xyzzy") == []


def test_payments_and_what_belongs_to_them_are_found_as_they_are_called(desk: Client) -> None:
    make_rows(2)
    top_up = TopUp.objects.latest("pk")
    TopUp.objects.filter(pk=top_up.pk).update(gateway="stripe", gateway_id="cs_1")
    event = GatewayEvent.objects.create(gateway="stripe", kind="k", event_id="evt_1", top_up=top_up, outcome="applied")

    assert found(desk, TopUp, "cs_1") == found(desk, TopUp, top_up.reference[:9].lower()) == [top_up]
    assert found(desk, GatewayEvent, "evt_1") == [event]
    assert event in found(desk, GatewayEvent, top_up.reference)
    assert all(receipt.top_up == top_up for receipt in found(desk, Receipt, top_up.reference))


def test_notices_numbers_and_deliveries_are_found_by_keys(desk: Client) -> None:
    make_rows(2)
    notice, number = Notice.objects.latest("pk"), Number.objects.latest("pk")
    delivery = WebhookDelivery.objects.latest("pk")

    assert notice in found(desk, Notice, notice.key[:5])
    assert number in found(desk, Number, f"#{number.order_id}")
    assert found(desk, WebhookDelivery, str(delivery.event_id)) == [delivery]


def test_requests_are_found_by_upstreams_number_of_their_order(desk: Client) -> None:
    make_rows(1)
    asked = ServiceRequest.objects.latest("pk")
    Order.objects.filter(pk=asked.order_id).update(upstream_id="UP-77")

    assert found(desk, ServiceRequest, "UP-77") == [asked]
    assert found(desk, ServiceRequest, "UP-7") == []
