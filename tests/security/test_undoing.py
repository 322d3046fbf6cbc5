"""What a thief prepared before taking the address does not outlive that the owner puts it back."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import prepare_api_key
from accounts.models import ApiKey
from tests.conftest import PASSWORD
from tests.pages import page_words
from tests.security.factors import passkey
from tests.security.signing_in import KEY, REAUTHENTICATE, link_in
from tests.security.test_stolen_session import take_address

pytestmark = pytest.mark.django_db
BUYS = {**KEY, "may_order": "on"}


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
    owners = passkey(ann)
    Authenticator.objects.filter(pk=owners.pk).update(created_at=timezone.now() - timedelta(days=4))
    passkey(ann)

    letters = take_address(thief, ann)
    [letter] = [text for text in letters if "/undo/" in text]
    page = page_words(Client().get(link_in(letter)))
    undo(letters)

    assert list(Authenticator.objects.all()) == [owners]
    assert "set up since three days before the change" in page
