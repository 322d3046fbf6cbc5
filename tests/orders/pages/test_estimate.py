"""When an open order will be done, as its page says it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Status
from tests.pages import HTMX, page_words
from tests.storefront.admin_rows import make_quality


def aged(order: Order, minutes: float, **fields) -> None:
    """The order was paid so long ago, and is under way."""
    values = {"status": Status.IN_PROGRESS, "created_at": timezone.now() - timedelta(minutes=minutes), **fields}
    Order.objects.filter(pk=order.pk).update(**values)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (80.5, "About 40 minutes left."),
        (119.9, "About 1 minute left."),
        (121, "Most orders of this service are done within 3 hours."),
        (181, "This is taking longer than usual: most are done within 3 hours. We're watching it."),
    ],
)
def test_detail_of_an_open_order_says_how_long_it_will_take(shop, paid_order, minutes, words):
    make_quality(paid_order.service)
    aged(paid_order, minutes)

    assert words in page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))


@pytest.mark.parametrize(
    "fields",
    [{"status": Status.COMPLETED}, {"status": Status.UNKNOWN}, {"status": Status.PAID, "held_because": "price"}],
)
def test_detail_of_an_order_that_ended_or_waits_for_us_says_nothing_of_it(shop, paid_order, fields):
    make_quality(paid_order.service)
    aged(paid_order, 10, **fields)

    words = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    assert "left." not in words
    assert "done within" not in words


def test_detail_of_a_service_never_timed_says_nothing_of_it(shop, paid_order):
    make_quality(paid_order.service, done_seconds=None, done_seconds_most=None)
    aged(paid_order, 10)

    assert "left." not in page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))


def test_detail_asked_again_answers_when_the_order_becomes_late(shop, paid_order):
    make_quality(paid_order.service)
    url = reverse("orders:detail", args=[paid_order.pk])
    aged(paid_order, 125)
    seen = shop.get(url).context["seen"]
    assert shop.get(url, {"seen": seen}, headers=HTMX).status_code == 204

    aged(paid_order, 190)

    answer = shop.get(url, {"seen": seen}, headers=HTMX)
    assert "taking longer than usual" in page_words(answer)
