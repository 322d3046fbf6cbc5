"""Attack: staff says what texts and words of the supplier's mean, which gives an accomplice more than one may move."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.rights import CATALOG
from accounts.trail import record
from catalog.models import Service
from orders.accounting.audit import audit
from orders.attempts.answers import note_lost
from orders.lifecycle.drift import Subject, note_drift
from orders.models import ContractDrift, LostAttempt, Order, Status, StatusWord
from tests.conftest import customer
from tests.security.staff import at_the_admin, in_role
from tests.security.test_own_orders import place
from tests.wallet.by_hand import balance
from wallet.models import MoneyRequest

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}
TEXT, WORD = "Drip feed is off", "Halted"
FORM = {"text": TEXT, "meaning": "order"}
SAVED = reverse("admin:orders_knownrefusal_add")


@pytest.fixture
def accomplice(db: None) -> User:
    return customer("friend@example.com", money="100.00")


@pytest.fixture
def orders(accomplice: User, service: Service, settings: Any) -> list[Order]:
    """Two orders of the accomplice's that wait because of the text; one person may give one of them back."""
    settings.UPSTREAM_URL = ""
    waiting = [place(accomplice, service), place(accomplice, service)]
    for order in waiting:
        Order.objects.filter(pk=order.pk).update(status=Status.UNKNOWN, sent_at=timezone.now())
        order.refresh_from_db()
        note_lost(order, LostAttempt.Cause.UNLISTED_TEXT, TEXT, now=timezone.now())
    settings.ADJUST_APPROVAL_MICROS = waiting[0].price_micros
    return waiting


@pytest.fixture
def desk(db: None) -> Client:
    return at_the_admin(in_role("cat@example.com", CATALOG))


@pytest.mark.parametrize("by", ["page", "button"])
def test_what_is_too_much_for_one_waits_for_a_second_person(
    desk: Client, orders: list[Order], accomplice: User, sam: User, by: str
) -> None:
    before, price_micros = balance(accomplice), orders[0].price_micros
    if by == "page":
        said = desk.post(SAVED, FORM, follow=True)
    else:
        note_drift(Subject.ERROR_TEXT, TEXT, {"order": orders[0].pk}, now=timezone.now())
        button = reverse("admin:orders_contractdrift_list_text", args=[ContractDrift.objects.get().pk])
        said = desk.post(button, {**SUBMITTED, "meaning": "order"}, follow=True)

    assert balance(accomplice) == before + price_micros
    told = " ".join(str(message) for message in said.context["messages"])
    assert "1 waiting order has been settled. 1 refund exceeds what one person may move within 24 hours" in told
    second = MoneyRequest.objects.get(state=MoneyRequest.State.WAITING)
    approve = reverse("admin:wallet_moneyrequest_approve", args=[second.pk])
    assert desk.post(approve, SUBMITTED).status_code == 403
    at_the_admin(sam).post(approve, SUBMITTED)
    assert balance(accomplice) == before + 2 * price_micros
    assert audit(client=None, now=timezone.now()).problems == []


def test_what_waits_already_is_asked_for_once(desk: Client, orders: list[Order]) -> None:
    desk.post(SAVED, FORM)
    listed = reverse("admin:orders_knownrefusal_changelist")
    [row] = desk.get(listed).context["cl"].queryset

    desk.post(reverse("admin:orders_knownrefusal_change", args=[row.pk]), FORM)

    assert list(MoneyRequest.objects.order_by("pk").values_list("state", flat=True)) == ["done", "waiting"]


# --- Status words -----------------------------------------------------------------------------------------------------


@pytest.fixture
def reported(orders: list[Order], settings: Any) -> list[Order]:
    """The same orders at work, reported with a word that nobody has mapped; both are too much for one person."""
    for number, order in enumerate(orders):
        LostAttempt.objects.filter(order=order).delete()
        said = {"upstream_id": str(number), "upstream_word": WORD, "next_poll_at": timezone.now()}
        Order.objects.filter(pk=order.pk).update(status=Status.IN_PROGRESS, **said)
    note_drift(Subject.STATUS_WORD, WORD, {"kind": "service", "order": orders[0].pk}, now=timezone.now())
    return orders


def say(client: Client, by: str, status: str = "canceled") -> str:
    """Say what the word means, and return what the page answers."""
    if by == "page":
        form = {"kind": "service", "word": WORD.upper(), "status": status}
        answer = client.post(reverse("admin:orders_statusword_add"), form, follow=True)
    else:
        button = reverse("admin:orders_contractdrift_map_word", args=[ContractDrift.objects.get().pk])
        answer = client.post(button, {**SUBMITTED, "status": status}, follow=True)
    return answer.content.decode()


@pytest.mark.parametrize("by", ["page", "button"])
def test_a_word_that_gives_back_too_much_for_one_is_said_by_two(
    desk: Client, reported: list[Order], sam: User, by: str
) -> None:
    for _time in range(2):
        assert "until a second person says the same" in say(desk, by)
    assert not StatusWord.objects.exists()

    assert "until a second person says the same" in say(at_the_admin(sam), by, status="partial")  # not the same
    say(at_the_admin(sam), by)

    assert StatusWord.objects.get().status == Status.CANCELED


def test_whoever_is_tied_to_who_said_it_first_is_no_second_person(desk: Client, reported: list[Order]) -> None:
    cat = User.objects.get(email="cat@example.com")
    say(desk, "page")
    friend = in_role("friend.of.cat@example.com", CATALOG)
    User.objects.filter(pk=friend.pk).update(referred_by=cat)

    assert "until a second person says the same" in say(at_the_admin(friend), "page")

    assert not StatusWord.objects.exists()


def test_what_was_said_longer_than_a_day_ago_is_said_anew(desk: Client, reported: list[Order], sam: User) -> None:
    a_day_ago = timezone.now() - timedelta(hours=24)
    said = {"word": WORD.lower(), "kind": "service", "means": "canceled"}
    record("acted", actor=User.objects.get(email="cat@example.com"), after=said, now=a_day_ago)

    assert "until a second person says the same" in say(at_the_admin(sam), "page")


def test_a_word_within_what_one_person_may_move_or_that_gives_nothing_back_is_said_by_one(
    desk: Client, reported: list[Order], settings: Any
) -> None:
    say(desk, "page", status="in_progress")
    assert StatusWord.objects.get().status == Status.IN_PROGRESS
    StatusWord.objects.all().delete()

    settings.ADJUST_APPROVAL_MICROS = sum(order.price_micros for order in reported)
    say(desk, "page")

    assert StatusWord.objects.get().status == Status.CANCELED
