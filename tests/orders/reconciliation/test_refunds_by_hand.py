"""Refunds that staff decides on: one person's limit is on them too, and what is above it waits for a second one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.lifecycle.refund_requests import UNKNOWN, ask_for_refund
from orders.models import Order, Status
from tests.orders.attention import make_lost
from tests.wallet.by_hand import balance, move
from tests.workers import wait_for
from wallet.models import LedgerEntry, MoneyRequest

pytestmark = pytest.mark.django_db
State = MoneyRequest.State
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def lost(place: Callable[..., Order], settings: Any) -> Order:
    """An order of Ann's whose answer never came, of more money than one person may give back."""
    order = place()
    make_lost(order)
    settings.ADJUST_APPROVAL_MICROS = order.price_micros - 1
    return order


def press(user: User, address: str) -> str:
    browser = Client()
    browser.force_login(user)
    answer = browser.post(address, SUBMITTED, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def refund(user: User, order: Order) -> str:
    return press(user, reverse("admin:orders_order_by_refund", args=[order.pk]))


def decide(user: User, how: str) -> str:
    return press(user, reverse(f"admin:wallet_moneyrequest_{how}", args=[MoneyRequest.objects.latest("pk").pk]))


def refunds(order: Order) -> list[int]:
    return list(
        LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND, reference__startswith=f"order:{order.pk}:")
        .values_list("amount_micros", flat=True)
    )  # fmt: skip


def test_refund_above_the_limit_waits_and_is_made_once_in_the_name_of_who_asked(ann, sam, tom, lost):
    before = balance(ann)

    said = refund(sam, lost)

    assert "exceeds what one person may move within 24 hours" in said
    assert "tom@example.com" in said
    lost.refresh_from_db()
    assert (lost.status, lost.refunded_micros, balance(ann), refunds(lost)) == (Status.UNKNOWN, 0, before, [])
    assert "already waiting" in refund(tom, lost)
    assert "Somebody else has to decide" in decide(sam, "approve")

    page = Client()
    page.force_login(tom)
    shown = page.get(reverse("admin:wallet_moneyrequest_change", args=[MoneyRequest.objects.get().pk]))
    assert reverse("admin:orders_order_change", args=[lost.pk]) in shown.content.decode()
    assert decide(tom, "approve") == "Approved and booked."
    assert "already decided" in decide(tom, "approve")
    lost.refresh_from_db()
    assert (lost.status, refunds(lost)) == (Status.FAILED, [lost.price_micros])
    assert LedgerEntry.objects.get(kind=LedgerEntry.Kind.REFUND).created_by == sam
    assert balance(ann) == before + lost.price_micros
    assert audit(client=None, now=lost.finished_at).problems == []


def test_refund_below_the_limit_is_made_at_once_and_counts_with_everything_else(ann, ben, sam, lost, settings):
    settings.ADJUST_APPROVAL_MICROS = lost.price_micros

    assert refund(sam, lost) == "The order has been refunded."

    assert (MoneyRequest.objects.get().state, refunds(lost)) == (State.DONE, [lost.price_micros])
    assert move(ben, sam, 1).state == State.WAITING


def test_refund_that_was_settled_otherwise_meanwhile_is_not_made_again(ann, sam, tom, lost, settings):
    refund(sam, lost)
    press(tom, reverse("admin:orders_order_as_not_placed", args=[lost.pk]))

    assert "has changed since" in decide(tom, "approve")
    assert (MoneyRequest.objects.get().state, refunds(lost)) == (State.WAITING, [])
    assert decide(tom, "decline") == "Declined; no money has moved."


def test_refund_of_an_order_that_is_not_in_doubt_leaves_no_request(sam, place, settings):
    for limit in (0, 1):
        settings.ADJUST_APPROVAL_MICROS = limit
        order = place()

        assert "status has already changed" in refund(sam, order)

    assert MoneyRequest.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_refund_that_two_ask_for_at_the_same_moment_waits_once(sam, tom, lost):
    def ask(user: User) -> str:
        try:
            return refund(user, lost)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            ask_for_refund(lost, act=UNKNOWN, actor=sam, now=timezone.now())
            second = threads.submit(ask, tom)
            wait_for(somebody_waits_for_us, "the second one waits for the first")
        said = second.result(timeout=20)

    assert "Somebody else has just requested this" in said
    assert MoneyRequest.objects.get().asked_by == sam


def somebody_waits_for_us() -> bool:
    """Whether another session waits for this one: other tests' databases on the same server have locks of their own."""
    with connection.cursor() as cursor:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        cursor.execute(waiting)
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("relation", ["own", "brought"])
def test_refund_of_ones_own_order_or_a_referral_relations_is_refused(ann, sam, lost, relation):
    if relation == "own":
        Order.objects.update(user=sam)
    else:
        User.objects.filter(pk=ann.pk).update(referred_by=sam)

    assert "somebody else has to do it" in refund(sam, lost)

    lost.refresh_from_db()
    assert (lost.status, MoneyRequest.objects.count(), refunds(lost)) == (Status.UNKNOWN, 0, [])
