"""Money moves once, never below zero, and every move is a line in the ledger."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum

from tests.conftest import customer
from wallet.models import LedgerEntry, LedgerIsAppendOnly, Wallet
from wallet.operations import AlreadyBooked, InsufficientFunds, adjust, credit, debit, wallet_of

pytestmark = pytest.mark.sqlite

TOP_UP, CHARGE = LedgerEntry.Kind.TOP_UP, LedgerEntry.Kind.CHARGE


def balance(user) -> int:
    return Wallet.objects.get(user=user).balance_micros


def booked(user) -> int:
    return LedgerEntry.objects.filter(wallet__user=user).aggregate(total=Sum("amount_micros"))["total"]


def test_credit_adds_to_the_balance_and_writes_one_row(ann):
    entry = credit(user=ann, amount_micros=1_500_000, kind=TOP_UP, reference="r1", note="thanks")

    assert balance(ann) == 101_500_000
    assert (entry.amount_micros, entry.note, entry.reference) == (1_500_000, "thanks", "r1")
    assert booked(ann) == balance(ann)


def test_credit_with_a_used_reference_moves_nothing(ann):
    credit(user=ann, amount_micros=1, kind=TOP_UP, reference="r1")

    with pytest.raises(AlreadyBooked):
        credit(user=ann, amount_micros=1, kind=TOP_UP, reference="r1")

    assert balance(ann) == 100_000_001 == booked(ann)


def test_the_same_reference_serves_two_wallets(ann, ben):
    credit(user=ann, amount_micros=1, kind=TOP_UP, reference="r1")
    credit(user=ben, amount_micros=1, kind=TOP_UP, reference="r1")

    assert (balance(ann), balance(ben)) == (100_000_001, 100_000_001)


def test_debit_takes_the_last_micro_and_not_one_more(ann):
    debit(user=ann, amount_micros=100_000_000, kind=CHARGE, reference="all")

    with pytest.raises(InsufficientFunds) as refusal, transaction.atomic():
        debit(user=ann, amount_micros=7, kind=CHARGE, reference="more")

    assert refusal.value.missing_micros == 7
    assert balance(ann) == 0 == booked(ann)


@pytest.mark.parametrize("amount_micros", [0, -1])
def test_credit_and_debit_refuse_amounts_that_are_not_above_zero(ann, amount_micros):
    with pytest.raises(ValueError, match="above zero"):
        credit(user=ann, amount_micros=amount_micros, kind=TOP_UP, reference="r")
    with pytest.raises(ValueError, match="above zero"):
        debit(user=ann, amount_micros=amount_micros, kind=CHARGE, reference="r")

    assert balance(ann) == 100_000_000


def test_adjust_needs_a_note_and_shows_who_did_it(ann, sam):
    with pytest.raises(ValueError, match="note"):
        adjust(user=ann, amount_micros=5, note="  ", actor=sam, reference="a1")
    entry = adjust(user=ann, amount_micros=-5, note="typed wrong", actor=sam, reference="a1")

    assert entry.created_by == sam
    assert balance(ann) == 99_999_995 == booked(ann)


def test_ledger_rows_are_neither_edited_nor_deleted(ann):
    entry = credit(user=ann, amount_micros=1, kind=TOP_UP, reference="r1")

    for tampering in (entry.save, entry.delete, LedgerEntry.objects.all().delete):
        with pytest.raises(LedgerIsAppendOnly):
            tampering()
    with pytest.raises(LedgerIsAppendOnly):
        LedgerEntry.objects.update(amount_micros=2)
    assert LedgerEntry.objects.get(pk=entry.pk).amount_micros == 1


def test_the_database_itself_refuses_an_edited_ledger_row(ann):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE wallet_ledgerentry SET amount_micros = 1")

    assert booked(ann) == 100_000_000


def test_the_database_itself_refuses_a_negative_balance(ann):
    with pytest.raises(IntegrityError), transaction.atomic():
        Wallet.objects.filter(user=ann).update(balance_micros=-1)


@pytest.mark.django_db(transaction=True)
def test_debit_from_many_threads_never_spends_more_than_there_is():
    user = customer("race@example.com", money="1.00")

    def spend(number: int) -> bool:
        try:
            debit(user=user, amount_micros=300_000, kind=CHARGE, reference=f"tab {number}")
        except InsufficientFunds:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        paid = list(threads.map(spend, range(12)))

    assert sum(paid) == 3
    assert balance(user) == 100_000 == booked(user)


@pytest.mark.django_db(transaction=True)
def test_credit_from_many_threads_with_one_reference_pays_once():
    user = customer("race@example.com", money="1.00")

    def pay(_number: int) -> bool:
        try:
            credit(user=user, amount_micros=500_000, kind=TOP_UP, reference="payment 1")
        except AlreadyBooked:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        paid = list(threads.map(pay, range(8)))

    assert sum(paid) == 1
    assert balance(user) == 1_500_000 == booked(user)


@pytest.mark.django_db(transaction=True)
def test_wallet_of_opens_one_wallet_even_when_asked_twice_at_once(transactional_db):
    from accounts.models import User

    user = User.objects.create_user("new@example.com", "correct horse battery")

    def open_wallet(_number: int) -> int:
        try:
            return wallet_of(user).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        wallets = set(threads.map(open_wallet, range(4)))

    assert len(wallets) == 1
