"""What staff decides of a payment is what they looked at, also when its gateway speaks between a look and a press."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import User
from tests.wallet.paying import DOLLAR, balance, demo_says, start
from wallet.gateways import PaymentUpdate, State
from wallet.models import TopUp
from wallet.operations import PaymentChanged, close_review, confirm_top_up, declare_transfer, decline_top_up
from wallet.operations.callbacks import apply_answer

pytestmark = [
    pytest.mark.sqlite,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("demo_gateway", "transfers"),
]
Status = TopUp.Status


def meanwhile(happens: Callable[[], Any], decide: Callable[[], Any]) -> None:
    """Begin to `decide` while what `happens` is not committed yet; on PostgreSQL they meet at the row's lock."""
    begun = Event()

    def other() -> None:
        try:
            with transaction.atomic():
                happens()
                begun.set()
                sleep(0.5)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(other)
        assert begun.wait(timeout=20)
        with pytest.raises(PaymentChanged, match="has changed since you looked"):
            decide()
        running.result(timeout=60)


def test_mark_as_reviewed_when_a_chargeback_arrives_leaves_it_for_somebody_to_see(ann: User, sam: User) -> None:
    top_up = start(ann, "demo")
    demo_says(top_up, State.PAID)
    TopUp.objects.update(attention="paid twice, it seems")
    top_up.refresh_from_db()

    meanwhile(lambda: demo_says(top_up, State.DISPUTED), lambda: close_review(top_up=top_up, actor=sam))

    top_up.refresh_from_db()
    assert (top_up.status, top_up.disputed_micros, top_up.confirmed_by) == (Status.DISPUTED, 10 * DOLLAR, None)
    assert top_up.attention not in ("", "paid twice, it seems")


def test_confirm_when_the_gateway_tells_another_sum_credits_nothing(ann: User, sam: User) -> None:
    top_up = start(ann, "demo", 20)
    demo_says(top_up, State.PAID, amount_micros=5 * DOLLAR)
    seen = TopUp.objects.get(pk=top_up.pk)
    answer = PaymentUpdate("", "", "", top_up.reference, State.PAID, 8 * DOLLAR, "USD")

    meanwhile(
        lambda: apply_answer(top_up, answer, now=timezone.now()),
        lambda: confirm_top_up(top_up=seen, received_micros=10 * DOLLAR, actor=sam),
    )

    top_up.refresh_from_db()
    assert (top_up.status, balance(ann)) == (Status.REVIEW, 105 * DOLLAR)
    assert "reports 8.00 paid in total" in top_up.attention


def test_decline_when_the_customer_says_that_they_have_paid_leaves_it_waiting(ann: User, sam: User) -> None:
    top_up = start(ann, "manual")

    meanwhile(lambda: declare_transfer(top_up=top_up, note="by bank"), lambda: decline_top_up(top_up=top_up, actor=sam))

    top_up.refresh_from_db()
    assert (top_up.status, bool(top_up.attention)) == (Status.PENDING, True)
