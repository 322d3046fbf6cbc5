"""Any interleaving of what moves money keeps the balance equal to its ledger, and never below zero."""

from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import customer
from wallet.models import LedgerEntry, Wallet
from wallet.operations import AlreadyBooked, InsufficientFunds, adjust, credit, debit

pytestmark = pytest.mark.sqlite

# Few references, so that repeats are frequent; few customers, so that both have the same ones.
REFERENCES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
MOVES = st.lists(
    st.tuples(
        st.sampled_from(["credit", "debit", "adjust", "adjust down"]),
        st.sampled_from([0, 1]),
        st.integers(-1, 4),  # small, so that the last micro is often at stake
        REFERENCES,
        st.booleans(),
    ),
    max_size=25,
)


class ModelWallet:
    """What is booked, by reference."""

    def __init__(self) -> None:
        self.booked: dict[str, int] = {}

    @property
    def balance(self) -> int:
        return sum(self.booked.values())

    def expect(self, signed_micros: int, reference: str, *, above_zero: int) -> type[Exception] | None:
        """Return what the operation should raise, or book it."""
        if above_zero <= 0:
            return ValueError
        if self.balance + signed_micros < 0:
            return InsufficientFunds
        if reference in self.booked:
            return AlreadyBooked
        self.booked[reference] = signed_micros
        return None


def move(what: str, user: Any, micros: int, reference: str) -> None:
    if what == "credit":
        credit(user=user, amount_micros=micros, kind=LedgerEntry.Kind.TOP_UP, reference=reference)
    elif what == "debit":
        debit(user=user, amount_micros=micros, kind=LedgerEntry.Kind.CHARGE, reference=reference)
    else:
        signed = -micros if what == "adjust down" else micros
        adjust(user=user, amount_micros=signed, note="by hand", actor=None, reference=reference)


def attempt(model: ModelWallet, what: str, user: Any, micros: int, reference: str) -> None:
    """Do it once and compare how it ended."""
    takes = what in ("debit", "adjust down")
    signed = -micros if takes else micros
    # An adjustment may go either way; only zero is none.
    above_zero = abs(micros) if what.startswith("adjust") else micros
    expected = model.expect(signed, reference, above_zero=above_zero)
    if expected is None:
        move(what, user, micros, reference)
    else:
        with pytest.raises(expected):
            move(what, user, micros, reference)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(moves=MOVES)
def test_moving_money_in_any_order_keeps_balance_and_ledger_equal_and_never_below_zero(moves):
    with transaction.atomic():
        users = [customer("ann@example.com"), customer("ben@example.com")]
        models = [ModelWallet(), ModelWallet()]

        for what, who, micros, reference, undone in moves:
            try:
                with transaction.atomic():
                    before = dict(models[who].booked)
                    attempt(models[who], what, users[who], micros, reference)
                    if undone:  # the caller's transaction fails after it: the money has not moved
                        raise InterruptedError
            except InterruptedError:
                models[who].booked = before
            for user, model in zip(users, models, strict=True):
                entries = LedgerEntry.objects.filter(wallet__user=user)
                booked = dict(entries.values_list("reference", "amount_micros"))
                wallet = Wallet.objects.filter(user=user).first()
                assert booked == model.booked
                assert (wallet.balance_micros if wallet else 0) == model.balance >= 0
                assert (entries.aggregate(total=Sum("amount_micros"))["total"] or 0) == model.balance

        transaction.set_rollback(True)
