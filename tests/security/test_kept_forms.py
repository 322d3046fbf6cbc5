"""A form that was posted at the admin and waits: what is kept of it, for how long, and for whom."""

import time

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from accounts.admin.fresh_sign_in import KEPT
from accounts.models import User
from tests.conftest import PASSWORD, customer
from tests.security.factors import CONFIRM, NOTHING_DONE, code, confirm_with, desk, form_of, grow_old, page_of
from tests.security.staff import their_own_groups

__all__ = ["desk"]  # the fixture
pytestmark = pytest.mark.django_db


# --- What is kept -----------------------------------------------------------------------------------------------------


def test_passwords_are_kept_nowhere(desk: Client, ann: User) -> None:
    page = reverse("admin:accounts_user_add")
    typed = {"email": "new@example.com", "password1": "a very secret thing", "password2": "a very secret thing"}

    answer = confirm_with(desk, desk.post(page, typed), code())

    assert "secret" not in str(dict(desk.session.items()))
    shown = desk.get(answer["Location"]).content.decode()
    assert 'value="new@example.com"' in shown
    assert "a very secret thing" not in shown


def test_a_form_is_kept_for_a_quarter_of_an_hour(desk: Client, ann: User) -> None:
    page = reverse("admin:auth_group_add")
    confirm_with(desk, desk.post(page, {"name": "Night shift"}), code())
    session = desk.session
    session[KEPT]["at"] = time.time() - 901
    session.save()

    shown = desk.get(page).content.decode()

    assert "Night shift" not in shown
    assert NOTHING_DONE not in shown
    assert KEPT not in desk.session


def test_a_form_that_is_too_long_to_keep_is_not_carried_out_either(desk: Client) -> None:
    page = reverse("admin:auth_group_add")

    answer = confirm_with(desk, desk.post(page, {"name": "x" * 60_000}), code())

    assert len(str(dict(desk.session.items()))) < 10_000
    assert NOTHING_DONE in desk.get(answer["Location"]).content.decode()
    assert not their_own_groups()


# --- A form that a thief has laid there -------------------------------------------------------------------------------


def test_what_a_thief_laid_into_the_session_is_not_done_when_its_owner_confirms(desk: Client, ann: User) -> None:
    desk.post(page_of(ann), form_of(ann, is_staff="on", is_superuser="on"))  # the thief, who can't confirm

    answer = desk.post(
        CONFIRM, {"code": code(), "next": reverse("account_security")}
    )  # the owner, about something else

    assert answer["Location"] == reverse("account_security")
    ann.refresh_from_db()
    assert not ann.is_staff
    assert NOTHING_DONE not in desk.get(page_of(ann)).content.decode()


def test_what_another_browser_posted_is_not_even_shown_to_who_confirms(desk: Client, ann: User) -> None:
    thief = Client()
    thief.cookies["sessionid"] = desk.cookies["sessionid"].value
    asked = thief.post(page_of(ann), form_of(ann, email="thief@example.com", is_staff="on"))

    answer = confirm_with(desk, asked, code())  # the owner, who was lured to the very same address

    shown = desk.get(answer["Location"]).content.decode()
    assert NOTHING_DONE not in shown
    assert "thief@example.com" not in shown
    ann.refresh_from_db()
    assert not ann.is_staff
    assert thief.get(page_of(ann)).status_code == 302  # the stolen key has ended


def test_a_thief_who_knows_the_password_confirms_nothing(client: Client, sam: User, ann: User) -> None:
    client.force_login(sam)
    grow_old(client)
    asked = client.post(page_of(ann), form_of(ann, is_staff="on"))

    client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": page_of(ann)})

    assert client.post(page_of(ann), form_of(ann, is_staff="on"))["Location"] == asked["Location"]
    ann.refresh_from_db()
    assert not ann.is_staff


def test_a_page_of_another_site_lays_no_form_there(sam: User, ann: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(sam)
    grow_old(browser)

    assert browser.post(page_of(ann), form_of(ann)).status_code == 403
    assert "account_reauthentication_state" not in browser.session


def test_nobody_but_staff_lays_a_form_there(client: Client, ann: User) -> None:
    client.force_login(ann)

    client.post(page_of(ann), form_of(ann))

    assert "account_reauthentication_state" not in client.session


def test_who_may_not_see_the_rows_does_not_see_them_in_what_comes_back(client: Client, ann: User) -> None:
    kim = customer("kim@example.com", is_staff=True)
    client.force_login(kim)
    grow_old(client)
    [anns] = EmailAddress.objects.filter(user=ann)
    page = reverse("admin:account_emailaddress_changelist")
    answer = confirm_with(client, client.post(page, {"action": "verify", "_selected_action": [anns.pk]}), code())

    shown = client.get(answer["Location"])

    assert shown.status_code == 403
    assert ann.email not in shown.content.decode()
