"""Accepting the terms: at sign-up, and before a purchase once they have changed; nothing else waits for it."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from catalog.models import Service
from notifications.choices import choose
from notifications.kinds import BELL, KINDS, MAIL
from notifications.models import Notice
from orders.models import Order
from support.documents.acceptance import accept, forget_acceptance_addresses, has_to_accept
from support.models import Document, TermsAcceptance
from tests.conftest import customer
from tests.orders.quoting import signed
from tests.pages import HTMX, error_beside, hidden, markup, page_words, summary
from tests.support.documents.terms import change_terms, ticked, with_documents, write

pytestmark = pytest.mark.django_db
PASSWORD = "a fine long secret"


@pytest.fixture(autouse=True)
def _documents(db: None) -> None:
    with_documents()


def sign_up(client: Client, **typed: str) -> Any:
    whole = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD, **typed}
    return client.post(reverse("account_signup"), whole)


# --- At sign-up -------------------------------------------------------------------------------------------------------
def test_sign_up_with_the_box_ticked_records_version_time_and_address(client: Client) -> None:
    page = client.get(reverse("account_signup"))
    version = hidden_value(page)

    assert sign_up(client, terms=version).status_code == 302

    row = TermsAcceptance.objects.get()
    assert (row.user.email, str(row.version_id), row.door) == ("new@example.com", version, "sign_up")
    assert row.version.document.slug == "terms"
    assert row.address == "127.0.0.1"
    assert timezone.now() - row.accepted_at < timedelta(minutes=1)


def hidden_value(page: Any) -> str:
    """What the box of a page sends."""
    source = markup(page)
    assert 'href="/pages/terms/" target="_blank"' in source
    return source.partition('name="terms"')[2].partition('value="')[2].partition('"')[0]


def test_sign_up_without_the_box_says_so_in_the_summary_and_makes_no_account(client: Client) -> None:
    page = sign_up(client)

    text = "Please read the terms, and tick the box if you accept them."
    assert summary(page) == [(text, "id_terms")]
    assert error_beside(page, "id_terms") == text
    assert not User.objects.exists()


def test_sign_up_when_the_terms_changed_under_the_page_then_the_new_ones_are_asked_for(client: Client) -> None:
    old = hidden_value(client.get(reverse("account_signup")))
    new = write("terms", "Others.")

    page = sign_up(client, terms=old)

    assert "The terms have changed since you opened this page." in error_beside(page, "id_terms")
    box = markup(page).partition('name="terms"')[2].partition(">")[0]
    assert "checked" not in box
    assert f'value="{new.pk}"' in box
    assert sign_up(client, terms=str(new.pk)).status_code == 302


def test_sign_up_in_a_shop_without_terms_asks_for_none(client: Client) -> None:
    Document.objects.filter(slug="terms").update(public=False)

    assert 'name="terms"' not in markup(client.get(reverse("account_signup")))
    assert sign_up(client).status_code == 302
    assert not TermsAcceptance.objects.exists()


# --- Before a purchase ------------------------------------------------------------------------------------------------
@pytest.fixture
def shop(client: Client, ann: User) -> Client:
    client.force_login(ann)
    return client


def order(shop: Client, service: Service, ann: User, **typed: str) -> Any:
    address = reverse("orders:place", args=[service.pk])
    form = {"quantity": "1000", "link": "https://instagram.com/ann", "quote": signed(ann, service)}
    form["request_id"] = hidden(shop.get(address), "request_id")
    return shop.post(address, {**form, **typed})


def sent_on(page: Any) -> dict[str, str]:
    """What the page that asks would send."""
    found = {}
    for field in markup(page).split("<input ")[1:]:
        attributes = field.partition(">")[0]
        if 'type="hidden"' in attributes:
            name, value = (attributes.partition(f'{one}="')[2].partition('"')[0] for one in ("name", "value"))
            found[name] = value.replace("&amp;", "&")
    return found


def test_purchase_when_the_terms_changed_then_it_asks_and_buys_what_was_typed(
    shop: Client, service: Service, ann: User
) -> None:
    version = change_terms(summaries={"en": "Refunds are faster now."})

    page = order(shop, service, ann)

    assert "Our terms have changed" in page_words(page)
    assert "Refunds are faster now." in page_words(page)
    assert page["Cache-Control"].startswith("max-age=0")
    assert not Order.objects.exists()
    kept = sent_on(page)
    address = reverse("orders:place", args=[service.pk])
    assert f'action="{address}"' in markup(page)
    refused = shop.post(address, kept)
    assert summary(refused) == [("Please read the terms, and tick the box if you accept them.", "id_terms")]
    assert not Order.objects.exists()

    bought = shop.post(address, sent_on(refused) | {"terms": str(version.pk)})

    [made] = Order.objects.all()
    assert bought["Location"] == reverse("orders:detail", args=[made.pk])
    assert (made.quantity, made.link) == (1000, "https://instagram.com/ann")
    row = TermsAcceptance.objects.get()
    assert (row.user, row.version_id, row.door, row.address) == (ann, version.pk, "purchase", "127.0.0.1")
    # The same page once more buys nothing more, and the next purchase asks nothing.
    shop.post(address, sent_on(refused) | {"terms": str(version.pk)})
    assert Order.objects.count() == 1
    assert order(shop, service, ann, link="https://instagram.com/ann2").status_code == 302
    assert Order.objects.count() == 2


def test_purchase_when_a_later_version_asks_nobody_then_the_earlier_question_stands(
    shop: Client, service: Service, ann: User
) -> None:
    change_terms()
    later = write("terms", "A comma.", title="Terms")

    assert hidden_value(order(shop, service, ann)) == str(later.pk)
    accept(ann.pk, later.pk, door="page", address=None, now=timezone.now())
    assert order(shop, service, ann).status_code == 302


def test_purchase_when_nobody_was_ever_asked_then_it_costs_no_query(shop: Client, service: Service, ann: User) -> None:
    write("terms", "A comma.", title="Terms")

    with CaptureQueriesContext(connection) as captured:
        assert order(shop, service, ann).status_code == 302

    assert [each["sql"] for each in captured if "support_" in each["sql"]] == []


def test_purchase_inside_a_list_when_the_terms_changed_then_a_page_asks_and_leads_back(shop: Client, ann: User) -> None:
    version = change_terms()
    here = {**HTMX, "HX-Current-URL": "http://testserver/sms/"}

    answer = shop.post(reverse("sms:buy", args=[1]), {}, headers=here)
    asks = shop.get(answer["HX-Redirect"])
    led = shop.post(reverse("documents:accept"), sent_on(asks) | {"terms": str(version.pk)})

    assert asks.status_code == 200
    assert led["Location"] == "http://testserver/sms/"
    assert not has_to_accept(ann)


def test_replacing_a_number_buys_another_one_so_it_is_asked_as_well(shop: Client) -> None:
    change_terms()
    address = reverse("sms:replace", args=[1])

    page = shop.post(address, {"project": "1", "shown_price_micros": "625000", "request_id": "r"})

    assert "Our terms have changed" in page_words(page)
    assert f'action="{address}"' in markup(page)


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_page_that_asks_leads_nowhere_else(shop: Client, next_page: str) -> None:
    version = change_terms()

    led = shop.post(reverse("documents:accept"), {"next": next_page, "terms": str(version.pk)})

    assert led["Location"] == "/"


def test_everything_but_buying_goes_on(shop: Client, service: Service, ann: User) -> None:
    order(shop, service, ann)
    [made] = Order.objects.all()
    change_terms()

    for address in ("/", reverse("orders:list"), reverse("orders:detail", args=[made.pk]), reverse("wallet:home")):
        page = shop.get(address)
        assert page.status_code == 200
        assert "Our terms have changed" not in page_words(page)
    assert shop.post(reverse("orders:cancel", args=[made.pk])).status_code == 302
    made.refresh_from_db()
    assert made.status == "canceled"
    assert shop.post(reverse("privacy:prepare")).status_code == 302


def test_api_when_the_terms_changed_then_programs_go_on_and_their_owners_are_mailed(
    client: Client, service: Service, ann: User, ben: User
) -> None:
    _key, text = create_api_key(user=ann, name="Panel")
    User.objects.filter(pk=ann.pk).update(language="ru")

    version = change_terms(summaries={"en": "Shorter.", "ru": "Короче."})
    asked = {"key": text, "action": "add", "service": service.pk, "link": "https://x.example/a", "quantity": 1000}
    answer = client.post("/api/v2", asked)

    assert "order" in answer.json(), answer.json()
    [notice] = Notice.objects.filter(key__startswith="terms:")
    assert (notice.user, notice.key) == (ann, f"terms:{version.pk}:{ann.pk}")
    assert "Короче." in notice.body
    # Where they are to be read stands below "here:", not what has changed.
    assert notice.body.index("здесь:") < notice.body.index("/pages/terms/") < notice.body.index("Короче.")
    assert f"{django_settings.SITE_URL}/pages/terms/" in notice.body


def test_addresses_when_old_are_forgotten(ann: User, ben: User) -> None:
    version = change_terms()
    age = django_settings.RETENTION.trail_origins
    now = timezone.now()
    accept(ann.pk, version.pk, door="page", address="203.0.113.9", now=now - age - timedelta(days=1))
    accept(ben.pk, version.pk, door="page", address="203.0.113.9", now=now - age + timedelta(days=1))

    assert forget_acceptance_addresses(now=now) == 1

    rows = TermsAcceptance.objects.order_by("user").values_list("user", "address")
    assert list(rows) == [(ann.pk, None), (ben.pk, "203.0.113.9")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_two_tabs_that_accept_and_buy_at_once_accept_once_and_buy_once(service: Service, settings: Any) -> None:
    ann = customer("ann@example.com", money="100.00")
    with_documents()
    version = change_terms()
    shop = Client()
    shop.force_login(ann)
    address = reverse("orders:place", args=[service.pk])
    typed = sent_on(order(shop, service, ann)) | {"terms": str(version.pk)}
    answers: list[int] = []

    def press() -> None:
        tab = Client()
        tab.cookies = shop.cookies
        answers.append(tab.post(address, typed).status_code)
        connection.close()

    tabs = [threading.Thread(target=press) for _tab in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert answers == [302] * 4
    assert TermsAcceptance.objects.count() == 1
    assert Order.objects.count() == 1


def test_ticked_is_what_the_box_sends(client: Client) -> None:
    assert ticked() == {"terms": hidden_value(client.get(reverse("account_signup")))}


def test_owner_of_a_key_when_all_news_are_turned_off_is_told_of_new_terms_all_the_same(ann: User) -> None:
    create_api_key(user=ann, name="Panel")
    choose(ann, {(kind, channel): False for kind in KINDS for channel in (MAIL, BELL)})

    change_terms()

    [notice] = Notice.objects.filter(key__startswith="terms:")
    assert (notice.channel, notice.in_bell, notice.sent_at) == (MAIL, True, None)
