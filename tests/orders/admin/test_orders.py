"""What staff decides about orders: settling one in doubt, the list of those that need a human, pauses."""

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.accounting.service_margin import measure_margins
from orders.attempts.windows import Window, window_of
from orders.fulfilment.pauses import pause_forwarding
from orders.models import (
    ForwardingPause,
    HoldReason,
    LostAttempt,
    Order,
    OrderEvent,
    Status,
    UpstreamBalance,
    UpstreamEntry,
)
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import resolve_by_refund
from tests.orders.attention import Flag, attempt_of, flag, flags_of, make_lost, said_of
from tests.pages import markup
from tests.storefront.admin_rows import make_order, make_service
from wallet.models import Wallet

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def lost(place: Callable[..., Order]) -> Order:
    """An order of Ann's whose answer never came."""
    order = place()
    make_lost(order)
    return order


def press(desk: Client, button: str, order: Order, **fields: Any) -> list[str]:
    """Press a button of the order's page and return what the next page says."""
    address = reverse(f"admin:orders_order_{button}", args=[order.pk])
    answer = desk.post(address, {**SUBMITTED, **fields}, follow=True)
    order.refresh_from_db()
    return [str(message) for message in answer.context["messages"]]


def buttons(desk: Client, order: Order) -> list[str]:
    page = desk.get(reverse("admin:orders_order_change", args=[order.pk]))
    return [button["path"].rsplit("/", 2)[-2] for button in page.context["actions_detail"]]


def test_order_when_it_is_in_doubt_then_the_decisions_are_offered_and_else_none(
    desk: Client, lost: Order, place: Callable[..., Order]
) -> None:
    flagged = place()
    Order.objects.filter(pk=flagged.pk).update(status=Status.FAILED)
    flag(flagged, Flag.REFUSED, answer="Invalid action")

    assert buttons(desk, lost) == ["placed", "not-placed", "refund", "window", "note"]
    assert buttons(desk, flagged) == ["clear", "note"]
    assert buttons(desk, place()) == ["hold", "note"]


def test_as_placed_when_upstream_confirms_it_then_it_is_followed_under_that_id(
    desk: Client, lost: Order, service: Service, client_upstream: Any, sam: User
) -> None:
    real = client_upstream.add(service_id=service.upstream_id, link=lost.link, quantity=lost.quantity).order_id

    said = press(desk, "as_placed", lost, upstream_id=f" {real} ")

    assert said == [f"The order is now tracked as upstream order {real}."]
    assert (lost.status, lost.upstream_id, flags_of(lost)) == (Status.PENDING, real, [])
    event = OrderEvent.objects.get(order=lost, code=OrderEvent.Code.RESOLVED)
    assert (event.actor, event.evidence["word"]) == (sam, "Pending")


def test_as_placed_when_upstream_does_not_know_it_then_the_page_says_so(desk: Client, lost: Order) -> None:
    assert press(desk, "as_placed", lost, upstream_id="4711", force="on") == [
        "Upstream answers “Order not found” for order 4711."
    ]
    assert lost.status == Status.UNKNOWN


def test_as_placed_when_upstream_cannot_be_asked_then_staff_can_force_it(
    desk: Client, lost: Order, settings: Any, sam: User
) -> None:
    settings.UPSTREAM_URL = ""
    [said] = press(desk, "as_placed", lost, upstream_id="4711")
    assert said == ("We couldn't ask upstream about order 4711: no upstream is configured. Try again, or force it.")
    assert lost.status == Status.UNKNOWN

    press(desk, "as_placed", lost, upstream_id="4711", force="on")

    assert (lost.status, lost.upstream_id) == (Status.PENDING, "4711")
    event = OrderEvent.objects.get(order=lost, code=OrderEvent.Code.RESOLVED)
    assert (event.actor, event.evidence) == (sam, {"upstream_id": "4711", "forced": "no upstream is configured"})


def test_as_placed_when_the_id_belongs_to_another_order_then_it_stays_in_doubt(
    desk: Client, lost: Order, ben: User, service: Service
) -> None:
    other = make_order(ben, service=service, status=Status.PENDING, upstream_id="4711")

    assert press(desk, "as_placed", lost, upstream_id="4711") == [
        f"Upstream order 4711 is already linked to our order #{other.pk}."
    ]
    assert lost.status == Status.UNKNOWN


def test_as_placed_when_no_id_is_given_then_the_form_asks_for_it(desk: Client, lost: Order) -> None:
    answer = desk.post(reverse("admin:orders_order_as_placed", args=[lost.pk]), SUBMITTED)

    assert list(answer.context["form"].errors) == ["upstream_id"]
    assert Order.objects.get(pk=lost.pk).status == Status.UNKNOWN


def test_as_not_placed_when_staff_is_sure_then_it_waits_to_be_sent(desk: Client, lost: Order) -> None:
    assert press(desk, "as_not_placed", lost) == ["The order is back in the queue."]
    assert (lost.status, flags_of(lost)) == (Status.PAID, [])


def test_by_refund_when_staff_gives_up_then_the_customer_has_the_whole_price_back(
    desk: Client, lost: Order, ann: User
) -> None:
    assert press(desk, "by_refund", lost) == ["The order has been refunded."]
    assert (lost.status, lost.kept_micros) == (Status.FAILED, 0)
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


@pytest.mark.parametrize("button", ["as_placed", "as_not_placed", "by_refund"])
def test_settling_when_a_colleague_was_quicker_then_nothing_happens_and_it_is_said(
    desk: Client, lost: Order, sam: User, ann: User, button: str
) -> None:
    resolve_by_refund(lost.pk, actor=sam, now=timezone.now())

    said = press(desk, button, lost, upstream_id="4711")

    assert said == ["The order's status has already changed, so nothing was done. Check its events."]
    assert (lost.status, lost.upstream_id) == (Status.FAILED, None)
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


@pytest.mark.parametrize("button", ["as_placed", "as_not_placed", "by_refund", "clear", "bought", "not_bought"])
def test_settling_when_only_opened_or_without_permission_then_nothing_changes(
    desk: Client, lost: Order, button: str
) -> None:
    address = reverse(f"admin:orders_order_{button}", args=[lost.pk])
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_order"))
    visitor = Client()
    visitor.force_login(clerk)

    assert desk.get(address).status_code == 200
    assert visitor.post(address, {**SUBMITTED, "upstream_id": "1", "note": "n"}).status_code == 403
    assert Client().post(address, {**SUBMITTED, "upstream_id": "1", "note": "n"}).status_code == 302
    assert Order.objects.get(pk=lost.pk).status == Status.UNKNOWN


def test_close_when_the_settling_time_is_not_over_then_it_says_until_when(desk: Client, lost: Order) -> None:
    assert attempt_of(lost).sent_at <= timezone.now()

    [said] = press(desk, "close", lost, last_id="30000")

    assert said.startswith("Too early: the supplier may still process it until")
    assert attempt_of(lost).closed_at is None


def test_close_when_the_shop_is_quiet_then_the_window_has_an_end(desk: Client, lost: Order) -> None:
    LostAttempt.objects.filter(order=lost).update(sent_at=timezone.now() - timedelta(hours=1), id_before="29999")

    assert press(desk, "close", lost, last_id="30004") == [
        "The ID range is closed. The order will be checked within 30 seconds."
    ]
    assert window_of(attempt_of(lost)) == Window(30000, 30004)


def test_order_page_lays_out_what_reconciliation_found(
    desk: Client, lost: Order, place: Callable[..., Order], client_upstream: Any
) -> None:
    rival = place()
    make_lost(rival)
    LostAttempt.objects.update(sent_at=timezone.now() - timedelta(hours=1), id_before="23500")
    reconcile_orders(client=client_upstream, now=timezone.now())

    page = markup(desk.get(reverse("admin:orders_order_change", args=[lost.pk])))

    assert "the window is open: it closes with the next order sent after the settling time, or by hand" in page
    assert "23501 – still open" in page
    assert f">#{rival.pk}</a>" in page


def test_order_page_when_an_earlier_attempt_was_settled_then_its_findings_are_not_those_of_the_new_one(
    desk: Client, lost: Order
) -> None:
    window = {"first": 70005, "last": 70009, "width": 5, "closed_by": None}
    LostAttempt.objects.filter(order=lost).update(
        state=LostAttempt.State.ABSENT,
        doubt=LostAttempt.Doubt.OPEN,
        settled_at=timezone.now(),
        evidence={"window": window, "candidates": [], "rivals": [], "expected_cost_upstream_micros": 1},
    )
    make_lost(lost, attempts=lost.attempts + 1)

    page = markup(desk.get(reverse("admin:orders_order_change", args=[lost.pk])))

    assert "Nothing yet. The order is checked every 30 seconds." in page
    assert "70005" not in page
    assert "the window is open" not in page


@pytest.mark.parametrize("order_id", ["999999", "abc"])
def test_settling_when_there_is_no_such_order_then_the_list_is_shown(desk: Client, order_id: str) -> None:
    answer = desk.post(reverse("admin:orders_order_by_refund", args=[order_id]), SUBMITTED)

    assert answer["Location"] == reverse("admin:orders_order_changelist")


def test_clear_when_staff_has_reviewed_a_settled_order_then_it_leaves_the_list_and_the_timeline_tells(
    desk: Client, place: Callable[..., Order], sam: User
) -> None:
    order = place()
    Order.objects.filter(pk=order.pk).update(status=Status.FAILED)
    flag(order, Flag.REFUSED, answer="Invalid action")

    assert press(desk, "clear", order) == ["The order has been removed from the list."]

    assert flags_of(order) == []
    assert order.flags.get().cleared_by == sam
    event = OrderEvent.objects.filter(order=order).last()
    assert event is not None
    assert (event.code, event.actor) == (OrderEvent.Code.ATTENTION, sam)
    assert event.evidence == {"seen": [{"code": "refused", "details": {"answer": "Invalid action"}}]}


def test_clear_when_the_order_is_in_doubt_then_it_has_to_be_decided_instead(desk: Client, lost: Order) -> None:
    press(desk, "clear", lost)

    assert said_of(lost) == "Perhaps placed upstream: time-out"


def test_orders_when_filtered_by_attention_then_only_those_are_listed(
    desk: Client, lost: Order, place: Callable[..., Order]
) -> None:
    easy = place()
    address = reverse("admin:orders_order_changelist")

    for value, expected in [("yes", [lost]), ("no", [easy])]:
        assert list(desk.get(address, {"attention": value}).context["cl"].result_list) == expected


def test_orders_when_searched_then_id_upstream_id_and_customer_find_them(
    desk: Client, lost: Order, ben: User, service: Service
) -> None:
    other = make_order(ben, service=service, upstream_id="u-77")
    address = reverse("admin:orders_order_changelist")

    for words, expected in [(str(lost.pk), lost), ("u-77", other), ("BEN@example.com", other)]:
        assert list(desk.get(address, {"q": words}).context["cl"].result_list) == [expected]


def test_order_when_opened_then_money_and_timeline_are_readable(desk: Client, lost: Order) -> None:
    page = desk.get(reverse("admin:orders_order_change", args=[lost.pk])).content.decode()

    assert "$1.875" in page
    assert "Ordered and paid" in page
    assert "Perhaps placed upstream: time-out" in page


def test_pause_when_staff_pauses_then_forwarding_waits_until_it_is_resumed(desk: Client) -> None:
    desk.post(reverse("admin:orders_forwardingpause_pause"), {**SUBMITTED, "detail": "stocktaking"}, follow=True)
    pause = ForwardingPause.objects.get()
    assert (pause.reason, pause.detail, pause.ended_at) == ("admin", "stocktaking", None)
    address = reverse("admin:orders_forwardingpause_resume", args=[pause.pk])

    assert desk.get(address).status_code == 200
    assert ForwardingPause.objects.filter(ended_at=None).exists()
    for expected in ("This pause has ended.", "This pause had already ended."):
        answer = desk.post(address, SUBMITTED, follow=True)
        assert [str(message) for message in answer.context["messages"]] == [expected]

    assert not ForwardingPause.objects.filter(ended_at=None).exists()


def test_index_when_forwarding_is_paused_then_the_first_page_says_so(desk: Client) -> None:
    pause_forwarding(reason="balance", detail="Insufficient balance", now=timezone.now())

    page = desk.get(reverse("admin:index")).content.decode()

    assert "Forwarding is paused: The upstream balance is too low" in page


def test_known_refusal_when_listed_twice_then_the_error_is_beside_the_text(desk: Client) -> None:
    address = reverse("admin:orders_knownrefusal_add")
    form = {"text": "Closed today", "meaning": "order"}

    assert desk.post(address, form).status_code == 302
    assert list(desk.post(address, form).context["adminform"].form.errors) == ["text"]


def test_upstream_entry_when_staff_paid_in_then_it_is_kept_with_the_name_and_cannot_be_edited(
    desk: Client, sam: User
) -> None:
    form = {"kind": "top_up", "amount_upstream_micros": "250.5", "note": "card"}

    desk.post(reverse("admin:orders_upstreamentry_add"), form)

    entry = UpstreamEntry.objects.get()
    assert (entry.amount_upstream_micros, entry.created_by) == (250_500_000, sam)
    page = desk.get(reverse("admin:orders_upstreamentry_changelist")).content.decode()
    assert "This entry will be part of it and won't be counted twice." in html.unescape(page)
    assert desk.post(reverse("admin:orders_upstreamentry_change", args=[entry.pk]), form).status_code == 403


@pytest.fixture
def held(place: Callable[..., Order]) -> Order:
    """An order of Ann's that is held back because it would lose money."""
    order = place()
    details = {"cost_micros": 2_000_000, "paid_micros": 1_875_000}
    Order.objects.filter(pk=order.pk).update(held_because=HoldReason.LOSS, held_details=details)
    flag(order, Flag.SOLD_AT_A_LOSS, **details)
    return order


def test_order_when_it_is_held_then_it_can_be_sent_anyway(desk: Client, held: Order) -> None:
    assert buttons(desk, held) == ["send", "refund", "note"]

    assert press(desk, "send_anyway", held) == ["The order is back in its place in the queue."]

    assert (held.status, held.held_because, flags_of(held)) == (Status.PAID, "", [])
    assert held.hold_waived_at is not None
    assert buttons(desk, held) == ["hold", "note"]


def test_order_when_it_is_held_then_it_can_be_refunded(desk: Client, held: Order, ann: User) -> None:
    assert press(desk, "refund_now", held) == ["The order has been refunded."]

    assert held.status == Status.FAILED
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    assert press(desk, "refund_now", held)[0].startswith("The order's status has already changed")


def test_costs_when_upstream_charged_more_than_expected_then_the_difference_is_listed_first(
    desk: Client, ann: User
) -> None:
    for number, charge in [(1, 150_000), (2, 165_000), (3, None)]:
        make_order(ann, service=make_service(number), upstream_id=f"u{number}", charge_upstream_micros=charge)
    measure_margins(now=timezone.now())

    page = desk.get(reverse("admin:orders_servicecost_changelist"))

    figures = [row.margin for row in page.context["cl"].result_list]
    rows = [(row.pk, row.expected_upstream_micros, row.charged_upstream_micros) for row in figures]
    first, second = Service.objects.order_by("upstream_id")[:2]
    assert rows == [(second.pk, 150_000, 165_000), (first.pk, 150_000, 150_000)]
    assert "+10%" in page.content.decode()


def test_index_when_the_upstream_balance_is_known_then_the_first_page_says_how_long_it_lasts(
    desk: Client, ann: User
) -> None:
    UpstreamBalance.objects.create(amount_upstream_micros=240_000_000)
    make_order(ann, service=make_service(1), upstream_id="u1", status=Status.COMPLETED, cost_upstream_micros=10_000_000)

    page = desk.get(reverse("admin:index")).content.decode()

    assert "24 hours" in page
    assert "$240.00" in page
