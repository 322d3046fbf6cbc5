"""Words upstream never told us: counted, told once, mapped by staff, and what waited for them goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from notifications.models import Notice
from orders.attempts.assumptions import holds, note_broken
from orders.fulfilment.apply_mappings import list_refusal, map_status_word
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.drift import Subject, note_drift, settle_drift
from orders.models import (
    ContractDrift,
    KnownRefusal,
    Order,
    Status,
    StatusWord,
    UpstreamAssumption,
)
from sms.models import Country, Number, Project
from tests.clock import stopped_at
from tests.orders.attention import Flag, flag, flags_of, said_of
from tests.storefront.admin_rows import make_order
from wallet.models import Wallet

pytestmark = pytest.mark.django_db
TEXT = "Drip feed is off"
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def poll(client_upstream: Any) -> Callable[..., None]:
    def poll_all(days: float = 1, kind: str = "service") -> None:
        poll_due(kind=kind, client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=days)))

    return poll_all


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def number_order(ann: User, db: None) -> Order:
    """A number of Ann's that upstream's sandbox knows nothing of."""
    order = make_order(ann, status=Status.PENDING, next_poll_at=timezone.now(), sent_at=timezone.now())
    country = Country.objects.create(code="us", name="USA")
    project = Project.objects.create(upstream_id="p1", country=country, name="Telegram", price_upstream_micros=1)
    Number.objects.create(order=order, project=project, phone="1555", state=Number.State.WAITING)
    return order


def press(desk: Client, button: str, drift: ContractDrift, **fields: Any) -> list[str]:
    address = reverse(f"admin:orders_contractdrift_{button}", args=[drift.pk])
    answer = desk.post(address, {**SUBMITTED, **fields}, follow=True)
    drift.refresh_from_db()
    return [str(message) for message in answer.context["messages"]]


# --- Counting and telling --------------------------------------------------------------------------------------------
def test_note_drift_when_it_is_seen_again_then_it_is_counted_and_told_once() -> None:
    for number in range(3):
        note_drift(Subject.STATUS_WORD, "On hold", {"kind": "service", "order": number}, now=timezone.now())

    drift = ContractDrift.objects.get()
    assert (drift.times, drift.sample["order"]) == (3, 2)
    assert Notice.objects.filter(user=None).count() == 1


def test_note_drift_when_it_comes_back_after_it_was_settled_then_it_is_told_again() -> None:
    note_drift(Subject.ERROR_TEXT, TEXT, {}, now=timezone.now())
    assert settle_drift(Subject.ERROR_TEXT, TEXT, now=timezone.now()) == 1

    note_drift(Subject.ERROR_TEXT, TEXT, {}, now=timezone.now())
    note_drift(Subject.ERROR_TEXT, TEXT, {}, now=timezone.now())

    assert ContractDrift.objects.get().settled_at is None
    assert Notice.objects.count() == 2


def test_note_drift_when_a_slow_worker_reports_what_is_mapped_then_it_stays_settled(sam: User) -> None:
    note_drift(Subject.STATUS_WORD, "On_Hold", {"kind": "service"}, now=timezone.now())
    map_status_word("on hold", kind="service", status=Status.PENDING, actor=sam, now=timezone.now())

    note_drift(Subject.STATUS_WORD, "On_Hold", {"kind": "service"}, now=timezone.now())

    assert ContractDrift.objects.get().settled_at is not None
    assert Notice.objects.count() == 1


def test_note_drift_when_the_text_is_very_long_then_it_is_cut() -> None:
    note_drift(Subject.ERROR_TEXT, 400 * "x", {}, now=timezone.now())
    note_drift(Subject.ERROR_TEXT, 400 * "x", {}, now=timezone.now())

    assert ContractDrift.objects.get().times == 2


def test_note_broken_when_an_assumption_fails_then_it_is_a_drift_until_staff_relies_on_it_again(desk: Client) -> None:
    for _each in range(2):
        note_broken("ids_ascend", "service", {"order": 1}, now=timezone.now())
    assert ContractDrift.objects.get().text == "Upstream's order IDs ascend (Service)"
    assert not holds("service")
    row = UpstreamAssumption.objects.get()

    desk.post(reverse("admin:orders_upstreamassumption_reset", args=[row.pk]), SUBMITTED)

    assert holds("service")


# --- Status words ----------------------------------------------------------------------------------------------------
def test_poll_when_the_word_is_unknown_then_the_order_stays_and_the_drift_counts_it(
    sent_order: Order, poll: Callable[..., None], sandbox: Any
) -> None:
    sandbox.set_order(sent_order.upstream_id, status="On hold")

    poll(1)
    poll(2)

    sent_order.refresh_from_db()
    assert sent_order.status == Status.PENDING
    assert sent_order.next_poll_at is not None
    drift = ContractDrift.objects.get()
    assert (drift.subject, drift.text, drift.times) == ("status_word", "On hold", 2)
    assert drift.sample == {"kind": "service", "order": sent_order.pk}


def test_map_word_at_the_drift_when_orders_wait_then_they_are_asked_at_once_and_follow_it(
    sent_order: Order, poll: Callable[..., None], sandbox: Any, desk: Client, ann: User, client_upstream: Any
) -> None:
    sandbox.set_order(sent_order.upstream_id, status="ON_HOLD: Fully Returned")
    poll(0.5)
    drift = ContractDrift.objects.get()

    [said] = press(desk, "map_word", drift, status="canceled")

    sent_order.refresh_from_db()
    assert "1 order will be checked right away." in said
    assert drift.settled_at is not None
    assert flags_of(sent_order) == []
    assert sent_order.next_poll_at <= timezone.now()
    assert StatusWord.objects.get().word == "on hold: fully returned"
    poll_due(kind="service", client=client_upstream, clock=timezone.now)
    sent_order.refresh_from_db()
    assert (sent_order.status, sent_order.refunded_micros) == (Status.CANCELED, sent_order.price_micros)
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


def test_poll_when_a_built_in_word_is_mapped_otherwise_then_the_built_in_meaning_stands(
    sent_order: Order, poll: Callable[..., None], sandbox: Any
) -> None:
    StatusWord.objects.create(word="completed", status=Status.CANCELED)
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)

    poll()

    sent_order.refresh_from_db()
    assert sent_order.status == Status.COMPLETED


def test_poll_when_a_word_is_mapped_for_numbers_then_services_do_not_know_it(
    sent_order: Order, poll: Callable[..., None], sandbox: Any
) -> None:
    StatusWord.objects.create(kind="number", word="on hold", status=Status.CANCELED)
    sandbox.set_order(sent_order.upstream_id, status="On hold")

    poll()

    sent_order.refresh_from_db()
    assert (sent_order.status, said_of(sent_order)) == (Status.PENDING, "Unknown upstream status word: On hold")


def test_map_status_word_when_orders_have_other_words_or_flags_then_they_are_left_alone(
    ann: User, sam: User, service: Service
) -> None:
    later = timezone.now() + timedelta(days=1)
    fields = {"service": service, "status": Status.PENDING, "next_poll_at": later}
    meant = make_order(ann, upstream_word="On hold", **fields)
    other = make_order(ann, upstream_word="On holiday", **fields)
    flag(meant, Flag.WENT_BACK, before=Status.PARTIAL, word="y")
    flag(other, Flag.UNKNOWN_WORD, word="On holiday")

    assert map_status_word("On hold", kind="service", status=Status.PENDING, actor=sam, now=timezone.now()) == 1

    meant.refresh_from_db()
    other.refresh_from_db()
    assert (flags_of(meant), meant.next_poll_at < later) == ([Flag.WENT_BACK], True)
    assert (said_of(other), other.next_poll_at) == ("Unknown upstream status word: On holiday", later)


@pytest.mark.parametrize(("meaning", "expected"), [("canceled", Status.CANCELED), ("pending", Status.PENDING)])
def test_mapped_word_of_a_number_when_it_is_polled_then_it_waits_or_is_over(
    number_order: Order, ann: User, meaning: str, expected: str
) -> None:
    from orders.fulfilment.poll import record_reports
    from orders.lifecycle.supply import Report

    StatusWord.objects.create(kind="number", word="blocked", status=meaning)
    order = Order.objects.select_related("user", "number__project__country").get(pk=number_order.pk)

    record_reports([(order, Report(status=None, word="Blocked"))], now=timezone.now())

    number_order.refresh_from_db()
    refunded = number_order.price_micros if expected == Status.CANCELED else 0
    assert (number_order.status, number_order.refunded_micros) == (expected, refunded)
    state = Number.State.CANCELED if expected == Status.CANCELED else Number.State.WAITING
    assert Number.objects.get().state == state


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"kind": "number", "word": "gone", "status": "completed"}, "the code itself completes it"),
        ({"kind": "service", "word": " In_Progress ", "status": "completed"}, "already known"),
        ({"kind": "service", "word": "ON HOLD", "status": "pending"}, "already exists"),
    ],
)
def test_status_word_page_when_the_word_cannot_mean_that_then_it_says_why(
    desk: Client, fields: dict[str, str], error: str
) -> None:
    StatusWord.objects.create(word="on hold", status=Status.PENDING)

    page = desk.post(reverse("admin:orders_statusword_add"), fields)

    assert error in page.content.decode()
    assert StatusWord.objects.count() == 1


# --- Error texts -----------------------------------------------------------------------------------------------------
@pytest.fixture
def refused_order(paid_order: Order, client_upstream: Any, sandbox: Any) -> Order:
    """An order that upstream refused with a text on no list."""
    sandbox.fail_next("refuse", action="add", text=TEXT)
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    paid_order.refresh_from_db()
    assert paid_order.status == Status.UNKNOWN
    return paid_order


def test_list_text_at_the_drift_when_an_order_waits_then_it_fails_and_is_refunded_once(
    refused_order: Order, desk: Client, ann: User, sam: User
) -> None:
    drift = ContractDrift.objects.get(subject="error_text", text=TEXT)

    [said] = press(desk, "list_text", drift, meaning="order")

    refused_order.refresh_from_db()
    assert "1 waiting order has been settled." in said
    assert drift.settled_at is not None
    assert KnownRefusal.objects.get().meaning == "order"
    assert (refused_order.status, flags_of(refused_order)) == (Status.FAILED, [])
    assert refused_order.events.filter(actor=sam, evidence__listed=TEXT).count() == 1
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    assert list_refusal(TEXT, meaning="order", actor=sam, now=timezone.now()) == 0
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


def test_list_refusal_when_the_text_speaks_of_our_balance_then_the_order_is_sent_again(
    refused_order: Order, sam: User, client_upstream: Any, sandbox: Any
) -> None:
    assert list_refusal(TEXT, meaning="balance", actor=sam, now=timezone.now()) == 1

    assert forward_order(refused_order.pk, client=client_upstream, clock=timezone.now)
    refused_order.refresh_from_db()
    assert (refused_order.status, len(sandbox.orders)) == (Status.PENDING, 1)


def test_list_refusal_when_an_order_is_unknown_for_another_reason_then_it_is_left_alone(
    refused_order: Order, place: Callable[..., Order], sam: User, client_upstream: Any, sandbox: Any
) -> None:
    lost, similar = place(), place()
    sandbox.fail_next("lose_reply", action="add")
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    sandbox.fail_next("refuse", action="add", text=f"{TEXT}, order 5 placed")
    forward_order(similar.pk, client=client_upstream, clock=timezone.now)

    assert list_refusal(TEXT, meaning="order", actor=sam, now=timezone.now()) == 1

    for order in (lost, similar):
        order.refresh_from_db()
        assert (order.status, order.refunded_micros) == (Status.UNKNOWN, 0)


def test_list_refusal_when_the_last_attempt_ended_otherwise_then_the_first_answer_proves_nothing(
    refused_order: Order, sam: User, client_upstream: Any, sandbox: Any
) -> None:
    from orders.reconciliation.resolve import resolve_as_not_placed

    resolve_as_not_placed(refused_order.pk, actor=sam, now=timezone.now())
    sandbox.fail_next("lose_reply", action="add")
    forward_order(refused_order.pk, client=client_upstream, clock=timezone.now)

    assert list_refusal(TEXT, meaning="order", actor=sam, now=timezone.now()) == 0

    refused_order.refresh_from_db()
    assert refused_order.status == Status.UNKNOWN


def test_refusal_page_when_staff_adds_a_text_by_hand_then_what_waited_is_settled(
    refused_order: Order, desk: Client
) -> None:
    desk.post(reverse("admin:orders_knownrefusal_add"), {"text": TEXT, "meaning": "order"})

    refused_order.refresh_from_db()
    assert (refused_order.status, refused_order.refunded_micros) == (Status.FAILED, refused_order.price_micros)


def test_drift_page_when_it_is_settled_or_of_another_subject_then_only_what_fits_is_offered(desk: Client) -> None:
    def offered(drift: ContractDrift) -> list[str]:
        page = desk.get(reverse("admin:orders_contractdrift_change", args=[drift.pk]))
        return [button["path"].rstrip("/").rsplit("/", 1)[-1] for button in page.context["actions_detail"]]

    word = ContractDrift.objects.create(subject="status_word", text="On hold", sample={"kind": "service"})
    text = ContractDrift.objects.create(subject="error_text", text=TEXT)
    assert offered(word) == ["map", "seen"]
    assert offered(text) == ["list", "seen"]

    press(desk, "seen", word)
    assert offered(word) == []
    assert press(desk, "list_text", word, meaning="order") == []
    assert not KnownRefusal.objects.exists()


def test_staff_pages_when_goods_were_delivered_then_they_count_them_and_show_none(
    desk: Client, sent_order: Order
) -> None:
    from orders.lifecycle.goods import keep_goods, reveal

    keep_goods(sent_order, ["rosa@example.com:secret"], timezone.now())
    reveal(sent_order, sent_order.user, "203.0.113.9")
    goods = sent_order.goods

    pages = [
        reverse("admin:orders_deliveredgoods_changelist"),
        reverse("admin:orders_deliveredgoods_change", args=[goods.pk]),
        reverse("admin:orders_goodsreveal_changelist"),
        reverse("admin:orders_order_change", args=[sent_order.pk]),
    ]
    for address in pages:
        text = desk.get(address).content.decode()
        assert "rosa" not in text
        assert goods.encrypted not in text
    assert "203.0.113.9" in desk.get(pages[1]).content.decode()


def test_notices_page_when_staff_sends_one_again_then_it_is_due(desk: Client, ann: User) -> None:
    sent = Notice.objects.create(key="k", user=ann, subject="S", body="B", sent_at=timezone.now(), tries=1)

    desk.post(reverse("admin:notifications_notice_changelist"), {"action": "resend", "_selected_action": [sent.pk]})

    sent.refresh_from_db()
    assert (sent.sent_at, sent.tries) == (None, 0)
