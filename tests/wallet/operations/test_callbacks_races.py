"""Many at once: callbacks, polls and staff meet at one payment, on real connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from tests.wallet.paying import DOLLAR, balance, demo_says, rows, start
from wallet.gateways import State
from wallet.models import Receivable, TopUp
from wallet.operations import WrongStatus, check_top_up, confirm_top_up, credit, debit
from wallet.operations.ledger import InsufficientFunds

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("demo_gateway")]


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """Run all steps at the same moment, each on a connection of its own, and return what they returned."""
    barrier = Barrier(len(steps))

    def run(step: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=20)
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(steps)) as threads:
        return [running.result(timeout=60) for running in [threads.submit(run, step) for step in steps]]


def test_payment_when_told_of_by_many_at_once_is_credited_once(ann: User) -> None:
    top_up = start(ann, "demo")
    TopUp.objects.update(next_check_at=timezone.now())
    top_up.refresh_from_db()

    answers = at_once(
        *[lambda: demo_says(top_up, State.PAID)] * 4,
        lambda: demo_says(top_up, State.PENDING),
        lambda: demo_says(top_up, State.EXPIRED),
        lambda: check_top_up(top_up),
    )

    assert answers[:6] == [200] * 6
    top_up.refresh_from_db()
    assert (top_up.status, rows(ann), balance(ann)) == ("paid", [("top_up", 10 * DOLLAR)], 110 * DOLLAR)


def test_transfer_when_two_of_the_staff_confirm_it_at_once_is_credited_once(
    ann: User, sam: User, transfers: None
) -> None:
    top_up = start(ann, "manual")

    def confirm() -> bool:
        try:
            confirm_top_up(top_up=top_up, received_micros=10 * DOLLAR, actor=sam)
        except (WrongStatus, ValueError):
            return False
        return True

    assert sorted(at_once(*[confirm] * 4)) == [False, False, False, True]
    assert balance(ann) == 110 * DOLLAR


def test_reversal_when_the_money_is_being_spent_takes_the_rest_and_books_what_is_missing(ann: User) -> None:
    top_up = start(ann, "demo", 30)
    demo_says(top_up, State.PAID)

    def spend(number: int) -> int:
        try:
            debit(user=ann, amount_micros=15 * DOLLAR, kind="charge", reference=f"order:{number}")
        except InsufficientFunds:
            return 0
        return 15

    spent = at_once(
        *[lambda number=number: spend(number) for number in range(10)], lambda: demo_says(top_up, State.DISPUTED)
    )

    top_up.refresh_from_db()
    owed = sum(Receivable.objects.values_list("amount_micros", flat=True))
    left = balance(ann)
    assert (spent[-1], top_up.reversed_micros) == (200, 30 * DOLLAR)
    assert left - owed == (130 - 30 - sum(spent[:-1])) * DOLLAR
    assert left == 0 or owed == 0


def test_receivable_when_money_comes_in_from_all_sides_is_paid_once(ann: User) -> None:
    debit(user=ann, amount_micros=100 * DOLLAR, kind="charge", reference="order:1")
    owed = Receivable.objects.create(user=ann, amount_micros=25 * DOLLAR)

    at_once(
        *[
            lambda number=number: credit(
                user=ann, amount_micros=10 * DOLLAR, kind="refund", reference=f"order:{number}"
            )
            for number in range(2, 7)
        ]
    )

    owed.refresh_from_db()
    assert (owed.paid_micros, owed.settled_at is None, balance(ann)) == (25 * DOLLAR, False, 25 * DOLLAR)
