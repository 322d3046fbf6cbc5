"""The audit of money that came in from outside or was moved by hand: silent when it adds up, and in words when not."""

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import Service
from orders.accounting.audit import AuditFindings, audit
from orders.models import Coupon, CouponUse, Order, ReferralEarning
from wallet.gateways import PaymentUpdate, State
from wallet.models import LedgerEntry, Receivable, TopUp, Wallet
from wallet.operations import adjust, credit, debit
from wallet.operations.apply_payment_update import apply_payment_update

pytestmark = pytest.mark.django_db
Kind = LedgerEntry.Kind
DOLLAR = 1_000_000


def hear(top_up: TopUp, state: State, micros: int = 0) -> TopUp:
    """Let the gateway say something of a payment."""
    update = PaymentUpdate("", "", "", top_up.reference, state, micros, top_up.currency)
    with transaction.atomic():
        fresh = TopUp.objects.get(pk=top_up.pk)
        apply_payment_update(fresh, update, now=timezone.now())
    return fresh


def payment(user: Any, reference: str = "PAYMENT23456", **fields: Any) -> TopUp:
    """A payment of 10.00 with a bonus of 1.00, paid."""
    values = {
        "gateway": "demo",
        "currency": "USD",
        "amount_micros": 10 * DOLLAR,
        "bonus_micros": DOLLAR,
        "pay_micros": 10 * DOLLAR,
    }
    top_up = TopUp.objects.create(user=user, reference=reference, **{**values, **fields})
    return hear(top_up, State.PAID, top_up.pay_micros)


def problems() -> list[str]:
    return audit(client=None, now=timezone.now()).problems


@pytest.fixture
def disputed(ann: Any, sam: Any) -> TopUp:
    """A payment that was disputed when Ann had spent most of it: 2.00 were there, 9.00 are owed, 3.00 paid since."""
    top_up = payment(ann)
    adjust(user=ann, amount_micros=-109 * DOLLAR, note="spent", actor=sam, reference="1")
    hear(top_up, State.DISPUTED, 10 * DOLLAR)
    adjust(user=ann, amount_micros=3 * DOLLAR, note="found", actor=sam, reference="2")
    owed = Receivable.objects.get()
    assert (owed.amount_micros, owed.paid_micros, Wallet.objects.get(user=ann).balance_micros) == (
        9 * DOLLAR,
        3 * DOLLAR,
        0,
    )
    return top_up


def test_audit_of_payments_that_were_paid_disputed_and_won_finds_nothing(disputed: TopUp, ann: Any, ben: Any) -> None:
    payment(ben, "ANOTHER23456")

    books = audit(client=None, now=timezone.now())
    assert books.problems == []
    assert ("payments: credited", "22.00 USD") in books.figures
    assert ("payments: taken back", "11.00 USD") in books.figures
    assert ("payments: still owed by customers", "6.00 USD") in books.figures

    hear(disputed, State.DISPUTE_WON)
    assert problems() == []
    assert Wallet.objects.get(user=ann).balance_micros == 5 * DOLLAR


BREAKS: dict[str, tuple[Any, str]] = {
    "credited": (
        lambda: TopUp.objects.update(credited_micros=12 * DOLLAR),
        "payment PAYMENT23456: credited 12.00, but the ledger got 11.00",
    ),
    "reversed": (
        lambda: TopUp.objects.update(reversed_micros=0),
        "payment PAYMENT23456: 0.00 was taken back, but 2.00 left the wallet and 9.00 was owed",
    ),
    "forgiven": (
        lambda: Receivable.objects.update(amount_micros=5 * DOLLAR),
        "payment PAYMENT23456: 11.00 was taken back, but 2.00 left the wallet and 5.00 was owed",
    ),
    "paid": (
        lambda: Receivable.objects.update(paid_micros=4 * DOLLAR),
        "receivable 1: 4.00 was paid, but 3.00 left the wallet for it",
    ),
    "settled": (
        lambda: Receivable.objects.update(settled_at=timezone.now()),
        "receivable 1 is settled, but 3.00 of 9.00 was paid",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_audit_names_a_payment_that_does_not_agree_with_its_ledger(disputed: TopUp, name: str) -> None:
    spoil, words = BREAKS[name]
    spoil()

    assert problems() == [words.replace("receivable 1", f"receivable {Receivable.objects.get().pk}")]


def test_audit_names_a_paid_payment_that_credited_nothing(ann: Any) -> None:
    TopUp.objects.create(
        user=ann, reference="A" * 12, gateway="x", amount_micros=1, pay_micros=1, status="paid", currency="USD"
    )

    assert problems() == ["payment AAAAAAAAAAAA is paid, but nothing was credited"]


def test_audit_names_money_in_that_belongs_to_no_payment(ann: Any, ben: Any) -> None:
    top_up = payment(ann)
    credit(user=ben, amount_micros=DOLLAR, kind=Kind.TOP_UP, reference=f"top_up:{top_up.reference}")
    credit(user=ben, amount_micros=DOLLAR, kind=Kind.BONUS, reference="because")
    debit(user=ben, amount_micros=DOLLAR, kind=Kind.REVERSAL, reference="receivable:77:1")

    assert problems() == [
        f"the ledger moved 1.00 for payment PAYMENT23456 of customer {ben.pk}, which does not exist",
        f"the ledger took 1.00 for receivable 77 of customer {ben.pk}, which does not exist",
        f"bonus because of 1.00 for customer {ben.pk} names no payment",
    ]


def test_audit_names_moves_by_hand_without_who_or_why(ann: Any, sam: Any) -> None:
    credit(user=ann, amount_micros=DOLLAR, kind=Kind.ADJUSTMENT, reference="a", note="sorry", actor=sam)
    credit(user=ann, amount_micros=DOLLAR, kind=Kind.ADJUSTMENT, reference="b", note="sorry")
    debit(user=ann, amount_micros=DOLLAR, kind=Kind.WITHDRAWAL, reference="c", note="\n ", actor=sam)
    debit(user=ann, amount_micros=DOLLAR, kind=Kind.WITHDRAWAL, reference="d")

    assert problems() == [
        "adjustment b of 1.00 for ann@example.com does not say who made it",
        "withdrawal c of -1.00 for ann@example.com does not say why",
        "withdrawal d of -1.00 for ann@example.com does not say who made it and why",
    ]


def sold_with_coupon(ann: Any, service: Service, *, discount_micros: int) -> Order:
    """An order of 2.00 less a coupon of 0.50: its price is what Ann paid, the ledger says both."""
    order = Order.objects.create(
        user=ann,
        service=service,
        title="x",
        quantity=100,
        price_micros=1_500_000,
        rate_micros=2_000_000,
        rate_upstream_micros=1_000_000,
        rate_per=1000,
        cost_upstream_micros=1_000_000,
    )
    coupon = Coupon.objects.create(code="SPRING", uses=1, amount_micros=500_000)
    CouponUse.objects.create(coupon=coupon, user=ann, order=order, discount_micros=500_000)
    debit(user=ann, amount_micros=2_000_000, kind=Kind.CHARGE, reference=f"order:{order.pk}")
    credit(user=ann, amount_micros=discount_micros, kind=Kind.DISCOUNT, reference=f"order:{order.pk}:coupon")
    return order


def test_audit_counts_a_coupon_into_what_an_order_cost(ann: Any, service: Service) -> None:
    sold_with_coupon(ann, service, discount_micros=500_000)

    assert problems() == []


def test_audit_names_a_discount_that_is_not_its_coupons(ann: Any, service: Service) -> None:
    order = sold_with_coupon(ann, service, discount_micros=600_000)

    assert problems() == [
        f"order {order.pk}: price 1.50, but the ledger charged 2.00 less a coupon's 0.60",
        f"order {order.pk}: its coupon takes off 0.50, but the ledger 0.60",
    ]


def test_audit_names_a_referral_that_was_not_earned(ann: Any, ben: Any, service: Service) -> None:
    order = sold_with_coupon(ann, service, discount_micros=500_000)
    fields = {"order": order, "referrer": ben, "percent": 10, "due_at": timezone.now()}
    ReferralEarning.objects.create(state="credited", amount_micros=DOLLAR, **fields)
    credit(user=ben, amount_micros=DOLLAR, kind=Kind.REFERRAL, reference=f"order:{order.pk}:referral")
    assert problems() == []

    credit(user=ben, amount_micros=2 * DOLLAR, kind=Kind.REFERRAL, reference="referral:2")

    assert problems() == [
        f"order 0: it earned customer {ben.pk} 0.00 by referral, but the ledger credited 2.00",
    ]


def test_audit_names_a_charge_in_somebody_elses_wallet_or_for_no_order(ann: Any, ben: Any, service: Service) -> None:
    order = sold_with_coupon(ann, service, discount_micros=500_000)
    debit(user=ben, amount_micros=DOLLAR, kind=Kind.CHARGE, reference=f"order:{order.pk}")
    credit(user=ben, amount_micros=DOLLAR, kind=Kind.REFUND, reference="order:x")
    credit(user=ben, amount_micros=DOLLAR, kind=Kind.REFUND, reference="sorry")

    assert sorted(problems()) == [
        f"the ledger moved -1.00 for order {order.pk} of customer {ben.pk}, which does not exist",
        f"the ledger moved 1.00 for customer {ben.pk} as sorry, which names no order",
        f"the ledger moved 1.00 for order x of customer {ben.pk}, which does not exist",
    ]


def test_books_keep_what_could_not_be_read_apart_from_what_is_wrong() -> None:
    books = AuditFindings(problems=["a", "b"], unread="b")

    assert books.wrong == ["a"]
