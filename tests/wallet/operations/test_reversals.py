"""Payments that are taken back: from the wallet what is there, the rest is owed, and what is owed blocks buying."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.pages import page_words
from tests.wallet.paying import DOLLAR, balance, demo_says, rows, start
from wallet.gateways import State
from wallet.models import LedgerEntry, Receivable, TopUp
from wallet.operations import OwesMoney, adjust, check_may_buy, credit, debit, owed_by
from wallet.operations.reversals import take_back_earning

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_gateway")]
Status = TopUp.Status


def spend(user: User, dollars: int, number: int = 1) -> None:
    debit(user=user, amount_micros=dollars * DOLLAR, kind="charge", reference=f"order:{number}")


@pytest.fixture
def paid(ann: User, demo_gateway: None) -> TopUp:
    """Ten dollars paid with a bonus of two, on top of the hundred Ann had."""
    top_up = start(ann, "demo")
    TopUp.objects.update(bonus_micros=2 * DOLLAR)
    demo_says(top_up, State.PAID)
    top_up.refresh_from_db()
    assert balance(ann) == 112 * DOLLAR
    return top_up


def test_refund_when_the_wallet_holds_enough_takes_all_of_it_with_the_bonus(paid: TopUp) -> None:
    demo_says(paid, State.REFUNDED)

    paid.refresh_from_db()
    assert (paid.status, paid.reversed_micros, balance(paid.user)) == (Status.REFUNDED, 12 * DOLLAR, 100 * DOLLAR)
    assert Receivable.objects.count() == 0
    entry = LedgerEntry.objects.get(reference=f"top_up:{paid.reference}:reversed:1")
    assert (entry.kind, entry.note) == ("reversal", f"Payment {paid.reference} was reversed")


def test_refund_when_in_part_takes_the_same_share_of_all_that_was_credited_rounded_up(paid: TopUp) -> None:
    demo_says(paid, State.REFUNDED, amount_micros=3_333_333)

    paid.refresh_from_db()
    assert (paid.status, paid.reversed_micros, balance(paid.user)) == (Status.PAID, 4_000_000, 108_000_000)
    assert "Part of it was refunded" in paid.note


def test_refund_when_told_again_takes_nothing_more(paid: TopUp) -> None:
    for micros in (5 * DOLLAR, 5 * DOLLAR, 2 * DOLLAR):
        demo_says(paid, State.REFUNDED, amount_micros=micros)

    assert balance(paid.user) == 106 * DOLLAR


def test_reversal_when_the_money_is_spent_takes_what_is_there_and_the_rest_is_owed(paid: TopUp) -> None:
    spend(paid.user, 107)

    demo_says(paid, State.DISPUTED)

    paid.refresh_from_db()
    owed = Receivable.objects.get()
    assert (paid.status, paid.reversed_micros, balance(paid.user)) == (Status.DISPUTED, 12 * DOLLAR, 0)
    assert (owed.amount_micros, owed.top_up, owed_by(paid.user)) == (7 * DOLLAR, paid, 7 * DOLLAR)
    assert paid.attention


def test_reversal_when_the_wallet_is_empty_writes_no_row_of_nothing(paid: TopUp) -> None:
    spend(paid.user, 112)

    demo_says(paid, State.REFUNDED)

    assert rows(paid.user) == [("top_up", 10 * DOLLAR), ("bonus", 2 * DOLLAR)]
    assert owed_by(paid.user) == 12 * DOLLAR


def test_buying_when_something_is_owed_is_refused_until_it_is_paid(paid: TopUp) -> None:
    check_may_buy(paid.user)
    spend(paid.user, 112)
    demo_says(paid, State.REFUNDED)

    with pytest.raises(OwesMoney, match=r"12\.00") as refusal:
        check_may_buy(paid.user)
    assert refusal.value.owed_micros == 12 * DOLLAR

    credit(user=paid.user, amount_micros=5 * DOLLAR, kind="refund", reference="order:1:refund:5000000")
    with pytest.raises(OwesMoney, match=r"7\.00"):
        check_may_buy(paid.user)
    second = start(paid.user, "demo", 20)
    demo_says(second, State.PAID)

    check_may_buy(paid.user)
    owed = Receivable.objects.get()
    assert (owed.paid_micros, owed.settled_at is None, balance(paid.user)) == (12 * DOLLAR, False, 13 * DOLLAR)
    assert [
        entry.amount_micros for entry in LedgerEntry.objects.filter(reference__startswith="receivable:").order_by("pk")
    ] == [-5 * DOLLAR, -7 * DOLLAR]


def test_words_say_what_it_is_owed_for(ann: User, client: Client) -> None:
    def words() -> str:
        with pytest.raises(OwesMoney) as refusal:
            check_may_buy(ann)
        return str(refusal.value)

    spend(ann, 100)
    reference = "order:1:cashback:back:1"
    take_back_earning(ann, 2 * DOLLAR, kind=LedgerEntry.Kind.CASHBACK, reference=reference, note="Followers")

    said = "An order was refunded, so its cashback was taken back, and $2.00 of it is still owed."
    assert words() == f"{said} Add money to keep buying."
    client.force_login(ann)
    page = page_words(client.get(reverse("wallet:home")))
    assert f"{said} Any money you add covers this first" in page
    assert "One of your payments" not in page
    Receivable.objects.create(user=ann, amount_micros=3 * DOLLAR, top_up=start(ann, "demo", 20))
    assert words().startswith("Payments were reversed and cashback was taken back, and $5.00 of that is still owed.")
    Receivable.objects.filter(top_up=None).delete()
    assert words() == ("One of your payments was reversed, and $3.00 of it is still owed. Add money to keep buying.")


def test_credit_when_several_are_owed_pays_the_oldest_first(ann: User, sam: User) -> None:
    spend(ann, 100)
    first = Receivable.objects.create(user=ann, amount_micros=3 * DOLLAR, note="first")
    second = Receivable.objects.create(user=ann, amount_micros=3 * DOLLAR, note="second")

    adjust(user=ann, amount_micros=4 * DOLLAR, note="sorry", actor=sam, reference="a")

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.paid_micros, second.paid_micros, balance(ann)) == (3 * DOLLAR, DOLLAR, 0)
    assert list(LedgerEntry.objects.filter(kind="reversal").values_list("note", flat=True)) == ["second", "first"]


def test_credit_when_somebody_else_owes_keeps_its_money(ann: User, ben: User) -> None:
    Receivable.objects.create(user=ben, amount_micros=3 * DOLLAR)

    credit(user=ann, amount_micros=4 * DOLLAR, kind="refund", reference="r")

    assert balance(ann) == 104 * DOLLAR
    check_may_buy(ann)


def test_dispute_when_won_returns_the_money_and_pays_what_was_owed_for_it(paid: TopUp) -> None:
    spend(paid.user, 107)
    demo_says(paid, State.DISPUTED)

    demo_says(paid, State.DISPUTE_WON)

    paid.refresh_from_db()
    assert (paid.status, paid.attention, paid.reversed_micros) == (Status.PAID, "", 0)
    assert (balance(paid.user), owed_by(paid.user)) == (5 * DOLLAR, 0)
    check_may_buy(paid.user)


def test_dispute_when_won_and_begun_again_is_taken_again(paid: TopUp) -> None:
    for state in (State.DISPUTED, State.DISPUTE_WON, State.DISPUTED):
        demo_says(paid, state)

    paid.refresh_from_db()
    assert (paid.status, balance(paid.user)) == (Status.DISPUTED, 100 * DOLLAR)


def test_dispute_when_of_what_a_refund_left_takes_no_more_than_all(paid: TopUp) -> None:
    demo_says(paid, State.REFUNDED, amount_micros=4 * DOLLAR)
    demo_says(paid, State.DISPUTED, amount_micros=10 * DOLLAR)

    paid.refresh_from_db()
    assert (paid.reversed_micros, balance(paid.user)) == (12 * DOLLAR, 100 * DOLLAR)


def test_reversal_when_in_another_currency_takes_nothing_and_calls_a_human(paid: TopUp) -> None:
    demo_says(paid, State.REFUNDED, currency="EUR")

    paid.refresh_from_db()
    assert (paid.status, balance(paid.user)) == (Status.REVIEW, 112 * DOLLAR)
    assert "EUR" in paid.attention
