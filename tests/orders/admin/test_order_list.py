"""The list of orders: a line for each, the parts that work begins with, one box that knows what it was given."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.lifecycle.service_requests import request_service
from orders.models import Order, ServiceRequest, Status

pytestmark = pytest.mark.django_db
LIST = "admin:orders_order_changelist"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def shown(desk: Client, **asked: Any) -> set[int]:
    page = desk.get(reverse(LIST), asked)
    return {order.pk for order in page.context["cl"].result_list}


def test_row_is_one_line_with_the_whole_title_where_the_pointer_rests(
    desk: Client, place: Callable[..., Order]
) -> None:
    title = "Followers from all over the world, real ones, slowly delivered"
    Order.objects.filter(pk=place().pk).update(title=title, quantity=1500)

    page = desk.get(reverse(LIST)).content.decode()

    assert f'title="1,500 × {title}"' in page
    assert "1,500\u00a0×\u00a0Followers\u00a0from" in page
    assert "slowly\u00a0delivered" not in page
    assert "just\u00a0now" in page


def test_saved_filters_lead_to_what_they_say(desk: Client, place: Callable[..., Order], ann: User) -> None:
    now = timezone.now()
    plain, stuck, held, refill, lost = (place() for _order in range(5))
    Order.objects.filter(pk=stuck.pk).update(created_at=now - timedelta(minutes=61))
    Order.objects.filter(pk=held.pk).update(held_because="margin")
    for order, upstream_id in ((refill, "901"), (lost, "902")):
        Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, upstream_id=upstream_id, finished_at=now)
    refill.service.refill = True
    refill.service.save()
    request_service(refill.pk, user=ann, kind=ServiceRequest.Kind.REFILL, now=now)
    rate = lost.exchange_rate_micros
    just_paid = lost.price_micros * 1_000_000 // rate
    Order.objects.filter(pk=lost.pk).update(charge_upstream_micros=just_paid + 1_000)
    Order.objects.filter(pk=refill.pk).update(charge_upstream_micros=just_paid)

    assert shown(desk) == {order.pk for order in (plain, stuck, held, refill, lost)}
    assert shown(desk, work="stuck") == {stuck.pk}
    assert shown(desk, work="held") == {held.pk}
    assert shown(desk, work="refill") == {refill.pk}
    assert shown(desk, work="loss") == {lost.pk}
    Order.objects.filter(pk=lost.pk).update(created_at=now - timedelta(days=31))
    assert shown(desk, work="loss") == set()


def test_order_refunded_after_it_was_charged_lost_money(desk: Client, place: Callable[..., Order]) -> None:
    order = place()
    cheap = order.price_micros * 1_000_000 // order.exchange_rate_micros // 2
    Order.objects.filter(pk=order.pk).update(
        status=Status.PARTIAL,
        upstream_id="7",
        charge_upstream_micros=cheap,
        refunded_micros=order.price_micros * 2 // 3,
    )

    assert shown(desk, work="loss") == {order.pk}


def test_saved_filter_that_is_looked_at_is_marked_and_others_are_not(desk: Client) -> None:
    page = desk.get(reverse(LIST), {"work": "held", "q": "x", "p": "1"})

    assert [one["query"] for one in page.context["saved_filters"] if one["is_here"]] == ["work=held"]


@pytest.fixture
def known(place: Callable[..., Order], ben: User) -> dict[str, Order]:
    """Three orders that can be told apart by each of their marks."""
    first, second, third = place(), place(), place(user=ben)
    Order.objects.filter(pk=first.pk).update(upstream_id="77001", link="https://example.com/a_page?x=1")
    Order.objects.filter(pk=second.pk).update(
        upstream_id=f"{first.pk}", link="https://example.com/@ann", title="Red boots"
    )
    Order.objects.filter(pk=third.pk).update(link="https://example.org/third", title="Blue boots")
    return {"first": first, "second": second, "third": third}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("#{first}", "first"),
        (" {third} ", "third"),
        ("77001", "first"),
        ("https://example.com/a_page?x=1", "first"),
        ("example.com", "first second"),
        ("ben@example.com", "third"),
        ("BEN@", "third"),
        ("@ann", "second"),
        ("boots", "second third"),
        ("red boots", "second"),
        ("%", ""),
        ("#", ""),
        ("9" * 30, ""),
        ("\x00", "first second third"),
    ],
)
def test_box_knows_what_it_was_given(desk: Client, known: dict[str, Order], typed: str, found: str) -> None:
    typed = typed.format(**{name: order.pk for name, order in known.items()})

    assert shown(desk, q=typed) == {known[name].pk for name in found.split()}


def test_number_is_ours_or_upstreams_and_with_a_sign_ours_alone(desk: Client, known: dict[str, Order]) -> None:
    first, second = known["first"].pk, known["second"].pk

    assert shown(desk, q=str(first)) == {first, second}
    assert shown(desk, q=f"#{first}") == {first}


def test_list_asks_the_same_however_many_orders_it_shows(
    desk: Client, place: Callable[..., Order], django_assert_max_num_queries: Any
) -> None:
    place()
    desk.get(reverse(LIST))
    for _order in range(5):
        place()
    with django_assert_max_num_queries(40) as few:
        desk.get(reverse(LIST))
    for _order in range(5):
        place()
    with django_assert_max_num_queries(len(few.captured_queries)):
        desk.get(reverse(LIST))


def test_list_never_counts_all_orders(
    desk: Client, place: Callable[..., Order], django_assert_max_num_queries: Any
) -> None:
    place()
    with django_assert_max_num_queries(40) as asked:
        desk.get(reverse(LIST))

    counts = [one["sql"] for one in asked.captured_queries if "COUNT(" in one["sql"] and '"orders_order"' in one["sql"]]
    assert all("LIMIT" in sql or "attentionflag" in sql for sql in counts), counts
