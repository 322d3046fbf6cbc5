"""What was posted before somebody confirmed who they are: carried out for the browser that posted it, and no other."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey
from api.models import Webhook
from tests.conftest import PASSWORD, second_factor
from tests.pages import page_words
from tests.security.factors import CONFIRM, code, confirm_with
from tests.security.signing_in import HOOK, KEY, REAUTHENTICATE, confirm, is_signed_in

pytestmark = pytest.mark.django_db


def test_what_was_posted_is_carried_out_once_the_password_is_typed(thief, ann):
    made = confirm(thief, thief.post(reverse("api:keys"), {**KEY, "name": "panel & co"}))

    assert "Copy it now" in page_words(made)
    assert ApiKey.objects.get().name == "panel & co"
    rotated = thief.post(reverse("api:key_rotate", args=[ApiKey.objects.get().pk]) + "?keep=day")  # still fresh
    assert "Copy it now" in page_words(rotated)


def test_a_rotation_that_keeps_the_old_key_keeps_it_after_the_password_too(thief, ann):
    key, _text = create_api_key(user=ann, name="mine")

    confirm(thief, thief.post(reverse("api:key_rotate", args=[key.pk]) + "?keep=day"))

    key.refresh_from_db()
    assert key.expires_at > timezone.now() + timedelta(hours=23)


def test_what_was_posted_is_not_carried_out_when_somebody_confirms_for_another_page(thief, ann):
    thief.post(reverse("api:keys"), KEY)

    answer = thief.post(REAUTHENTICATE, {"password": PASSWORD, "next": reverse("account")})

    assert answer["Location"] == reverse("account")
    assert ApiKey.objects.count() == 0


@pytest.mark.parametrize(
    ("page", "planted"),
    [("api:keys", KEY), ("api:webhooks", HOOK), ("account_email", {"action_add": "", "email": "thief@example.com"})],
)
def test_what_a_thief_has_posted_is_not_carried_out_when_the_owner_confirms(thief, ann, page, planted):
    owner = Client()
    owner.cookies["sessionid"] = thief.cookies["sessionid"].value  # the session is the same, and so is what it keeps
    thief.post(reverse(page), planted)

    answer = owner.post(REAUTHENTICATE, {"password": PASSWORD, "next": reverse(page)})

    assert (answer.status_code, answer["Location"]) == (302, reverse(page))
    assert ApiKey.objects.count() == Webhook.objects.count() == 0
    assert not EmailAddress.objects.filter(email="thief@example.com").exists()


def test_a_thief_is_not_fresh_when_the_owner_is(thief, ann):
    owner = Client()
    owner.cookies["sessionid"] = thief.cookies["sessionid"].value

    owner.post(REAUTHENTICATE, {"password": PASSWORD, "next": reverse("api:keys")})

    assert (is_signed_in(thief), is_signed_in(owner)) == (False, True)
    thief.post(reverse("api:keys"), KEY)
    assert ApiKey.objects.count() == 0
    assert "This browser" in page_words(owner.get(reverse("account_security")))
    assert UserSession.objects.filter(user=ann).count() == 1


def test_an_address_of_the_librarys_pages_is_added_once_the_password_is_typed(thief, ann):
    confirm(thief, thief.post(reverse("account_email"), {"action_add": "", "email": "second@example.com"}))

    assert EmailAddress.objects.filter(user=ann, email="second@example.com").exists()


def test_a_confirmation_is_over_after_ten_minutes(thief, ann):
    confirm(thief, thief.post(reverse("api:keys"), KEY))
    session = thief.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 601
    session.save()

    assert thief.post(reverse("api:keys"), KEY).status_code == 302
    assert ApiKey.objects.count() == 1


def test_whoever_has_a_second_factor_confirms_with_it_and_not_with_the_password(thief, ann):
    factor = second_factor(ann)
    create_api_key(user=ann, name="mine")
    asked = thief.post(reverse("mfa_deactivate_totp"))

    thief.post(REAUTHENTICATE, {"password": PASSWORD, "next": reverse("mfa_deactivate_totp")})
    thief.post(reverse("mfa_deactivate_totp"))
    thief.post(reverse("api:keys"), KEY)

    assert asked["Location"].startswith(CONFIRM)
    assert list(ann.authenticator_set.all()) == [factor]
    assert ApiKey.objects.count() == 1
    assert confirm_with(thief, thief.post(reverse("api:keys"), KEY), code()).status_code == 200
    assert ApiKey.objects.count() == 2


def test_the_old_password_alone_changes_no_password_where_there_is_a_second_factor(thief, ann):
    second_factor(ann)
    page, words = reverse("account_change_password"), "quite another secret"
    new = {"oldpassword": PASSWORD, "password1": words, "password2": words}

    asked = [thief.get(page), thief.post(page, new)]

    assert [answer["Location"].partition("?")[0] for answer in asked] == [CONFIRM, CONFIRM]
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    confirm_with(thief, asked[0], code())
    thief.post(page, new)
    ann.refresh_from_db()
    assert ann.check_password(words)
