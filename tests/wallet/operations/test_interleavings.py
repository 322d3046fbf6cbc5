"""Payments, disputes, sales, refunds and moves by hand, in any order, repeated and at once: the books add up."""

import random
import threading
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from catalog.models import Category, Service
from orders.accounting.audit import audit
from orders.lifecycle.refunds import refund_up_to
from orders.models import Checkout, Order, RefundReason
from orders.placing.place import take_payment
from wallet.gateways import PaymentUpdate, State
from wallet.models import LedgerEntry, Receivable, TopUp, Wallet
from wallet.operations import AlreadyBooked, InsufficientFunds, OwesMoney, adjust, debit, owed_by
from wallet.operations.callbacks import apply_answer

pytestmark = pytest.mark.sqlite

# A few micros, so that rounding and the last micro are at stake; few payments, so that the same one is updated again.
AMOUNT, FEE, BONUS = 10, 1, 3
PAY = AMOUNT + FEE
CUSTOMERS, PAYMENTS = 2, 2


class Step(NamedTuple):
    """Something that happens to one of the customers, or to one of their payments."""

    what: str
    who: int
    payment: int
    micros: int


STATES = {
    "paid": State.PAID,
    "paid back": State.REFUNDED,
    "disputed": State.DISPUTED,
    "dispute won": State.DISPUTE_WON,
    "declined": State.DECLINED,
    "expired": State.EXPIRED,
}
BY_US = ["buy", "buy", "refund", "give", "take", "withdraw"]
STEPS = st.builds(
    Step,
    st.sampled_from(["paid", "paid", *STATES, *BY_US]),
    st.sampled_from([0, 0, 0, 1]),  # most of it meets in one wallet
    st.sampled_from([0, 0, 1]),
    st.sampled_from([1, 4, PAY - 1, PAY, PAY, PAY + 2]),
)
REFUSALS = (InsufficientFunds, AlreadyBooked, OwesMoney)


class Shop:
    """Customers with payments that were begun, and a service to buy."""

    def __init__(self) -> None:
        name = uuid.uuid4().hex
        category = Category.objects.create(name=name, rate_confirmed_at=timezone.now())
        self.service = Service.objects.create(
            upstream_id=uuid.uuid4().int % 10**9,
            category=category,
            name=name,
            type="Default",
            rate_upstream_micros=1,
            min_quantity=1,
            max_quantity=10,
            search_text=name,
        )
        self.users = [User.objects.create_user(f"{n}-{name}@example.com") for n in range(CUSTOMERS)]
        self.staff = User.objects.create_user(f"staff-{name}@example.com", is_staff=True)
        asked = {"gateway": "demo", "currency": "USD", "amount_micros": AMOUNT, "fee_micros": FEE}
        self.payments = [
            [TopUp.objects.create(user=user, pay_micros=PAY, bonus_micros=BONUS, **asked) for _each in range(PAYMENTS)]
            for user in self.users
        ]

    def do(self, step: Step, reference: str) -> None:
        """Let it happen; what is refused has changed nothing."""
        user, micros = self.users[step.who], step.micros
        if step.what in STATES:
            payment = TopUp.objects.get(pk=self.payments[step.who][step.payment].pk)
            update = PaymentUpdate("", "", "", payment.reference, STATES[step.what], micros, "USD")
            apply_answer(payment, update, now=timezone.now())
            return
        try:
            with transaction.atomic():
                if step.what == "buy":
                    self._buy(user, micros)
                elif step.what == "refund":
                    self._refund(user, micros)
                elif step.what == "withdraw":
                    kind = LedgerEntry.Kind.WITHDRAWAL
                    debit(
                        user=user, amount_micros=micros, kind=kind, reference=reference, note="home", actor=self.staff
                    )
                else:
                    signed = micros if step.what == "give" else -micros
                    adjust(user=user, amount_micros=signed, note="by hand", actor=self.staff, reference=reference)
        except REFUSALS:
            pass

    def _buy(self, user: User, micros: int) -> None:
        checkout = Checkout.objects.create(user=user, request_id=uuid.uuid4().hex, fingerprint="")
        order = Order(user=user, checkout=checkout, service=self.service, title="x", quantity=1, price_micros=micros)
        order.rate_micros = order.rate_upstream_micros = order.cost_upstream_micros = order.rate_per = 1
        take_payment(order, now=timezone.now())

    def _refund(self, user: User, micros: int) -> None:
        order = Order.objects.filter(user=user).order_by("refunded_micros", "pk").first()
        if order is not None:
            refund_up_to(order, order.refunded_micros + micros, why=RefundReason.STAFF, now=timezone.now())

    def check_wallets(self) -> None:
        """Nobody is below zero, and who owes something has nothing."""
        for user in self.users:
            wallet = Wallet.objects.filter(user=user).first()
            balance = wallet.balance_micros if wallet else 0
            assert balance >= 0
            assert not (owed_by(user) and balance)

    def check_books(self, steps: list[Step]) -> None:
        """The audit finds nothing, and payments are where what was said of them leads."""
        self.check_wallets()
        assert audit(client=None, now=timezone.now()).problems == []
        for who, payments in enumerate(self.payments):
            for number, payment in enumerate(payments):
                said = [step for step in steps if (step.who, step.payment) == (who, number)]
                self._check_payment(TopUp.objects.get(pk=payment.pk), said)

    def _check_payment(self, payment: TopUp, said: list[Step]) -> None:
        paid = [step.micros for step in said if step.what == "paid"]
        worth = {max(0, micros - FEE) + (BONUS if micros >= PAY else 0) for micros in paid}
        assert payment.credited_micros in (worth or {0})
        assert payment.received_micros <= max(paid, default=0)
        assert payment.refunded_micros == max((step.micros for step in said if step.what == "paid back"), default=0)
        gone = min(payment.received_micros, payment.refunded_micros + payment.disputed_micros)
        share = -(-payment.credited_micros * gone // payment.received_micros) if paid else 0
        assert payment.reversed_micros == share
        owed = sum(Receivable.objects.filter(top_up=payment).values_list("amount_micros", flat=True))
        assert owed <= payment.credited_micros * (1 + len(said))


@pytest.mark.django_db
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=20, max_size=40))
def test_money_in_any_order_keeps_the_books(steps: list[Step]) -> None:
    with transaction.atomic():
        shop = Shop()

        for number, step in enumerate(steps):
            shop.do(step, f"step:{number % 10}")  # some references come again
            shop.check_wallets()
        shop.check_books(steps)

        transaction.set_rollback(True)


def at_once(works: list[Callable[[], Any]]) -> None:
    """Run each in a thread of its own, begun together; raise what the first of them raised."""
    begin, errors = threading.Barrier(len(works)), []

    def run(work: Callable[[], Any]) -> None:
        try:
            begin.wait(timeout=20)
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if errors:
        raise errors[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_money_from_many_sides_at_once_keeps_the_books(seed: int) -> None:
    chance = random.Random(seed)
    shop = Shop()
    kinds = ["paid", "paid", *STATES, *BY_US]
    micros = [1, 4, PAY - 1, PAY, PAY, PAY + 2]
    steps = [
        Step(chance.choice(kinds), chance.choice([0, 0, 0, 1]), chance.choice([0, 0, 1]), chance.choice(micros))
        for _each in range(80)
    ]
    for user in shop.users:
        adjust(user=user, amount_micros=20, note="to begin with", actor=shop.staff, reference="first")

    def share(thread: int) -> Callable[[], None]:
        # Every step comes twice, in two threads: a gateway's repeat, a second press of the button.
        mine = [(number, step) for number, step in enumerate(steps) if number % 5 in (thread, (thread + 1) % 5)]
        return lambda: [shop.do(step, f"step:{number}") for number, step in mine] and None

    at_once([share(thread) for thread in range(5)])

    shop.check_books(steps)
    assert LedgerEntry.objects.count() > 20
