"""Who referred whom: a link, a signed cookie, and a sign-up that settles it once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.signing import get_cookie_signer
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.sign_up import referrals
from accounts.sign_up.referrals import COOKIE, SALT, referral_code_of
from tests.conftest import PASSWORD
from tests.support.documents.terms import ticked

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    """Referring customers earns something."""
    settings.REFERRAL_PERCENT = Decimal(10)


def follow(browser: Client, code: str) -> Any:
    return browser.get(reverse("ref", args=[code]))


def sign_up(browser: Client, email: str = "new@example.com") -> User:
    browser.post(reverse("account_signup"), {"email": email, "password1": PASSWORD, "password2": PASSWORD} | ticked())
    return User.objects.get(email=email)


def test_referral_code_is_made_once_and_differs_between_customers(ann: User, ben: User) -> None:
    code = referral_code_of(ann)

    assert referral_code_of(User.objects.get(pk=ann.pk)) == code != referral_code_of(ben)
    assert (len(code), ann.referral_code) == (10, code)


def test_referral_code_that_somebody_has_is_made_anew(ann: User, ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = referral_code_of(ann)
    codes = iter([taken, "FRESHCODE2"])
    monkeypatch.setattr(referrals, "new_referral_code", lambda: next(codes))  # chance, made certain

    assert referral_code_of(ben) == "FRESHCODE2"


def test_link_leads_to_the_front_page_and_whoever_signs_up_then_was_referred(client: Client, ann: User) -> None:
    answer = follow(client, referral_code_of(ann).lower())

    assert answer["Location"] == reverse("home")
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 30 * 24 * 3600)
    assert "no-store" in answer["Cache-Control"]
    assert sign_up(client).referred_by == ann


def test_link_of_the_last_one_followed_counts(client: Client, ann: User, ben: User) -> None:
    for user in (ann, ben):
        follow(client, referral_code_of(user))
    follow(client, "NOSUCHCODE")

    assert sign_up(client).referred_by == ben


@pytest.mark.parametrize("code", ["NOSUCHCODE", "x" * 300, "é", "\x00", "%00", "' OR 1=1"])
def test_link_with_an_unknown_code_leads_to_the_front_page_and_remembers_nothing(client: Client, code: str) -> None:
    answer = follow(client, code)

    assert (answer.status_code, answer["Location"]) == (302, reverse("home"))
    assert COOKIE not in answer.cookies
    assert sign_up(client).referred_by is None


def test_link_while_it_earns_nothing_or_of_somebody_disabled_remembers_nothing(
    client: Client, ann: User, settings: Any
) -> None:
    code = referral_code_of(ann)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert COOKIE not in follow(client, code).cookies

    User.objects.filter(pk=ann.pk).update(is_active=True)
    settings.REFERRAL_PERCENT = Decimal(0)
    assert COOKIE not in follow(client, code).cookies


def test_link_followed_by_somebody_who_has_an_account_changes_nothing(client: Client, ann: User, ben: User) -> None:
    client.force_login(ben)

    assert COOKIE not in follow(client, referral_code_of(ann)).cookies
    ben.refresh_from_db()
    assert ben.referred_by is None


def test_link_followed_before_signing_in_refers_nobody_later(client: Client, ann: User, ben: User) -> None:
    follow(client, referral_code_of(ann))

    client.post(reverse("account_login"), {"login": ben.email, "password": PASSWORD})

    ben.refresh_from_db()
    assert ben.referred_by is None


def test_link_of_ones_own_refers_nobody_and_the_database_refuses_it(client: Client, ann: User) -> None:
    follow(client, referral_code_of(ann))
    client.post(reverse("account_login"), {"login": ann.email, "password": PASSWORD})

    ann.refresh_from_db()
    assert ann.referred_by is None
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=ann.pk).update(referred_by=ann)


def test_sign_up_with_a_cookie_that_nobody_signed_was_not_referred(client: Client, ann: User) -> None:
    code = referral_code_of(ann)
    for forged in (code, f"{code}:x:y", get_cookie_signer(salt="other").sign(code)):
        client.cookies[COOKIE] = forged

        assert sign_up(client, f"{len(forged)}@example.com").referred_by is None
        client.logout()


@pytest.mark.parametrize(("days", "referred"), [(29, True), (31, False)])
def test_sign_up_some_days_after_the_link_counts_for_thirty(
    client: Client, ann: User, monkeypatch: pytest.MonkeyPatch, days: int, referred: bool
) -> None:
    signer = get_cookie_signer(salt=COOKIE + SALT)
    long_ago = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    with monkeypatch.context() as past:
        past.setattr("django.core.signing.time.time", lambda: long_ago)
        client.cookies[COOKIE] = signer.sign(referral_code_of(ann))

    assert sign_up(client).referred_by == (ann if referred else None)


def test_customers_page_cannot_say_later_who_referred_somebody(client: Client, ann: User, ben: User, sam: User) -> None:
    client.force_login(sam)
    page = reverse("admin:accounts_user_change", args=[ben.pk])

    client.post(page, {"email": ben.email, "is_active": "on", "referred_by": ann.pk, "_save": "Save"})

    ben.refresh_from_db()
    assert ben.referred_by is None
    User.objects.filter(pk=ben.pk).update(referred_by=ann)
    assert "ann@example.com" in client.get(page).content.decode()
