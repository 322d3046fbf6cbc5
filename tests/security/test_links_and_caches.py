"""Links in mails lead to the shop; no cache keeps what a customer sees; keys see no more than they may."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.keys.api_keys import create_api_key, rotate_api_key
from accounts.models import ApiKey
from notifications.models import Letter
from tests.api import world
from tests.conftest import PASSWORD
from tests.pages import page_words
from tests.security.delivered import LINE, deliver
from tests.security.signing_in import letters_to, sign_in
from tests.support.documents.terms import ticked

pytestmark = pytest.mark.django_db
EVIL = "evil.example.net"


# --- Links ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def any_host(settings):
    """A shop that answers to whatever it is called, as behind a proxy that does not look."""
    settings.ALLOWED_HOSTS = ["*"]


def ask_for_mail(what, ann, client):
    fresh = {
        "email": "new@example.com",
        "password1": "a fine long secret",
        "password2": "a fine long secret",
    } | ticked()
    if what == "reset":
        client.post(reverse("account_reset_password"), {"email": ann.email}, HTTP_HOST=EVIL)
    elif what == "reset of nobody's":
        client.post(reverse("account_reset_password"), {"email": "new@example.com"}, HTTP_HOST=EVIL)
    elif what == "sign-up":
        client.post(reverse("account_signup"), fresh, HTTP_HOST=EVIL)
    elif what == "sign-up again":
        client.post(reverse("account_signup"), fresh | {"email": ann.email}, HTTP_HOST=EVIL)
    else:
        client.force_login(ann)
        client.post(reverse("account_email"), {"action_add": "", "email": "new@example.com"}, HTTP_HOST=EVIL)


@pytest.mark.parametrize("what", ["reset", "reset of nobody's", "sign-up", "sign-up again", "another address"])
def test_links_in_mails_lead_to_the_shop_whatever_the_request_calls_it(what, ann, client, any_host):
    ask_for_mail(what, ann, client)

    texts = [text for address in (ann.email, "new@example.com") for text in letters_to(address)]
    assert texts
    assert not any(EVIL in text for text in texts)
    assert all("http://testserver" in text for text in texts)


def test_an_app_of_codes_and_a_passkey_know_the_shop_by_its_settings(ann, client, any_host, settings):
    client.force_login(ann)

    app = client.get(reverse("mfa_activate_totp"), HTTP_HOST=EVIL).content.decode()
    passkey = client.get(reverse("mfa_add_webauthn"), HTTP_HOST=EVIL).content.decode()

    assert EVIL not in app
    assert '"id": "testserver"' in passkey
    assert f'"name": "{settings.STORE_NAME}"' in passkey


# --- Caches -----------------------------------------------------------------------------------------------------------
def addresses(patterns=None, prefix=""):
    """Every address of the shop that takes no parts, the admin's included."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from addresses(pattern.url_patterns, space)
        elif isinstance(pattern, URLPattern) and pattern.name:
            try:
                yield reverse(f"{prefix}{pattern.name}")
            except NoReverseMatch:
                continue


def test_no_page_of_somebody_signed_in_may_be_kept_by_a_cache(sam):
    client = Client()
    client.raise_request_exception = False
    told = {}
    for address in sorted(set(addresses())):
        if address.startswith("/api/v2") or address == reverse("account_logout"):
            continue
        if "_auth_user_id" not in client.session:  # some pages end it
            client.force_login(sam)
        told[address] = client.get(address).get("Cache-Control", "")

    assert len(told) > 60
    assert {address: kept for address, kept in told.items() if "no-store" not in kept or "private" not in kept} == {}


def test_pages_with_parts_are_not_kept_either(ann, service):
    client = Client()
    client.force_login(ann)
    order = deliver(ann, service)
    pages = [
        reverse("orders:detail", args=[order.pk]),
        reverse("orders:place", args=[service.pk]),
        reverse("api:key", args=[create_api_key(user=ann, name="mine")[0].pk]),
        "/nowhere/",
    ]

    for page in pages:
        assert "no-store" in client.get(page)["Cache-Control"], page
    assert "no-store" in client.post(reverse("orders:goods", args=[order.pk]))["Cache-Control"]


def test_a_page_for_everybody_may_still_be_shared_by_visitors(client):
    assert "no-store" not in client.get(reverse("home")).get("Cache-Control", "")


def test_the_answer_that_signs_in_is_not_kept(client, ann):
    assert "no-store" in sign_in(client, ann)["Cache-Control"]


# --- Keys and secrets -------------------------------------------------------------------------------------------------
def call(client, text, action, **params):
    return client.post("/api/v2", {"key": text, "action": action, **params}).json()


@pytest.fixture
def documents_shop(ann, settings):
    """The shop of the API's document: Ann has had goods and a code."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    world.build_world(ann)


def key_of_the_form(client, ann, **ticked):
    client.force_login(ann)
    page = client.post(reverse("api:keys"), {"name": "mine", **ticked})
    [text] = set(re.findall(r"live_[0-9a-f]{64}", page.content.decode()))
    return text


def test_a_new_key_that_reads_sees_no_goods_unless_that_is_ticked(client, ann, service):
    order = deliver(ann, service)
    blind = key_of_the_form(client, ann, may_read="on")
    seeing = key_of_the_form(client, ann, may_read="on", may_see_secrets="on")

    for params in ({"order": order.pk}, {"orders": f"{order.pk}"}):
        without, with_goods = (str(call(client, text, "status", **params)) for text in (blind, seeing))
        assert (LINE in without, LINE in with_goods) == (False, True)
    assert "may see delivered goods and codes" in page_words(client.get(reverse("api:keys"))).lower()


def test_a_key_without_the_scope_sees_no_code(client, ann, documents_shop):
    blind = create_api_key(user=ann, name="blind", may_see_secrets=False)[1]
    seeing = create_api_key(user=ann, name="seeing")[1]
    order = world.NUMBER

    assert call(client, seeing, "sms_code", order=order)["code"] == "123456"
    assert call(client, seeing, "sms_status", order=order)["sms_content"] == "Your verification code is 123456"
    assert call(client, blind, "sms_code", order=order) == {"error": "This key may not see delivered goods and codes"}
    told = call(client, blind, "sms_status", order=order)
    assert (told["status"], told["code"], "verification" in str(told)) == ("code_received", None, False)


def test_a_test_key_plays_the_scope_as_well(client, ann, documents_shop):
    blind = create_api_key(user=ann, name="blind", is_test=True, may_see_secrets=False)[1]

    made = call(client, blind, "add_sms", project_id=world.PROJECT)
    order = made["orders"][0]["order"]

    assert call(client, blind, "sms_code", order=order)["error"] == "This key may not see delivered goods and codes"
    assert call(client, blind, "sms_status", order=order)["code"] is None


def test_a_rotated_key_sees_no_more_than_the_one_before(ann):
    blind, _text = create_api_key(user=ann, name="blind", may_see_secrets=False)

    new, _text = rotate_api_key(blind.pk, keep_old_for=timedelta(0))

    assert not new.may_see_secrets


def test_keys_from_before_the_scope_and_keys_that_buy_see_what_they_bought(ann):
    create_api_key(user=ann, name="reads", may_order=False, may_sms=False)
    create_api_key(user=ann, name="buys")
    column = ApiKey._meta.get_field("may_see_secrets")

    assert dict(ApiKey.objects.values_list("name", "may_see_secrets")) == {"reads": False, "buys": True}
    assert column.db_default is True  # what the rows of before, and of a version that knows no scope, get


def test_the_console_asks_for_the_password_before_it_shows_goods(ann, service):
    order = deliver(ann, service)
    thief = Client()
    sign_in(thief, ann)
    asked = {"action": "status", "order": order.pk}

    refused = thief.post(reverse("api:console"), asked)
    assert refused["Location"].startswith("/accounts/reauthenticate/")
    thief.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": reverse("api:console")})

    assert LINE in page_words(thief.post(reverse("api:console"), asked))
    assert "were opened" in letters_to(ann.email)[0]
    assert Letter.objects.count() == 0
