"""What the head of a page shows while it lies open, and that asking for it changes nothing."""

import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.security.signed_in import SEEN
from orders.models import Status
from sms.models import Country, Number, Project
from storefront.live import MOST, SECONDS_AT_REST, SECONDS_FOR_A_CODE, SECONDS_FOR_AN_ORDER
from tests.pages import HTMX
from tests.security.visiting import desk, entries, sue, visit
from tests.storefront.admin_rows import make_order

__all__ = ["desk", "sue", "visit"]  # fixtures
pytestmark = [pytest.mark.django_db]


@pytest.fixture
def browser(client: Client, ann: User) -> Client:
    client.force_login(ann)
    return client


@pytest.fixture
def project(db: None) -> Project:
    country = Country.objects.create(code="us", name="United States")
    return Project.objects.create(upstream_id="1", country=country, name="Telegram", price_upstream_micros=500_000)


def ask(browser: Client, seen: str = ""):
    return browser.get("/live/", {"seen": seen}, headers=HTMX)


def told(browser: Client) -> dict:
    answer = ask(browser).json()
    del answer["seen"]
    return answer


def have_number(user: User, project: Project, **fields) -> None:
    status = Status.PENDING if fields["state"] == "waiting" else Status.COMPLETED
    Number.objects.create(order=make_order(user, status=status), project=project, phone="+15550100", **fields)


def test_live_when_nothing_is_under_way_then_it_tells_the_balance_and_asks_for_patience(browser):
    assert told(browser) == {
        "balance": "$100.00",
        "orders": 0,
        "numbers": 0,
        "codes": 0,
        "newest_code": 0,
        "notices": 0,
        "every_seconds": SECONDS_AT_REST,
    }


def test_live_when_there_are_orders_numbers_and_codes_then_each_is_counted(browser, ann, ben, service, project):
    now = timezone.now()
    make_order(ann, service=service, status=Status.PENDING)
    make_order(ann, service=service, status=Status.COMPLETED)
    make_order(ben, service=service, status=Status.PENDING)
    assert told(browser)["every_seconds"] == SECONDS_FOR_AN_ORDER
    have_number(ann, project, state="waiting")
    have_number(ann, project, state="received", code="1", received_at=now - timedelta(minutes=2))
    have_number(ann, project, state="received", code="2", received_at=now - timedelta(hours=2))
    have_number(ben, project, state="received", code="3", received_at=now)

    found = told(browser)

    assert (found["orders"], found["numbers"], found["codes"]) == (1, 1, 1)
    assert found["newest_code"] == int((now - timedelta(minutes=2)).timestamp())
    assert found["every_seconds"] == SECONDS_FOR_A_CODE


def test_live_when_nothing_has_changed_then_the_answer_is_empty(browser, ann, service):
    seen = ask(browser).json()["seen"]

    assert (ask(browser, seen).status_code, ask(browser, seen).content) == (204, b"")

    make_order(ann, service=service, status=Status.PENDING)
    assert ask(browser, seen).json()["orders"] == 1


@pytest.mark.sqlite
def test_live_when_there_are_many_orders_then_it_is_three_statements_beside_who_asks(
    browser, ann, service, django_assert_num_queries
):
    ask(browser)
    for _number in range(3):
        make_order(ann, service=service, status=Status.PENDING)

    with django_assert_num_queries(5):  # the session, the customer, the wallet with the codes, what is open, news
        assert told(browser)["orders"] == 3


def test_live_when_more_is_open_than_anybody_counts_then_it_stops(browser, ann, service):
    for _number in range(MOST + 2):
        make_order(ann, service=service, status=Status.PENDING)

    assert told(browser)["orders"] == MOST


def test_live_when_nobody_is_signed_in_then_it_tells_nothing(client):
    assert client.get("/live/").status_code == 302
    assert ask(client)["HX-Refresh"] == "true"  # by which static/js/live.js knows, and stops


def test_live_when_a_page_lies_open_then_it_keeps_no_session_open(client, sam, settings):
    settings.STAFF_SESSION_IDLE_SECONDS = 600
    client.force_login(sam)
    session = client.session
    session[SEEN] = time.time() - 500
    session.save()
    kept = Session.objects.values().get()

    assert ask(client).status_code == 200
    assert client.get("/orders/", {"seen": "x"}, headers=HTMX).status_code == 200
    assert Session.objects.values().get() == kept

    session[SEEN] = time.time() - 601
    session.save()
    assert ask(client)["HX-Refresh"] == "true"
    assert client.get("/orders/").status_code == 302


def test_live_when_a_page_is_opened_then_the_session_is_in_use(client, sam):
    client.force_login(sam)
    session = client.session
    session[SEEN] = time.time() - 500
    session.save()

    client.get("/orders/")

    assert time.time() - client.session[SEEN] < 60


def test_live_when_support_looks_as_the_customer_then_it_is_theirs_and_no_page_on_the_trail(visit, ann):
    before = len(entries("signed_in_as"))

    assert told(visit)["balance"] == "$100.00"
    assert len(entries("signed_in_as")) == before

    visit.get("/orders/")
    assert len(entries("signed_in_as")) == before + 1


def test_header_when_two_readers_share_a_browser_then_their_marks_differ(client, ann, ben):
    marks = set()
    for user in (ann, ben):
        client.force_login(user)
        for address in ("/account/", "/catalog/search/"):  # made for them alone, and from the parts that readers share
            page = client.get(address).content.decode()
            marks.add(page.split('data-reader="')[1].split('"')[0])
    client.logout()

    assert len(marks) == 2
    assert "data-live" not in client.get("/catalog/search/").content.decode()
