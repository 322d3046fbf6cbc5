"""Ids of purchases that are remembered no longer: they buy anew, once, and cost a sale nothing until then."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Service
from orders.models import Checkout, Order
from orders.placing.refusals import OrderRefused

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
LONG_AGO = timedelta(days=31)


def grow_old() -> None:
    Checkout.objects.update(created_at=timezone.now() - LONG_AGO)


def test_old_id_when_it_comes_again_from_a_page_then_it_is_the_first_order(place: Callable[..., Order]) -> None:
    first = place(request_id="one")
    grow_old()

    assert place(request_id="one") == first  # a form that stood open for a month buys nothing


def test_old_id_when_what_it_asks_for_is_refused_then_nothing_is_bought_and_the_next_one_is(
    place: Callable[..., Order], service: Service
) -> None:
    first = place(request_id="one")
    grow_old()
    Service.objects.update(visible=False)
    with pytest.raises(OrderRefused):
        place(request_id="one", forgets_ids=True)
    assert Order.objects.count() == 1
    Service.objects.update(visible=True)

    second = place(request_id="one", forgets_ids=True)

    assert second != first
    assert place(request_id="one", forgets_ids=True) == second


@pytest.mark.django_db(transaction=True)
def test_old_id_when_many_ask_at_once_then_all_get_the_one_new_order(place: Callable[..., Order]) -> None:
    first = place(request_id="one")
    grow_old()

    def ask(_number: int) -> int:
        try:
            return place(request_id="one", forgets_ids=True).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        bought = set(threads.map(ask, range(6)))

    assert len(bought) == 1
    assert first.pk not in bought
    assert Order.objects.count() == 2


def test_new_id_when_it_is_used_then_nobody_is_asked_whether_it_was_used_long_ago(place: Callable[..., Order]) -> None:
    place()  # what is read once

    def statements(*, forgets_ids: bool) -> int:
        with CaptureQueriesContext(connection) as asked:
            place(forgets_ids=forgets_ids)
        return len(asked)

    assert statements(forgets_ids=True) == statements(forgets_ids=False)
