"""The page of an order: what happened in words, what can be done and to whose money, and what is known beside it."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service, ServiceQuality
from orders.admin.beside import similar_to
from orders.admin.happened import happenings_of
from orders.admin.window_picture import picture_of
from orders.models import HoldReason, Order, OrderEvent, ServiceRequest, Status
from tests.orders.attention import make_lost
from tests.pages import markup, page_words
from tests.storefront.admin_rows import make_order

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
Code = OrderEvent.Code
WINDOW = {
    "window": {"first": 10, "last": 40, "width": 31, "closed_by": 7},
    "asked": 12,
    "asked_until": 40,
    "candidates": [
        {"id": 20, "word": "Pending", "charge_upstream_micros": 4500, "remains": 3, "matches": True, "orders": [2]},
        {"id": 21, "word": "Pending", "charge_upstream_micros": None, "remains": None, "matches": False, "orders": []},
    ],
    "rivals": [5],
    "expected_cost_upstream_micros": 4500,
    "balance_before_upstream_micros": None,
    "balance_after_upstream_micros": None,
}
SINCE = {"since": "2026-11-28T07:40:44.439012+00:00", "last": "2026-11-28T07:42:14.439012+00:00"}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def order(ann: User) -> Order:
    return make_order(ann)


def shown(desk: Client, order: Order) -> str:
    return page_words(desk.get(reverse("admin:orders_order_change", args=[order.pk])))


def write(order: Order, code: str, **more: Any) -> OrderEvent:
    return OrderEvent.objects.create(order=order, code=code, status=order.status, **more)


@pytest.mark.parametrize(
    ("code", "evidence", "said"),
    [
        (Code.ACCEPTED, {"upstream_id": "23501"}, ["Upstream order: 23501"]),
        (Code.NOT_SENT, {"reason": "Insufficient balance"}, ["Insufficient balance"]),
        (Code.UNKNOWN, {"cause": "no_answer", "detail": "read timed out"}, ["read timed out"]),
        (Code.REFUSED, {"cause": "silent", "detail": ""}, ["the worker that sent it did not report back"]),
        (
            Code.ATTENTION,
            {"reason": "loss", "details": {"cost_micros": 18_000_000, "paid_micros": 1_500_000}},
            ["Sold at a loss: it costs 18.00 USD now, the customer paid 1.50"],
        ),
        (
            Code.ATTENTION,
            {"released": "paused", "details": {"because": "trouble"}},
            ["It goes on by itself. It was held because: The service is paused: trouble"],
        ),
        (Code.RESOLVED, {"reason": HoldReason.SERVICE_PAUSED.value, "details": {}}, ["The service is paused"]),
        (
            Code.RESOLVED,
            {"sent_anyway": "paused", "details": {"because": "trouble"}},
            ["Sent all the same, though: The service is paused: trouble"],
        ),
        (
            Code.ATTENTION,
            {"code": "changed_late", "details": {"before": "completed", "word": "Partial"}, "word": "Partial",
             "charge": 12_000_000},
            ["Changed after it was Completed: Partial", "Upstream status: Partial", "Upstream charge: $12.00"],
        ),
        (
            Code.ATTENTION,
            {"seen": [{"code": "refused", "details": {"answer": "Invalid action"}}]},
            ["Reviewed: Refused upstream: Invalid action"],
        ),
        (Code.ATTENTION, {"seen": [], "means": "canceled"}, ["Staff said what the status word means: canceled."]),
        (
            Code.ATTENTION,
            {"charge_upstream_micros": 195_000, "expected_upstream_micros": 150_000, "small_loss": "noted"},
            ["A small loss: noted, nothing was done.", "Upstream charge: $0.195", "Expected upstream cost: $0.15"],
        ),
        (
            Code.ATTENTION,
            {"found_again": "23501", "times": 4, **SINCE},
            [
                "Upstream knows order 23501 again.",
                "It had answered “Order not found” 4 times, from Nov 28, 2026, 7:40 AM UTC to Nov 28, 2026, 7:42 AM",
            ],
        ),
        (Code.ATTENTION, {"not_bought": "not in their list"}, ["Closed by staff as not bought: not in their list"]),
        (Code.ATTENTION, {"window_closed_by_hand_at": 30004}, ["Staff closed the ID range at 30004."]),
        (
            Code.ATTENTION,
            {"proved_absent": SINCE["since"], **WINDOW},
            [
                "The attempt of Nov 28, 2026, 7:40 AM UTC was proved not to have been placed.",
                "Upstream IDs 10–40 were possible; 12 that aren't our orders' were asked about.",
                "Unknown to us and fitting: 20.",
                "Other lost orders may be in this range: #5.",
            ],
        ),
        (
            Code.LOSS,
            {"upstream_id": "23501", "charge": 1_500_000, "remains": 1000, "note": "support says so"},
            ["“support says so”", "Upstream charge: $1.50", "Remains: 1,000"],
        ),
        (
            Code.RESOLVED,
            {"upstream_id": "4711", "forced": "no upstream"},
            ["Decided against what we found: no upstream."],
        ),
        (
            Code.RESOLVED,
            {"listed": "Out of luck", "meaning": "order"},
            ["Staff listed the supplier's text “Out of luck” as a refusal."],
        ),
        (Code.PARTIAL, {"before": {"remains": 0, "charge": 15_000_000}}, ["Upstream charge before: $15.00"]),
        (Code.ATTENTION, {"upstream_id": "1", "charge": "0.00", "charge_before": "1.50"}, ["charge before: 1.50 USD"]),
    ],
)  # fmt: skip
def test_page_says_in_words_what_is_kept_of_an_event(
    desk: Client, order: Order, code: str, evidence: dict[str, Any], said: list[str]
) -> None:
    write(order, code, evidence=evidence)

    page = shown(desk, order)

    assert [sentence for sentence in said if sentence not in page] == []
    whole = markup(desk.get(address(order)))
    folded = unescape(re.findall(r"<details>(.*?)</details>", whole, re.DOTALL)[-1])
    assert [key for key in evidence if f'"{key}"' not in folded] == []
    assert "_micros" not in re.sub(r"<details>.*?</details>", "", whole, flags=re.DOTALL)


def address(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def test_page_tells_customer_and_staff_events_and_requests_in_the_order_of_time(
    desk: Client, order: Order, sam: User
) -> None:
    began, hour = timezone.now(), timedelta(hours=1)
    write(order, Code.PLACED, data={"price_micros": 18_975_000, "quantity": 10}, created_at=began + hour)
    write(order, Code.ATTENTION, actor=sam, created_at=began + 3 * hour)
    write(order, Code.CANCELED, data={"by": "customer", "quantity": 10}, created_at=began + 4 * hour)
    ServiceRequest.objects.create(order=order, kind="refill", created_at=began + 2 * hour)

    _as_made, paid, asked, review, canceled = happenings_of(order)

    assert (paid.label, paid.detail) == ("Ordered and paid", "$18.975 paid from your balance.")
    assert asked.label == "You requested a refill"
    assert (review.label, review.for_staff, review.by) == ("Passed to our team for review", True, str(sam))
    assert (canceled.label, canceled.detail) == ("Canceled", "By the customer, before it was sent.")
    assert "$18.975 paid from your balance." in shown(desk, order)


def test_page_of_an_event_with_markup_in_it_shows_it_as_text(desk: Client, order: Order) -> None:
    write(order, Code.NOT_SENT, evidence={"reason": "<script>alert(1)</script>", "more": "<img src=x>"})

    page = desk.get(address(order)).content.decode()

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_page_says_of_each_choice_what_it_does_and_to_whose_money(
    desk: Client, place: Callable[..., Order], service: Service
) -> None:
    lost = place()
    make_lost(lost)

    page = shown(desk, lost)

    assert "What can be done now" in page
    assert "Send again" in page or "Not placed: send again" in page
    for sentence in (
        "Nobody's money moves.",
        "The customer gets $1.875 back.",
        "If upstream has the order after all, the shop loses about $1.50",
    ):
        assert sentence in page


def test_page_when_nothing_waits_for_a_decision_offers_to_hold_it_and_a_note(desk: Client, order: Order) -> None:
    choices = desk.get(address(order)).context["order_page"].choices

    assert [choice.title for choice in choices] == ["Hold back", "Write a note"]


def test_page_offers_who_may_not_change_orders_nothing(client: Client, order: Order, sam: User) -> None:
    sam.is_superuser = False
    sam.save(update_fields=["is_superuser"])
    sam.user_permissions.set([Permission.objects.get(codename="view_order")])
    client.force_login(sam)

    assert "What can be done now" not in shown(client, order)


def test_page_has_customer_service_and_orders_like_it_beside_it(
    desk: Client, place: Callable[..., Order], service: Service, ann: User
) -> None:
    same, order = place(), place()
    ServiceQuality.objects.create(
        service=service, orders=50, completed=45, partial=2, refunded=3, start_seconds=60, done_seconds=3600
    )

    page = shown(desk, order)

    assert ann.email in page
    assert "Usually done in" in page
    assert "90%" in page
    assert "Orders of the same service" in page
    assert f"#{same.pk}" in page
    assert address(same) in desk.get(address(order)).content.decode()


def test_page_begins_orders_like_it_with_those_for_the_same_link(place: Callable[..., Order], ben: User) -> None:
    same = place()
    others = [place(link=f"https://instagram.com/other{number}", user=ben) for number in range(7)]

    assert [one.pk for one in similar_to(place())] == [same.pk, *(one.pk for one in reversed(others[2:]))]


def test_page_asks_the_same_number_of_questions_however_much_happened(
    desk: Client, place: Callable[..., Order]
) -> None:
    def questions(order: Order) -> int:
        with CaptureQueriesContext(connection) as asked:
            desk.get(address(order))
        return len(asked)

    few, many = place(), place()
    write(few, Code.ACCEPTED, evidence={"upstream_id": "1"})
    for number in range(20):
        write(many, Code.ACCEPTED, evidence={"upstream_id": str(number)})
    questions(few)  # what a process learns once

    assert questions(many) == questions(few)


def test_page_shows_nobody_more_than_their_rights(client: Client, order: Order, sam: User) -> None:
    sam.is_superuser = False
    sam.save(update_fields=["is_superuser"])
    sam.user_permissions.set([Permission.objects.get(codename="view_order")])
    client.force_login(sam)

    blocks = client.get(address(order)).context["order_page"].blocks

    assert blocks == []
    sam.user_permissions.set([])
    assert client.get(address(order)).status_code == 403


@pytest.mark.parametrize("end", [40, None])
def test_picture_of_a_window_marks_candidates_where_they_are(end: int | None) -> None:
    picture = picture_of({**WINDOW, "window": {"first": 10, "last": end}})

    assert picture is not None
    assert (picture.first, picture.last) == (10, end)
    assert [(mark.id, mark.fits, mark.row) for mark in picture.marks] == [(20, True, 0), (21, False, 1)]
    assert picture.x_first < picture.marks[0].x < picture.marks[1].x < picture.x_last


@pytest.mark.parametrize("window", [None, {}, {"first": None, "last": 4}, {"first": 5, "last": 4}])
def test_picture_of_no_window_is_none(window: dict[str, Any] | None) -> None:
    assert picture_of({"window": window}) is None


def test_page_of_a_lost_order_draws_what_was_found(desk: Client, place: Callable[..., Order]) -> None:
    order = place()
    make_lost(order)
    order.lost_attempts.update(evidence=WINDOW)

    page = desk.get(address(order)).content.decode()

    assert "The range of possible order IDs, and what was found in it" in page
    assert page.count("<circle") == 2
    assert order.status != Status.PAID
