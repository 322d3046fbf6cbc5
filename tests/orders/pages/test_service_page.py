"""The page of a service as customers open it: cached once for all of them, with each one's personal parts put in."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup, User
from catalog.caching.personal_parts import (
    BALANCE,
    EMAIL,
    FAVORITES_FORM,
    HEADER,
    MESSAGES,
    REQUEST_ID,
    TOKEN,
    mark,
)
from catalog.models import Service
from catalog.operations.favorites import add_favorite
from orders.models import Order
from tests.catalog.listing_rows import put_on_sale
from tests.pages import hidden, markup, page_words
from wallet.operations import credit

pytestmark = pytest.mark.django_db
MARKS = [mark(name) for name in (HEADER, MESSAGES, FAVORITES_FORM, TOKEN, BALANCE, EMAIL, REQUEST_ID)]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(service: Service) -> str:
    return reverse("orders:place", args=[service.pk])


def varying_apart(page: Any) -> str:
    """The page without what is new in every answer."""
    return re.sub(r'name="(csrfmiddlewaretoken|request_id)" value="[^"]*"', "", markup(page))


def test_page_when_cached_is_the_page_as_it_would_be_made(ann: User, settings: Any) -> None:
    service = put_on_sale("A", stock=500)
    add_favorite(ann, service)
    settings.PAGE_CACHE_SECONDS = 0
    made = varying_apart(signed_in(ann).get(page_of(service)))
    settings.PAGE_CACHE_SECONDS = 300

    first, again = (signed_in(ann).get(page_of(service)) for _each in range(2))

    assert varying_apart(first) == varying_apart(again) == made


def test_page_of_one_customer_has_nothing_of_another(ann: User, ben: User) -> None:
    service = put_on_sale("Account", delivery_override="email")
    add_favorite(ann, service)
    credit(user=ben, amount_micros=5_000_000, kind="top_up", reference="more")
    anns = signed_in(ann).get(page_of(service))

    bens = signed_in(ben).get(page_of(service))

    text = bens.content.decode()
    assert ann.email in anns.content.decode()
    assert ann.email not in text
    assert ben.email in text
    assert "Your balance $105.00" in page_words(bens)
    assert 'aria-pressed="false"' in text
    assert hidden(bens, "request_id") != hidden(anns, "request_id")
    assert hidden(bens, "csrfmiddlewaretoken") != hidden(anns, "csrfmiddlewaretoken")
    assert not [each for each in MARKS if each in text]


def test_order_from_a_cached_page_is_placed_once(ann: User, service: Service) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    client.get(page_of(service))
    page = client.get(page_of(service))
    quoted = client.get(page_of(service), {"quantity": 100}, headers={"HX-Request": "true"})
    form = {
        "csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"),
        "request_id": hidden(page, "request_id"),
        "quantity": "100",
        "link": "https://example.com/me",
        "quote": hidden(quoted, "quote"),
    }

    answers = [client.post(page_of(service), form) for _each in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Order.objects.count() == 1


def test_page_shows_the_prices_of_the_customers_group(ann: User, ben: User) -> None:
    service = put_on_sale("A")
    ben.group = CustomerGroup.objects.create(name="Friends", discount_percent=10)
    ben.save(update_fields=["group"])

    assert "$1.875 per 1,000" in page_words(signed_in(ann).get(page_of(service)))
    assert "$1.6875 per 1,000" in page_words(signed_in(ben).get(page_of(service)))


def test_page_shows_a_change_at_once(ann: User) -> None:
    service = put_on_sale("A")
    client = signed_in(ann)
    client.get(page_of(service))

    Service.objects.filter(pk=service.pk).update(display_name="Renamed")
    assert "Renamed" in page_words(client.get(page_of(service)))
    Service.objects.filter(pk=service.pk).update(withdrawn_at=timezone.now())
    assert 'id="order-form"' not in client.get(page_of(service)).content.decode()
    Service.objects.filter(pk=service.pk).update(visible=False)
    assert client.get(page_of(service)).status_code == 404


def test_page_of_a_limited_service_asks_what_is_left_before_it_is_shown_again(
    ann: User, service: Service, sandbox: Any
) -> None:
    Service.objects.filter(pk=service.pk).update(stock=5000)
    sandbox.set_service(service.upstream_id, stock=5000)
    client = signed_in(ann)
    assert "5,000" in page_words(client.get(page_of(service)))
    sandbox.set_service(service.upstream_id, stock=77)
    cache.delete(f"stock:{service.pk}")  # the seconds are over in which the last answer counts

    assert "In stock 77" in page_words(client.get(page_of(service)))
    sandbox.set_service(service.upstream_id, stock=0)
    cache.delete(f"stock:{service.pk}")
    assert "Notify me when it's back" in page_words(client.get(page_of(service)))


@pytest.mark.parametrize("query", [{"quantity": "50"}, {"again": "1"}])
def test_page_with_a_question_of_its_own_is_not_the_cached_one(ann: User, query: dict) -> None:
    service = put_on_sale("A")
    client = signed_in(ann)
    client.get(page_of(service))

    page = client.get(page_of(service), query)

    assert page.status_code == (404 if "again" in query else 200)
    assert "again" in query or 'value="50"' in page.content.decode()


def test_page_takes_four_statements_once_it_is_cached(ann: User) -> None:
    service = put_on_sale("A")
    client = signed_in(ann)
    client.get(page_of(service))

    with CaptureQueriesContext(connection) as captured:
        client.get(page_of(service))

    taken = [each["sql"] for each in captured if "catalog_version" not in each["sql"]]
    assert len(taken) == 4, taken  # session, user, wallet, favorite
