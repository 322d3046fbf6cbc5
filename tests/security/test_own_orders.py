"""Attack: staff settles or refunds orders of its own, or of whom it is tied to by a referral, and pays out twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.power import NotYourOwnMoney
from catalog.models import Service
from orders.accounting.audit import audit
from orders.admin.orders import OrderAdmin
from orders.attempts.answers import note_lost
from orders.lifecycle.drift import Subject, note_drift
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.service_requests import request_service
from orders.models import (
    ContractDrift,
    HoldReason,
    KnownRefusal,
    LostAttempt,
    Order,
    RefundReason,
    ServiceRequest,
    Status,
    StatusWord,
)
from orders.placing.place import place_order
from orders.reconciliation.resolve import resolve_by_refund
from tests.orders.attention import Flag, flag, make_lost
from tests.orders.couponing import balance, coupon
from tests.security.tied import OWN, TIED, browser, desk, each_tie, tied
from wallet.models import LedgerEntry

__all__ = ["desk", "tied"]  # fixtures
pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}
TEXT, WORD = "Drip feed is off", "Halted"


@pytest.fixture(autouse=True)
def no_upstream(service: Service, settings: Any) -> None:
    """There is none to ask: staff forces what it says."""
    settings.UPSTREAM_URL = ""
    settings.SETTLE_SECONDS = 0


def place(user: User, service: Service, **asked: Any) -> Order:
    row = Service.objects.select_related("category").get(pk=service.pk)
    values = {"quantity": 1000, "link": "https://example.com/p", "request_id": str(Order.objects.count())}
    return place_order(user=user, service=row, now=timezone.now(), **{**values, **asked})


def hold(order: Order, _tom: User) -> None:
    Order.objects.filter(pk=order.pk).update(held_because=HoldReason.SERVICE_PAUSED, held_details={"because": "slow"})


def lose(order: Order, _tom: User) -> None:
    make_lost(order)


def forget(order: Order, _tom: User) -> None:
    Order.objects.filter(pk=order.pk).update(status=Status.PENDING, upstream_id="77", not_found_times=9)


def give_up(order: Order, tom: User) -> None:
    make_lost(order)
    resolve_by_refund(order.pk, actor=tom, now=timezone.now())


def put_on_the_list(order: Order, _tom: User) -> None:
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, upstream_id="77")
    flag(order, Flag.OVERCHARGED)


def poll(order: Order, _tom: User) -> None:
    later = timezone.now() + timedelta(hours=1)
    Order.objects.filter(pk=order.pk).update(status=Status.PENDING, upstream_id="77", next_poll_at=later)


def hold_by_staff(order: Order, tom: User) -> None:
    Order.objects.filter(pk=order.pk).update(held_because=HoldReason.STAFF, held_details={"note": "slow"})


def nothing(_order: Order, _tom: User) -> None:
    """The order waits to be sent."""


Prepare = Callable[[Order, User], None]
BUTTONS: dict[str, tuple[Prepare, dict[str, str]]] = {
    "as_placed": (lose, {"upstream_id": "77", "force": "on"}),
    "as_not_placed": (lose, {}),
    "by_refund": (lose, {}),
    "close": (lose, {"last_id": "99999"}),
    "send_anyway": (hold, {}),
    "refund_now": (hold, {}),
    "refund_lost": (forget, {}),
    "bought": (give_up, {"upstream_id": "77", "force": "on", "note": "they say so"}),
    "not_bought": (give_up, {"note": "they say so"}),
    "clear": (put_on_the_list, {}),
    "hold": (nothing, {"note": "They asked for it."}),
    "release": (hold_by_staff, {}),
    "refund_part": (poll, {"amount": "0.50", "note": "They were slow.", "seen": "0"}),
    "counts": (poll, {"start_count": "7", "remains": "3", "note": "As the page says."}),
    "ask": (poll, {}),
    "note": (poll, {"text": "Do not look at it."}),
}
GIVES_BACK = ("by_refund", "refund_now", "refund_lost")


def press(client: Client, button: str, order: Order, **fields: str) -> list[str]:
    """Press a button of the order's page and return what the next page says."""
    page = reverse(f"admin:orders_order_{button}", args=[order.pk])
    answer = client.post(page, {**SUBMITTED, **BUTTONS[button][1], **fields}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def everything_of(order: Order) -> Any:
    """Return the order with its money, events, flags and attempts."""
    return (
        model_to_dict(Order.objects.get(pk=order.pk)),
        balance(order.user),
        order.events.count(),
        list(order.flags.values_list("code", "cleared_at")),
        list(LostAttempt.objects.filter(order=order).values_list("state", "closed_at_id")),
    )


# --- The buttons of an order ------------------------------------------------------------------------------------------


@each_tie
@pytest.mark.parametrize("button", OrderAdmin.actions_detail)
def test_no_button_works_on_orders_of_ones_own_or_of_whom_one_is_tied_to(
    desk: Client, tom: User, tied: User, tie: str, service: Service, button: str
) -> None:
    order = place(tied, service)
    BUTTONS[button][0](order, tom)
    before = everything_of(order)

    said = press(desk, button, order)

    assert said == [f"{OWN if tie == 'themselves' else TIED} These people can: tom@example.com."]
    assert everything_of(order) == before
    said = press(browser(tom), button, order)
    assert everything_of(order) != before, said


@each_tie
def test_the_refund_itself_refuses_who_decides_about_their_own(sam: User, tied: User, service: Service) -> None:
    order = place(tied, service)
    sam.refresh_from_db()

    with pytest.raises(NotYourOwnMoney):
        refund_up_to(order, order.price_micros, why=RefundReason.STAFF, actor=sam, now=timezone.now())

    assert balance(tied) == 100_000_000 - order.price_micros


@each_tie
@pytest.mark.parametrize("button", ["done", "decline"])
def test_nobody_answers_their_own_requests(desk: Client, tom: User, tied: User, service: Service, button: str) -> None:
    order = place(tied, service)
    Service.objects.update(cancel=True)
    Order.objects.filter(pk=order.pk).update(status=Status.IN_PROGRESS, upstream_id="77")
    asked = request_service(order.pk, user=tied, kind=ServiceRequest.Kind.CANCEL, now=timezone.now())
    page = reverse(f"admin:orders_servicerequest_{button}", args=[asked.pk])

    desk.post(page, {**SUBMITTED, "answer": "For me"})

    assert ServiceRequest.objects.get().state == ServiceRequest.State.OPEN
    browser(tom).post(page, {**SUBMITTED, "answer": "No"})
    assert ServiceRequest.objects.get().state != ServiceRequest.State.OPEN


# --- Words of the supplier's, which settle orders ---------------------------------------------------------------------


@pytest.fixture
def waiting(tied: User, service: Service) -> Order:
    """An order that waits because of a text nobody has listed."""
    order = place(tied, service)
    Order.objects.filter(pk=order.pk).update(status=Status.UNKNOWN, sent_at=timezone.now())
    order.refresh_from_db()
    note_lost(order, LostAttempt.Cause.UNLISTED_TEXT, TEXT, now=timezone.now())
    return order


@each_tie
def test_nobody_lists_a_text_that_would_refund_their_own_order(desk: Client, tom: User, waiting: Order) -> None:
    note_drift(Subject.ERROR_TEXT, TEXT, {"order": waiting.pk}, now=timezone.now())
    drift = ContractDrift.objects.get()
    fields = {"text": f" {TEXT.upper()}", "meaning": "order"}
    before = everything_of(waiting)

    desk.post(reverse("admin:orders_contractdrift_list_text", args=[drift.pk]), {**SUBMITTED, "meaning": "order"})
    refused = desk.post(reverse("admin:orders_knownrefusal_add"), fields)

    assert "somebody else has to do it" in refused.context["adminform"].form.non_field_errors()[0]
    assert (KnownRefusal.objects.count(), everything_of(waiting)) == (0, before)
    assert browser(tom).post(reverse("admin:orders_knownrefusal_add"), fields).status_code == 302
    assert (Order.objects.get().status, balance(waiting.user)) == (Status.FAILED, 100_000_000)


@each_tie
def test_nobody_saves_a_listed_text_again_for_an_order_of_their_own_that_waits(desk: Client, waiting: Order) -> None:
    listed = KnownRefusal.objects.create(text=TEXT, meaning="order")
    before = everything_of(waiting)

    desk.post(reverse("admin:orders_knownrefusal_change", args=[listed.pk]), {"text": TEXT, "meaning": "order"})

    assert everything_of(waiting) == before


@each_tie
def test_nobody_says_that_a_word_of_their_own_order_means_canceled(
    desk: Client, tom: User, tied: User, service: Service
) -> None:
    order = place(tied, service)
    now = timezone.now()
    working = {"status": Status.IN_PROGRESS, "upstream_id": "77", "upstream_word": WORD, "next_poll_at": now}
    Order.objects.filter(pk=order.pk).update(**working)
    note_drift(Subject.STATUS_WORD, WORD, {"kind": "service", "order": order.pk}, now=now)
    drift = ContractDrift.objects.get()
    fields = {"kind": "service", "word": WORD.upper(), "status": "canceled"}

    desk.post(reverse("admin:orders_contractdrift_map_word", args=[drift.pk]), {**SUBMITTED, "status": "partial"})
    refused = desk.post(reverse("admin:orders_statusword_add"), fields)

    assert "somebody else has to do it" in refused.context["adminform"].form.non_field_errors()[0]
    assert StatusWord.objects.count() == 0
    # What gives nothing back, everybody may say; but not change it into what does.
    assert desk.post(reverse("admin:orders_statusword_add"), {**fields, "status": "pending"}).status_code == 302
    word = StatusWord.objects.get()
    assert desk.post(reverse("admin:orders_statusword_change", args=[word.pk]), fields).status_code == 200
    assert browser(tom).post(reverse("admin:orders_statusword_change", args=[word.pk]), fields).status_code == 302


# --- More than was paid -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", GIVES_BACK)
def test_no_refund_by_hand_gives_back_more_than_was_paid(
    desk: Client, ann: User, tom: User, service: Service, button: str
) -> None:
    """Twice, by two people, after a part was given back before, of an order that a coupon made cheaper."""
    coupon()
    order = place(ann, service, coupon="SPRING")
    assert balance(ann) == 100_000_000 - order.price_micros
    refund_up_to(order, order.price_micros // 3, why=RefundReason.PARTIAL, now=timezone.now())
    BUTTONS[button][0](order, tom)

    for client in (desk, desk, browser(tom)):
        press(client, button, order, amount="900", amount_micros="900000000", refund="900")
    for other in BUTTONS:
        press(desk, other, order)

    assert balance(ann) == 100_000_000
    refunds = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND).values_list("amount_micros", flat=True)
    assert sum(refunds) == order.price_micros == Order.objects.get().refunded_micros
    # Upstream's own side knows nothing of these orders.
    assert [found for found in audit(client=None, now=timezone.now()).problems if "refund" in found] == []
