"""What a thief prepared before taking the address does not outlive that the owner puts it back."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys import api_keys
from accounts.keys.api_keys import prepare_api_key
from accounts.models import ApiKey, EmailChange
from tests.conftest import PASSWORD
from tests.pages import page_words
from tests.security.factors import passkey
from tests.security.signing_in import KEY, REAUTHENTICATE, letters_to, link_in, sign_in
from tests.security.test_stolen_session import take_address

pytestmark = pytest.mark.django_db
BUYS = {**KEY, "may_order": "on"}
NEW = "quite another secret"


def confirmed(thief) -> None:
    thief.post(REAUTHENTICATE, {"password": PASSWORD, "next": reverse("account")})


def undo(letters: list[str]) -> None:
    [letter] = [text for text in letters if "/undo/" in text]
    assert Client().post(link_in(letter)).status_code == 302


def opens(text: str) -> bool:
    return "balance" in Client().post(reverse("api:v2"), {"key": text, "action": "balance"}).json()


def test_a_key_made_a_minute_before_the_address_was_taken_stops(thief, ann):
    confirmed(thief)
    text = thief.post(reverse("api:keys"), BUYS).context["text"]
    assert opens(text)

    undo(take_address(thief, ann))

    assert not opens(text)


def test_a_key_of_long_ago_that_the_thief_has_had_shown_stops(thief, ann):
    key = prepare_api_key(user=ann, name="by staff", may_read=True, may_order=True)
    ApiKey.objects.update(created_at=timezone.now() - timedelta(days=30))
    letters = take_address(thief, ann)
    text = thief.post(reverse("api:key_show", args=[key.pk])).context["text"]
    assert opens(text)

    undo(letters)

    assert not opens(text)


def test_a_passkey_added_before_the_address_was_taken_goes_and_the_owners_stays(thief, ann):
    """With a passkey somebody signs in without a password: the account would be theirs whatever its address is."""
    letters = take_address(thief, ann)
    owners = passkey(ann)
    for factor, age in ((owners, timedelta(days=4)), (passkey(ann), timedelta(hours=1))):
        Authenticator.objects.filter(pk=factor.pk).update(created_at=timezone.now() - age)
    [letter] = [text for text in letters if "/undo/" in text]
    page = page_words(Client().get(link_in(letter)))
    undo(letters)

    assert list(Authenticator.objects.all()) == [owners]
    assert "set up since three days before the change" in page


# --- The way back that the owner takes by hand ------------------------------------------------------------------------
@pytest.fixture
def owner(thief, ann):
    """Ann's own browser; a thief took her address an hour ago, and she has made hers the account's again."""
    browser = Client()
    sign_in(browser, ann)
    take_address(thief, ann)
    EmailChange.objects.update(changed_at=timezone.now() - timedelta(hours=1))
    browser.post(REAUTHENTICATE, {"password": PASSWORD, "next": reverse("account_email")})
    browser.post(reverse("account_email"), {"action_primary": "", "email": "ann@example.com"})
    ann.refresh_from_db()
    assert ann.email == "ann@example.com"
    return browser


def test_no_link_lets_a_thief_undo_that_the_owner_took_the_address_back(owner, ann):
    """It would outlive the owner's own by that hour, and whoever has it chooses the password."""
    to_thief = letters_to("thief@example.com")
    assert any("to ann@example.com" in text for text in to_thief)

    assert not any("/undo/" in text for text in to_thief)


def test_the_owner_removes_the_thiefs_address_which_hears_of_nothing_more(owner, ann):
    """While it stays, the thief has a new password mailed there."""
    letters_to("thief@example.com")
    mail.outbox.clear()

    owner.post(reverse("account_email"), {"action_remove": "", "email": "thief@example.com"})

    assert [row.email for row in EmailAddress.objects.filter(user=ann)] == ["ann@example.com"]
    Client().post(reverse("account_reset_password"), {"email": "thief@example.com"})
    assert not any("/password/reset/key/" in text or "removed" in text for text in letters_to("thief@example.com"))
    assert any("removed" in text for text in letters_to("ann@example.com"))


def test_the_owners_own_link_goes_on_working(owner, ann):
    [link] = {link_in(text) for text in letters_to("ann@example.com") if "/undo/" in text}

    assert owner.post(link).status_code == 302
    assert [row.email for row in EmailAddress.objects.filter(user=ann)] == ["ann@example.com"]


# --- What was under way -----------------------------------------------------------------------------------------------
def test_a_key_that_was_being_made_while_the_address_was_put_back_stops(thief, ann, monkeypatch):
    """Whoever posts without a pause has a request waiting for the account's row at that moment."""
    [letter] = take_address(thief, ann)
    browser, as_ever, led = Client(), api_keys._lock, []

    def put_back_meanwhile(user_id: int) -> None:
        led.extend(browser.post(link_in(letter), follow=True).redirect_chain)
        as_ever(user_id)

    with monkeypatch.context() as interleaved:
        interleaved.setattr(api_keys, "_lock", put_back_meanwhile)
        page = page_words(thief.post(reverse("api:keys"), BUYS))
    [text] = set(re.findall(r"live_[0-9a-f]{64}", page))
    passkey(ann)
    assert opens(text)

    browser.post(led[-1][0], {"password1": NEW, "password2": NEW})

    assert not opens(text)
    assert not Authenticator.objects.exists()
    ann.refresh_from_db()
    assert sign_in(browser, ann, password=NEW).status_code == 302


def test_what_the_owner_makes_afterwards_outlives_another_new_password(thief, ann):
    [letter] = take_address(thief, ann)
    browser = Client()
    form = browser.post(link_in(letter), follow=True).redirect_chain[-1][0]
    browser.post(form, {"password1": NEW, "password2": NEW})
    ann.refresh_from_db()
    sign_in(browser, ann, password=NEW)
    browser.post(REAUTHENTICATE, {"password": NEW, "next": reverse("account")})
    text = browser.post(reverse("api:keys"), BUYS).context["text"]

    browser.post(reverse("account_reset_password"), {"email": ann.email})
    [link] = {link_in(one) for one in letters_to("ann@example.com") if "/password/reset/key/" in one}
    form = Client().get(link, follow=True)
    form.client.post(form.redirect_chain[-1][0], {"password1": "yet another secret", "password2": "yet another secret"})

    ann.refresh_from_db()
    assert ann.check_password("yet another secret")
    assert opens(text)
