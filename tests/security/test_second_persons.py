"""Attack: whoever may take people on makes their own second person, or becomes one of their colleagues."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.rights import FINANCE, OWNER
from accounts.trail import record
from tests.conftest import customer
from tests.security.staff import at_the_admin, in_role
from tests.wallet.by_hand import balance
from wallet.models import MoneyRequest, Wallet

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}
REFUSED = "Somebody else has to decide"


@pytest.fixture
def olga(db: None, settings: Any) -> User:
    settings.ADJUST_APPROVAL_MICROS = 1_000_000
    return in_role("olga@example.com", OWNER)


@pytest.fixture
def desk(olga: User) -> Client:
    return at_the_admin(olga)


def ask(desk: Client, whose: User) -> str:
    """Ask for more than one may move; return what the page says."""
    form = {"amount": "900000", "note": "Goodwill", "request_id": "0d7a2f0e-5a4e-4c3b-9a39-2f6f4f0e8f11"}
    page = reverse("admin:wallet_wallet_adjust", args=[Wallet.objects.get(user=whose).pk])
    return desk.post(page, {**SUBMITTED, **form}, follow=True).content.decode()


def approve(who: User) -> str:
    page = reverse("admin:wallet_moneyrequest_approve", args=[MoneyRequest.objects.get().pk])
    return at_the_admin(User.objects.get(pk=who.pk)).post(page, SUBMITTED, follow=True).content.decode()


def hire(desk: Client, email: str) -> User:
    """Take somebody on at the admin: their account, then what they may do."""
    desk.post(reverse("admin:accounts_user_add"), {"email": email})
    user = User.objects.get(email=email)
    form = {"email": email, "is_active": "on", "is_staff": "on", "groups": [Group.objects.get(name=FINANCE).pk]}
    assert desk.post(reverse("admin:accounts_user_change", args=[user.pk]), form).status_code == 302
    return user


def test_whoever_was_taken_on_by_who_asks_is_no_second_person(desk: Client, ann: User) -> None:
    before, sock = balance(ann), hire(desk, "sock@example.com")

    said = ask(desk, ann)

    assert "sock@example.com" not in said.partition("These people can")[2][:200]
    assert REFUSED in approve(sock)
    assert (balance(ann), MoneyRequest.objects.get().state) == (before, MoneyRequest.State.WAITING)
    assert "Approved and booked" in approve(in_role("fred@example.com", FINANCE))


def test_whoever_took_on_who_asks_or_both_is_no_second_person(desk: Client, olga: User, ann: User) -> None:
    before = balance(ann)
    one, other = hire(desk, "one@example.com"), hire(desk, "other@example.com")

    ask(at_the_admin(User.objects.get(pk=one.pk)), ann)

    assert REFUSED in approve(other)
    olga.groups.add(Group.objects.get(name=FINANCE))
    assert REFUSED in approve(olga)
    assert balance(ann) == before


def test_support_that_switched_the_same_customer_off_and_on_is_no_one_person(
    desk: Client, olga: User, ann: User
) -> None:
    fred = in_role("fred@example.com", FINANCE)
    for staff in (olga, fred):
        record("rights", actor=staff, target=ann, after={"is_active": False})

    ask(desk, ann)

    assert "Approved and booked" in approve(fred)


def test_a_colleague_whose_address_who_asks_has_changed_is_no_second_person(desk: Client, ann: User) -> None:
    fred = in_role("fred@example.com", FINANCE)
    groups = list(fred.groups.values_list("pk", flat=True))
    form = {"email": "fred@olga.example.com", "is_active": "on", "is_staff": "on", "groups": groups}
    assert desk.post(reverse("admin:accounts_user_change", args=[fred.pk]), form).status_code == 302

    ask(desk, ann)

    assert REFUSED in approve(fred)


def test_a_colleague_whose_factor_who_asks_has_removed_is_no_second_person(ann: User, sam: User, olga: User) -> None:
    fred = in_role("fred@example.com", FINANCE)
    record("factors", actor=sam, target=fred, after={"removed": ["totp"]})

    ask(at_the_admin(sam), ann)

    assert REFUSED in approve(fred)


def test_whoever_was_taken_on_longer_ago_or_by_somebody_else_is_one(desk: Client, olga: User, ann: User) -> None:
    old = in_role("fred@example.com", FINANCE)
    record("rights", actor=olga, target=old, after={"is_staff": True}, now=timezone.now() - timedelta(days=7, hours=1))
    record("rights", actor=customer("pat@example.com", is_staff=True), target=old, after={"is_staff": True})

    ask(desk, ann)

    assert "Approved and booked" in approve(old)
