"""The account's pages of API keys: a key is shown once, and every page is its owner's alone."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key, find_api_key, prepare_api_key
from accounts.models import ApiKey, User
from api.models import SimulatedWallet
from tests.accounts.opening import opens
from tests.pages import page_words

pytestmark = pytest.mark.django_db
FORM = {"name": "robot", "may_read": "on", "may_order": "on", "daily_limit_micros": "5.50", "allowed_addresses": ""}


@pytest.fixture
def browser(ann: User, client: Client) -> Client:
    client.force_login(ann)
    return client


def key_in(page: str) -> str:
    [text] = set(re.findall(r"(?:live|test)_[0-9a-f]{64}", page))
    return text


def test_keys_when_one_is_made_then_it_is_shown_once_with_its_powers(browser: Client, ann: User) -> None:
    answer = browser.post(reverse("api:keys"), FORM)

    text = key_in(answer.content.decode())
    key = find_api_key(text, address="203.0.113.9")
    assert (key.user, key.name, key.may_order, key.may_sms, key.daily_limit_micros) == (
        ann,
        "robot",
        True,
        False,
        5_500_000,
    )
    assert "no-store" in answer["Cache-Control"]
    for page in (reverse("api:keys"), reverse("api:key", args=[key.pk])):
        shown = browser.get(page).content.decode()
        assert (text in shown, f"{text[:12]}…" in shown) == (False, True)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": " "}, "This field is required."),
        ({"allowed_addresses": "10.0.0.0/33"}, "10.0.0.0/33 is not an address or a network"),
        ({"daily_limit_micros": "-1"}, "The limit can't be negative."),
    ],
)
def test_keys_when_the_form_is_wrong_then_it_says_so_and_nothing_is_made(
    browser: Client, changed: dict, error: str
) -> None:
    page = page_words(browser.post(reverse("api:keys"), {**FORM, **changed}))

    assert error in page
    assert ApiKey.objects.count() == 0


def test_keys_when_there_are_too_many_then_the_page_says_so(browser: Client, ann: User, settings) -> None:
    settings.API_MAX_KEYS = 1
    create_api_key(user=ann, name="first")

    page = browser.post(reverse("api:keys"), FORM).content.decode()

    assert "You have 1 keys" in page
    assert ApiKey.objects.count() == 1


def test_key_when_changed_then_it_counts_at_once_and_calls_a_minute_stay_staffs(browser: Client, ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")
    form = {**FORM, "name": "shop", "allowed_addresses": "203.0.113.0/24", "calls_per_minute": "9999"}

    browser.post(reverse("api:key", args=[key.pk]), form)

    key.refresh_from_db()
    assert (key.name, key.may_sms, key.allowed_addresses) == ("shop", False, "203.0.113.0/24")
    assert key.calls_per_minute is None
    assert opens(text)


@pytest.mark.parametrize(("keep", "still"), [("", False), ("?keep=day", True)])
def test_rotate_when_confirmed_then_the_new_one_is_shown_and_the_old_one_ends_as_chosen(
    browser: Client, ann: User, keep: str, still: bool
) -> None:
    key, old = create_api_key(user=ann, name="robot")

    new = key_in(browser.post(reverse("api:key_rotate", args=[key.pk]) + keep).content.decode())

    assert (opens(new), opens(old)) == (True, still)


def test_revoke_when_confirmed_then_the_key_stops_and_stays_on_the_list(browser: Client, ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")

    page = browser.post(reverse("api:key_revoke", args=[key.pk]), follow=True).content.decode()

    assert not opens(text)
    assert "Inactive keys" in page
    assert browser.get(reverse("api:key", args=[key.pk])).status_code == 200


def test_show_when_staff_made_the_key_then_its_customer_sees_it_once(browser: Client, ann: User) -> None:
    key = prepare_api_key(user=ann, name="robot")
    address = reverse("api:key_show", args=[key.pk])

    text = key_in(browser.post(address).content.decode())
    again = browser.post(address, follow=True).content.decode()

    assert find_api_key(text, address=None).pk == key.pk
    assert "has already been shown" in again


def test_pages_when_the_key_is_anothers_then_they_are_not_found(browser: Client, ben: User) -> None:
    key, text = create_api_key(user=ben, name="robot")

    for name in ("key", "key_show", "key_rotate", "key_revoke"):
        assert browser.post(reverse(f"api:{name}", args=[key.pk]), FORM).status_code == 404
    assert opens(text)
    key.refresh_from_db()
    assert (key.name, key.expires_at) == ("robot", None)


def test_pages_when_nobody_is_signed_in_then_they_lead_to_sign_in(client: Client, ann: User) -> None:
    key, _text = create_api_key(user=ann, name="robot")

    for address in (reverse("api:keys"), reverse("api:key", args=[key.pk]), reverse("api:test_wallet_fill")):
        assert client.get(address).status_code == 302


def test_fill_when_the_test_money_is_spent_then_there_is_some_again(browser: Client, ann: User) -> None:
    create_api_key(user=ann, name="try", is_test=True)
    assert "Test money: $1,000.00" in browser.get(reverse("api:keys")).content.decode()
    SimulatedWallet.objects.update(balance_micros=0)

    browser.post(reverse("api:test_wallet_fill"))

    assert SimulatedWallet.objects.get().balance_micros == 1_000_000_000


def test_keys_when_there_are_more_then_the_number_of_queries_stays(
    browser: Client, ann: User, django_assert_num_queries
) -> None:
    create_api_key(user=ann, name="robot")
    browser.get(reverse("api:keys"))
    with django_assert_num_queries(5):
        browser.get(reverse("api:keys"))
    for number in range(3):
        create_api_key(user=ann, name=f"robot {number}", expires_at=timezone.now())

    with django_assert_num_queries(5):
        browser.get(reverse("api:keys"))
