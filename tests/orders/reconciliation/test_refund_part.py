"""Refunds in part by two at once: what is recorded is what was moved, whoever comes in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.lifecycle.refunds import refund_up_to
from orders.models import Order, RefundReason, Status
from orders.reconciliation.refunds_by_hand import refund_part_by_hand
from tests.emptying import tampering
from tests.orders.couponing import balance
from tests.orders.reconciliation.test_refunds_by_hand import somebody_waits_for_us
from tests.workers import wait_for
from wallet.models import MoneyRequest
from wallet.operations import approve_request

pytestmark = pytest.mark.django_db(transaction=True)
State = MoneyRequest.State


@pytest.fixture
def at_work(place: Callable[..., Order]) -> Order:
    """An order of 1.875 that upstream works on."""
    order = place()
    Order.objects.filter(pk=order.pk).update(status=Status.IN_PROGRESS, upstream_id="77")
    return order


def part(order: Order, micros: int, actor: User, seen: int = 0) -> MoneyRequest:
    asked = {"amount_micros": micros, "note": "Slow.", "seen_refunded_micros": seen, "now": timezone.now()}
    return refund_part_by_hand(order.pk, actor=actor, **asked)


def while_we_hold_it(first: Callable[[], Any], second: Callable[[], Any]) -> str:
    """Do the first and, before it is committed, the second on another connection; return what became of that."""

    def late() -> str:
        try:
            second()
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            first()
            waits = threads.submit(late)
            wait_for(somebody_waits_for_us, "it waits for us")
        return waits.result(timeout=20)


def test_two_presses_at_once_give_one_part(at_work: Order, ann: User, sam: User) -> None:
    before = balance(ann)

    said = while_we_hold_it(lambda: part(at_work, 500_000, sam), lambda: part(at_work, 500_000, sam))

    assert said == "WrongStatus"
    assert balance(ann) - before == 500_000
    assert [request.amount_micros for request in MoneyRequest.objects.all()] == [500_000]


def test_what_upstream_gives_back_at_the_same_moment_is_seen(at_work: Order, ann: User, sam: User) -> None:
    before = balance(ann)

    def upstream() -> None:
        refund_up_to(Order.objects.get(pk=at_work.pk), 1_000_000, why=RefundReason.PARTIAL, now=timezone.now())

    said = while_we_hold_it(upstream, lambda: part(at_work, 500_000, sam))

    assert said == "WrongStatus"
    assert (balance(ann) - before, MoneyRequest.objects.count()) == (1_000_000, 0)


def test_second_person_gives_nothing_that_upstream_has_given_at_the_same_moment(
    at_work: Order, ann: User, sam: User, settings: Any
) -> None:
    tom = User.objects.create_superuser("tom@example.com", "x", is_staff=True)
    settings.ADJUST_APPROVAL_MICROS = 1
    request = part(at_work, 500_000, sam)
    before = balance(ann)

    def upstream() -> None:
        refund_up_to(Order.objects.get(pk=at_work.pk), 1_000_000, why=RefundReason.PARTIAL, now=timezone.now())

    said = while_we_hold_it(upstream, lambda: approve_request(request.pk, actor=tom, now=timezone.now()))

    request.refresh_from_db()
    assert (said, request.state) == ("SubjectChanged", State.WAITING)
    assert balance(ann) - before == 1_000_000


def test_audit_finds_a_part_that_was_agreed_on_and_not_given(at_work: Order, sam: User) -> None:
    request = part(at_work, 500_000, sam)
    found = audit(client=None, now=timezone.now()).problems
    assert [problem for problem in found if "in part" in problem] == []

    with tampering():
        MoneyRequest.objects.filter(pk=request.pk).update(amount_micros=600_000)

    found = audit(client=None, now=timezone.now()).problems
    assert f"request {request.pk}: 0.60 of order:{at_work.pk} was given back in part, but not by the ledger" in found
