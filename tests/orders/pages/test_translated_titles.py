"""An order keeps the English title it was sold under; its customer reads the service's name in their language."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from catalog.models import Service
from notifications.models import Notice
from orders.lifecycle.service_requests import close_request, request_service
from orders.models import Order, ServiceRequest, Status
from orders.notices.customer_notices import announce
from tests.pages import page_words

pytestmark = pytest.mark.django_db
RUSSIAN = {"HTTP_ACCEPT_LANGUAGE": "ru"}
ENGLISH_NAME, RUSSIAN_NAME = "Instagram Followers, real", "Подписчики, живые"


@pytest.fixture
def translated(service: Service, settings: Any) -> Service:
    settings.CATALOG_LANGUAGES = ("ru",)
    Service.objects.filter(pk=service.pk).update(translated_names={"ru": RUSSIAN_NAME})
    return service


@pytest.fixture
def order(translated: Service, place: Callable[..., Order]) -> Order:
    """An order that was placed by somebody who reads Russian."""
    with translation.override("ru"):
        return place()


def pages(order: Order) -> list[str]:
    return [reverse("orders:list"), reverse("orders:detail", args=[order.pk])]


def titles_of_csv(response: Any) -> list[str]:
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return [row[3] for row in csv.reader(io.StringIO(text))][1:]


def test_place_records_the_english_title_whoever_buys(order: Order) -> None:
    assert order.title == ENGLISH_NAME


def test_pages_and_csv_show_the_name_in_the_readers_language(order: Order, shop: Client) -> None:
    for url in pages(order):
        assert ENGLISH_NAME in page_words(shop.get(url))
        russian = page_words(shop.get(url, **RUSSIAN))
        assert RUSSIAN_NAME in russian
        assert ENGLISH_NAME not in russian
    export = reverse("orders:export")
    assert titles_of_csv(shop.get(export)) == [ENGLISH_NAME]
    assert titles_of_csv(shop.get(export, **RUSSIAN)) == [RUSSIAN_NAME]


def test_pages_when_the_service_is_called_otherwise_now_show_what_was_sold(order: Order, shop: Client) -> None:
    Service.objects.update(name="Something else", translated_names={"ru": "Другое"})

    for url in pages(order):
        page = page_words(shop.get(url, **RUSSIAN))
        assert ENGLISH_NAME in page
        assert "Другое" not in page
    assert titles_of_csv(shop.get(reverse("orders:export"), **RUSSIAN)) == [ENGLISH_NAME]


@pytest.mark.parametrize("url", ["orders:list", "orders:export"])
def test_lists_ask_the_database_as_often_for_one_order_as_for_three(
    order: Order, place: Callable[..., Order], shop: Client, url: str
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            response = shop.get(reverse(url), **RUSSIAN)
            assert response.status_code == 200
            if response.streaming:
                list(response.streaming_content)
        return len(queries)

    count()
    one = count()
    for place_number in range(2):
        place(link=f"https://instagram.com/{place_number}")

    assert count() == one


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.FAILED])
def test_mails_are_written_in_the_customers_language(order: Order, ann: User, status: str) -> None:
    for language, title in (("ru", RUSSIAN_NAME), ("en", ENGLISH_NAME)):
        User.objects.filter(pk=ann.pk).update(language=language)
        Notice.objects.all().delete()
        announced = Order.objects.select_related("user").get(pk=order.pk)
        announced.status = status

        announce([announced], now=timezone.now())

        assert Notice.objects.get().body.splitlines()[0] == title


def test_announce_of_three_orders_reads_their_services_at_once(
    order: Order, place: Callable[..., Order], ann: User
) -> None:
    User.objects.filter(pk=ann.pk).update(language="ru")
    counts = []
    for more in range(2):
        Notice.objects.all().delete()
        orders = list(Order.objects.select_related("user", "goods"))
        for each in orders:
            each.status = Status.COMPLETED
        with CaptureQueriesContext(connection) as queries:
            announce(orders, now=timezone.now())
        counts.append(len(queries))
        if not more:
            place(link="https://instagram.com/b"), place(link="https://instagram.com/c")

    assert counts[0] == counts[1]
    assert {notice.body.splitlines()[0] for notice in Notice.objects.all()} == {RUSSIAN_NAME}


def test_answer_to_a_request_is_written_in_the_customers_language(order: Order, ann: User, sam: User) -> None:
    User.objects.filter(pk=ann.pk).update(language="ru")
    Service.objects.update(refill=True)
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, upstream_id="77")
    request = request_service(order.pk, user=ann, kind="refill", now=timezone.now())
    told = Notice.objects.filter(user=None).get()

    close_request(request.pk, state=ServiceRequest.State.DONE, answer="", actor=sam, now=timezone.now())

    assert told.body.splitlines()[0] == ENGLISH_NAME
    answer = Notice.objects.get(user=ann)
    assert answer.subject == f"Наш ответ: Восстановление заказа № {order.pk}"
    assert answer.body.splitlines()[0] == "Восстановление согласовано."
