"""Everything that the shop shows or sends wears its face, at once where it was changed and soon in every process."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.letters import send_letters
from orders.placing.refusals import OrderRefused
from preferences.change import change_preferences
from preferences.face import ACCENT, HEADLINE, LANGUAGES, LEAD, LOGO, OTHER_CONTACT, STORE_NAME, SUPPORT_EMAIL
from preferences.kinds import Drawing, Words
from preferences.registry import Preference
from preferences.stored import PROCESS_SECONDS
from sms.models import Country, Project
from sms.operations import buy_numbers
from sms.preferences import NUMBERS_ON_SALE
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import customer
from tests.pages import page_words
from tests.preferences.known import no_preferences
from tests.preferences.processes import asked
from tests.security.staff import at_the_admin
from tests.storefront.admin_rows import make_rows
from tests.support.told import nothing_told
from tests.workers import database_url

DRAWING = Drawing("a" * 64, 320, 96)
RUSSIAN = {"accept-language": "ru"}


def prefer(preference: Preference[Any], value: Any) -> None:
    change_preferences({preference: value}, actor_id=None, actor="test", now=timezone.now())


def markup(client: Client, address: str, **options: Any) -> str:
    return client.get(address, **options).content.decode()


# --- Pages ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("as_customer", [False, True])
def test_pages_that_are_cached_become_new_when_a_preference_changes(ann: User, as_customer: bool) -> None:
    service = put_on_sale("Followers", category="Social")
    client = Client()
    if as_customer:
        client.force_login(ann)
    addresses = [
        "/", reverse("catalog:index"), reverse("catalog:category", args=[service.category_id]),
        reverse("catalog:search"), reverse("orders:place", args=[service.pk]), reverse("api:docs"),
    ]  # fmt: skip
    for address in addresses * 2:
        assert "Violet" not in markup(client, address), address

    prefer(STORE_NAME, "Violet & Co")
    prefer(SUPPORT_EMAIL, "help@violet.example")
    prefer(ACCENT, "#7a1fa2")
    prefer(LOGO, {"wide": DRAWING, "icon": Drawing("b" * 64, 192, 192)})
    prefer(OTHER_CONTACT, Words(en="Mon to Fri"))

    for address in addresses * 2:
        page = markup(client, address)
        title = re.search("<title>(.*?)</title>", page, re.DOTALL)
        assert title is not None
        assert "Violet &amp; Co" in title[1], address
        assert page.count("Violet &amp; Co") >= 3, address  # title, header, footer
        assert "Storefront" not in page, address
        assert '<link rel="stylesheet" href="/face/accent-7a1fa2.css?v=' in page, address
        assert f'src="/face/{DRAWING.digest}.png" width="107" height="32"' in page, address
        assert "Mon to Fri" in page, address
    assert "mailto:help@violet.example" in markup(Client(), reverse("support:help"))


@pytest.mark.django_db
def test_what_is_rendered_once_becomes_new_when_the_logo_alone_changes(client: Client, ann: User) -> None:
    service = put_on_sale("Followers", category="Social")
    address = reverse("catalog:category", args=[service.category_id])
    client.force_login(ann)
    assert DRAWING.digest not in markup(client, address)

    prefer(LOGO, {"wide": DRAWING, "icon": Drawing("b" * 64, 192, 192)})
    prefer(OTHER_CONTACT, Words(en="Mon to Fri"))

    page = markup(client, address)
    assert DRAWING.digest in page
    assert "Mon to Fri" in page


@pytest.mark.django_db
def test_without_preferences_pages_ask_for_nothing_more() -> None:
    page = markup(Client(), "/")

    assert "/face/" not in page


@pytest.mark.django_db
def test_home_has_the_owners_words_in_the_readers_language(client: Client) -> None:
    prefer(HEADLINE, Words(en="Fast & *kind*", ru="Быстро и *бережно*"))
    prefer(LEAD, Words(en="One.\nTwo."))

    english, russian = markup(client, "/"), markup(client, "/", headers=RUSSIAN)

    assert "<h1>Fast &amp; <em>kind</em></h1>" in english
    assert "One.<br>Two." in english
    assert "<h1>Быстро и <em>бережно</em></h1>" in russian
    assert "One." not in russian


@pytest.mark.django_db
def test_the_style_sheet_overrides_the_tokens_and_is_kept_for_good(client: Client) -> None:
    prefer(ACCENT, "#7a1fa2")
    [address] = re.findall(r'href="(/face/[^"]+)"', markup(client, "/"))

    sheet = client.get(address)

    assert sheet["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in sheet["Cache-Control"]
    assert "--accent: light-dark(#7a1fa2, #" in sheet.content.decode()
    assert client.get(address.partition("?")[0])["Cache-Control"] == "no-cache"
    assert client.get("/face/accent-red;}.css").status_code == 404


@pytest.mark.django_db
def test_the_admin_wears_name_logo_and_color(sam: User) -> None:
    prefer(STORE_NAME, "Violet")
    prefer(ACCENT, "#7a1fa2")
    prefer(LOGO, {"wide": DRAWING, "icon": Drawing("b" * 64, 192, 192)})
    desk = at_the_admin(sam)

    page = markup(desk, reverse("admin:index"))
    again = markup(desk, reverse("admin:index"))
    prefer(ACCENT, "#0b5f4a")

    assert "| Violet" in page or "Violet</title>" in page
    assert f"/face/{'b' * 64}.png" in page
    assert "#7a1fa2" in page or "122, 31, 162" in page or "122 31 162" in page
    assert ("#7a1fa2" in again) == ("#7a1fa2" in page)
    assert "7a1fa2" not in markup(desk, reverse("admin:index"))


# --- What is sent -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_letters_and_receipts_wear_the_name(client: Client, ann: User) -> None:
    make_rows(1)
    prefer(STORE_NAME, "Violet")
    prefer(SUPPORT_EMAIL, "help@violet.example")
    owner = User.objects.get(email="customer1@example.com")
    client.post("/accounts/password/reset/", {"email": ann.email})
    send_letters()
    client.force_login(owner)

    [letter] = mail.outbox
    receipt = page_words(client.get(reverse("wallet:receipt", args=[owner.receipts.latest("pk").number])))
    assert letter.subject.startswith("Violet: ")
    assert "Hello from Violet!" in letter.body
    assert "help@violet.example" in letter.body
    assert "Violet" in receipt
    assert client.get(reverse("api:openapi")).json()["info"]["title"] == "Violet API"


def test_the_shops_new_name_is_no_password(db: None) -> None:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    prefer(STORE_NAME, "Violetshop")

    with pytest.raises(ValidationError, match="name of this shop"):
        validate_password("violetshop")


# --- Languages --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_language_that_is_not_offered_is_not_spoken(client: Client) -> None:
    reader = customer("reader@example.com", language="ru")
    assert '<html lang="ru">' in markup(client, "/", headers=RUSSIAN)
    assert reader.mail_language == "ru"

    prefer(LANGUAGES, ("en",))

    page = markup(client, "/", headers=RUSSIAN)
    assert '<html lang="en">' in page
    assert 'name="language"' not in page  # nothing to choose
    assert reader.mail_language == "en"
    client.force_login(reader)
    client.post(reverse("set_language"), {"language": "ru"})
    assert '<html lang="en">' in markup(client, "/account/")


# --- Numbers ----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_numbers_that_are_not_sold_are_nowhere_and_not_bought(client: Client, ann: User) -> None:
    country = Country.objects.create(code="ru", name="Russia")
    project = Project.objects.create(upstream_id="1", country=country, name="Mail", price_upstream_micros=500_000)
    buy = reverse("sms:buy", args=[project.pk])
    client.force_login(ann)
    assert reverse("sms:home") in markup(client, "/")
    assert client.get(buy).status_code == 200

    prefer(NUMBERS_ON_SALE, False)

    for browser in (client, Client()):
        assert f'href="{reverse("sms:home")}"' not in markup(browser, "/")
        for address in ("/manifest.webmanifest", "/palette/", "/palette/found/?q=sms", "/sitemap-pages-1.xml"):
            # One's own numbers keep their page.
            assert not re.search(f'{reverse("sms:home")}["<]', markup(browser, address)), address
    assert "SMS" not in page_words(Client().get("/"))
    assert client.get(reverse("sms:home")).status_code == 200
    assert client.get(buy).status_code == 404
    with pytest.raises(OrderRefused, match="no longer sold"):
        buy_numbers(user=ann, project=Project.objects.get(), request_id="x")
    prefer(NUMBERS_ON_SALE, True)
    assert client.get(buy).status_code == 200


# --- Processes --------------------------------------------------------------------------------------------------------
LOOK = """
import sys, time, django
django.setup()
from preferences.face import STORE_NAME
for line in sys.stdin:
    print(STORE_NAME.value, flush=True)
"""


@pytest.fixture
def other_process(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DATABASE_URL", database_url())
    from django.core.cache import cache

    cache.clear()
    with asked(LOOK) as ask:
        yield ask
    no_preferences()
    nothing_told()


def seen_within(seconds: float, ask: Any, value: str) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if ask() == value:
            return True
        time.sleep(0.05)
    return False


def test_another_process_sees_a_change_within_two_seconds_and_an_undo(other_process: Any) -> None:
    assert other_process() == "Storefront"
    assert other_process() == STORE_NAME.value

    prefer(STORE_NAME, "Violet")
    assert STORE_NAME.value == "Violet"
    assert seen_within(2, other_process, "Violet")
    prefer(STORE_NAME, None)
    assert seen_within(2, other_process, "Storefront")


def test_another_process_sees_a_change_when_the_cache_lost_it(other_process: Any, monkeypatch: Any) -> None:
    from django.core.cache import cache

    other_process()
    prefer(STORE_NAME, "Violet")
    cache.clear()

    assert seen_within(3, other_process, "Violet")


def test_a_change_that_is_rolled_back_is_gone_within_a_second(transactional_db: None) -> None:
    def fails() -> None:
        with transaction.atomic():
            prefer(STORE_NAME, "Never")
            assert STORE_NAME.value == "Never"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    time.sleep(PROCESS_SECONDS)

    assert STORE_NAME.value == "Storefront"
    prefer(STORE_NAME, "Violet")
    assert STORE_NAME.value == "Violet"
