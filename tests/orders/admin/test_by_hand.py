"""What staff changes by hand: a refund in part, holding back, figures; and that nothing is done to what has changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.margin import review_held_orders
from orders.fulfilment.poll import record_reports
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import Report
from orders.lifecycle.transitions import WrongStatus
from orders.models import HoldReason, Order, OrderEvent, RefundReason, Status
from orders.reconciliation.refunds_by_hand import refund_part_by_hand
from tests.orders.attention import Flag, flags_of
from tests.orders.couponing import balance
from tests.pages import page_words
from wallet.models import LedgerEntry, MoneyRequest
from wallet.operations import approve_request

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}
WAITING = MoneyRequest.State.WAITING


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def at_work(place: Callable[..., Order]) -> Order:
    """An order of 1.875 that upstream works on."""
    order = place()
    Order.objects.filter(pk=order.pk).update(status=Status.IN_PROGRESS, upstream_id="77", start_count=5, remains=400)
    order.refresh_from_db()
    return order


def press(desk: Client, button: str, order: Order, **fields: Any) -> str:
    address = reverse(f"admin:orders_order_{button}", args=[order.pk])
    return page_words(desk.post(address, {**SUBMITTED, **fields}, follow=True))


def refund_part(desk: Client, order: Order, amount: str, seen: int = 0, note: str = "They were slow.") -> str:
    return press(desk, "refund_part", order, amount=amount, seen=seen, note=note)


# --- A refund in part -----------------------------------------------------------------------------------------------


def test_part_goes_to_the_customer_with_the_reason_for_staff_alone(
    desk: Client, at_work: Order, ann: User, sam: User
) -> None:
    before = balance(ann)

    page = refund_part(desk, at_work, "0.50")

    at_work.refresh_from_db()
    assert balance(ann) - before == at_work.refunded_micros == 500_000
    assert at_work.status == Status.IN_PROGRESS
    assert "They were slow." in page
    event = OrderEvent.objects.get(order=at_work, code=OrderEvent.Code.REFUNDED)
    assert (event.actor, event.data["why"], event.evidence) == (sam, "staff", {"note": "They were slow."})
    request = MoneyRequest.objects.get()
    assert (request.amount_micros, request.state, request.needs_second) == (500_000, MoneyRequest.State.DONE, False)
    desk.force_login(ann)
    hers = page_words(desk.get(reverse("orders:detail", args=[at_work.pk])))
    assert "Support decision: $0.50 refunded to your balance." in hers
    assert "They were slow." not in hers


def test_what_upstream_gives_back_later_counts_against_it(desk: Client, at_work: Order, ann: User) -> None:
    before = balance(ann)
    refund_part(desk, at_work, "0.50")
    at_work.refresh_from_db()

    refund_up_to(at_work, 300_000, why=RefundReason.PARTIAL, now=timezone.now(), remains=160)
    assert balance(ann) - before == 500_000
    refund_up_to(at_work, 750_000, why=RefundReason.PARTIAL, now=timezone.now(), remains=400)
    assert balance(ann) - before == 750_000
    Order.objects.filter(pk=at_work.pk).update(status=Status.CANCELED)
    at_work.refresh_from_db()
    refund_up_to(at_work, at_work.price_micros, why=RefundReason.CANCELED, now=timezone.now())
    assert balance(ann) - before == at_work.price_micros
    assert [found for found in audit(client=None, now=timezone.now()).problems if "refund" in found] == []


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1.875001", "more than is left"),
        ("0", "above zero"),
        ("-1", "above zero"),
        ("", "required"),
        ("x", "Enter a number"),
        ("0.0000001", "decimal"),
    ],
)
def test_amount_that_cannot_be_is_said_and_nothing_moves(
    desk: Client, at_work: Order, ann: User, amount: str, said: str
) -> None:
    before = balance(ann)

    page = refund_part(desk, at_work, amount)

    assert said in page
    assert (balance(ann), MoneyRequest.objects.count()) == (before, 0)


def test_double_click_and_a_page_that_is_old_give_nothing_more(desk: Client, at_work: Order, ann: User) -> None:
    before = balance(ann)
    refund_part(desk, at_work, "0.50")

    again = refund_part(desk, at_work, "0.50")

    assert balance(ann) - before == 500_000
    assert "already changed" in again


def test_all_that_is_left_may_go_back_and_then_nothing_more(desk: Client, at_work: Order, ann: User) -> None:
    before = balance(ann)

    refund_part(desk, at_work, "1.875")

    assert balance(ann) - before == at_work.price_micros
    refund_part(desk, at_work, "0.10", seen=at_work.price_micros)
    assert balance(ann) - before == at_work.price_micros


@pytest.mark.parametrize("status", [Status.PAID, Status.SENDING, Status.UNKNOWN, Status.CANCELED, Status.FAILED])
def test_orders_that_are_settled_otherwise_are_not_refunded_in_part(at_work: Order, sam: User, status: str) -> None:
    Order.objects.filter(pk=at_work.pk).update(
        status=status, claim_token="0" * 32, claim_deadline=timezone.now(), refunded_micros=0
    )
    asked = {"amount_micros": 1, "note": "x", "seen_refunded_micros": 0, "actor": sam, "now": timezone.now()}

    with pytest.raises(WrongStatus):
        refund_part_by_hand(at_work.pk, **asked)


def test_too_much_for_one_waits_for_a_second_person_and_what_changed_meanwhile_is_not_refunded(
    desk: Client, at_work: Order, ann: User, sam: User, settings: Any
) -> None:
    tom = User.objects.create_superuser("tom@example.com", "x", is_staff=True)
    settings.ADJUST_APPROVAL_MICROS = 400_000
    before = balance(ann)

    refund_part(desk, at_work, "0.50")
    request = MoneyRequest.objects.get()
    assert (request.state, balance(ann)) == (WAITING, before)
    assert "already waiting" in refund_part(desk, at_work, "0.10")
    approve_request(request.pk, actor=tom, now=timezone.now())
    assert balance(ann) - before == 500_000

    refund_part(desk, at_work, "0.50", seen=500_000)
    late = MoneyRequest.objects.get(state=WAITING)
    at_work.refresh_from_db()
    refund_up_to(at_work, 600_000, why=RefundReason.PARTIAL, now=timezone.now(), remains=320)
    with pytest.raises(Exception, match="has changed since"):
        approve_request(late.pk, actor=tom, now=timezone.now())
    assert balance(ann) - before == 600_000


def test_dialog_says_what_is_left_and_proposes_what_was_not_delivered(desk: Client, at_work: Order) -> None:
    Order.objects.filter(pk=at_work.pk).update(status=Status.PARTIAL)

    dialog = desk.get(reverse("admin:orders_order_refund_part", args=[at_work.pk]))

    assert "Up to $1.875; $0.00 of $1.875 has been refunded." in page_words(dialog)
    assert dialog.context["form"]["amount"].value() == "0.75"


# --- Holding back ---------------------------------------------------------------------------------------------------


def test_held_order_is_not_sent_nor_released_by_itself_until_staff_says_so(
    desk: Client, place: Callable[..., Order], client_upstream: Any
) -> None:
    order = place()

    page = press(desk, "hold", order, note="Wrong link, waiting for Ann.")

    assert "Held back by staff: Wrong link, waiting for Ann." in page
    assert flags_of(order) == [Flag.HELD_BY_STAFF]
    review_held_orders(now=timezone.now() + timedelta(days=365))
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    assert (order.status, order.held_because) == (Status.PAID, HoldReason.STAFF)

    assert reverse("admin:orders_order_send_anyway", args=[order.pk]) not in page
    press(desk, "release", order)
    order.refresh_from_db()
    assert (order.held_because, order.hold_waived_at, flags_of(order)) == ("", None, [])
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    assert order.status == Status.PENDING


def test_hold_of_a_colleague_is_not_passed_over_by_an_old_page(desk: Client, place: Callable[..., Order]) -> None:
    order = place()
    press(desk, "hold", order, note="Fraud?")

    for button in ("send_anyway", "clear"):
        assert "already changed" in press(desk, button, order)

    order.refresh_from_db()
    assert (order.held_because, order.hold_waived_at, flags_of(order)) == (HoldReason.STAFF, None, [Flag.HELD_BY_STAFF])


def test_held_order_may_be_refunded(desk: Client, place: Callable[..., Order], ann: User) -> None:
    order = place()
    press(desk, "hold", order, note="No.")

    press(desk, "refund_now", order)

    order.refresh_from_db()
    assert (order.status, order.refunded_micros, flags_of(order)) == (Status.FAILED, order.price_micros, [])


def test_order_on_its_way_or_held_for_another_reason_is_not_held(
    desk: Client, place: Callable[..., Order], at_work: Order
) -> None:
    held = place()
    Order.objects.filter(pk=held.pk).update(
        held_because=HoldReason.LOSS, held_details={"cost_micros": 2, "paid_micros": 1}
    )

    for order, reason in ((held, HoldReason.LOSS), (at_work, "")):
        assert "already changed" in press(desk, "hold", order, note="Wait.")
        assert Order.objects.get(pk=order.pk).held_because == reason


# --- Figures --------------------------------------------------------------------------------------------------------


def test_figures_are_what_the_customer_reads_and_move_no_money(desk: Client, at_work: Order, ann: User) -> None:
    before = balance(ann)
    seen = {"seen_start_count": 5, "seen_remains": 400}

    page = press(desk, "counts", at_work, start_count=12, remains="", note="As the profile shows.", **seen)

    at_work.refresh_from_db()
    assert (at_work.start_count, at_work.remains, balance(ann)) == (12, None, before)
    assert "As the profile shows." in page
    desk.force_login(ann)
    hers = page_words(desk.get(reverse("orders:detail", args=[at_work.pk])))
    assert "Figures corrected by support Start count: 12." in hers
    assert "As the profile shows." not in hers


def test_remains_of_a_partial_order_are_upstreams_to_say_and_move_no_money_later(
    desk: Client, at_work: Order, ann: User
) -> None:
    def answers(**figures: Any) -> None:
        order = Order.objects.select_related("user", "service").get(pk=at_work.pk)
        record_reports([(order, Report(Status.PARTIAL, "Partial", **figures))], now=timezone.now())

    answers(remains=100)
    before = balance(ann)

    page = press(desk, "counts", at_work, start_count=5, remains=1000, note="So.", seen_start_count=5, seen_remains=100)
    assert "Refund a part." in page
    press(desk, "counts", at_work, start_count=7, remains=100, note="So.", seen_start_count=5, seen_remains=100)
    Order.objects.filter(pk=at_work.pk).update(remains=1000)  # whatever has written it
    answers(remains=None)

    at_work.refresh_from_db()
    assert (at_work.start_count, balance(ann)) == (7, before)
    answers(remains=200)
    assert balance(ann) - before == at_work.price_micros * 100 // 1000


def test_figures_that_changed_since_are_left(desk: Client, at_work: Order) -> None:
    seen = {"seen_start_count": 5, "seen_remains": 401}

    page = press(desk, "counts", at_work, start_count=12, remains=3, note="So.", **seen)

    at_work.refresh_from_db()
    assert (at_work.start_count, at_work.remains) == (5, 400)
    assert "already changed" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"remains": "1001"}, "No more than 1000 can remain."),
        ({"remains": "-1"}, "greater than or equal to 0"),
        ({"start_count": "9" * 25}, "less than or equal to"),
        ({"start_count": "many"}, "whole number"),
        ({"note": ""}, "required"),
    ],
)
def test_figures_that_cannot_be_are_said_where_they_were_typed(
    desk: Client, at_work: Order, fields: dict[str, str], said: str
) -> None:
    asked = {"start_count": "1", "remains": "1", "note": "So.", "seen_start_count": "5", "seen_remains": "400"}

    page = press(desk, "counts", at_work, **{**asked, **fields})

    at_work.refresh_from_db()
    assert said in page
    assert at_work.start_count == 5


def test_ledger_has_one_line_for_each_refund(desk: Client, at_work: Order) -> None:
    refund_part(desk, at_work, "0.50")
    refund_part(desk, at_work, "0.25", seen=500_000)

    rows = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND).order_by("pk")
    assert [row.amount_micros for row in rows] == [500_000, 250_000]
    assert [row.reference for row in rows] == [f"order:{at_work.pk}:refund:{total}" for total in (500_000, 750_000)]
