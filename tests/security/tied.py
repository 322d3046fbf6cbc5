"""Sam at the admin, and whom he is tied to: himself, whom he brought to the shop, who brought him."""

import pytest
from django.test import Client

from accounts.models import User
from tests.conftest import customer
from wallet.models import LedgerEntry
from wallet.operations import credit

OWN = "This is about your own money: somebody else has to do it."
TIED = "One of you brought the other to this shop: somebody else has to do it."
each_tie = pytest.mark.parametrize("tie", ["themselves", "brought", "bringer"])


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(sam: User) -> Client:
    """Sam at the admin, who may do everything."""
    return browser(sam)


@pytest.fixture
def tied(sam: User, tie: str) -> User:
    """Sam, or whom he brought, or who brought him; with 100.00 in the wallet."""
    if tie == "themselves":
        reference = "credit:first money"
        credit(user=sam, amount_micros=100_000_000, kind=LedgerEntry.Kind.ADJUSTMENT, reference=reference, note="2026")
        return sam
    if tie == "brought":
        return customer("friend@example.com", money="100.00", referred_by=sam)
    bringer = customer("bringer@example.com", money="100.00")
    User.objects.filter(pk=sam.pk).update(referred_by=bringer)
    return bringer
