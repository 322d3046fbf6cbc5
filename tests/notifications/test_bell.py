"""The bell: what is unread, what reading does, and that it is everybody's own."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from notifications.channels.bell.news import MOST, SHOWN_FOR, count_unread
from notifications.choices import choose
from notifications.kinds import MAIL, ORDERS
from notifications.models import Notice
from notifications.outbox import tell_customer
from notifications.retention import clean_notices
from tests.pages import HTMX, page_words
from tests.security.visiting import desk, sue, visit

__all__ = ["desk", "sue", "visit"]  # fixtures
pytestmark = pytest.mark.django_db


def tell(user: User, number: int, **told) -> Notice:
    tell_customer(user, f"k{number}", f"Order #{number} is complete", "Body", url=f"/orders/{number}/", **told)
    return Notice.objects.get(key=f"k{number}")


def unread(user: User) -> list[str]:
    rows = Notice.objects.filter(user=user, in_bell=True, read_at=None)
    return list(rows.order_by("id").values_list("key", flat=True))


def live(browser: Client, **query) -> int:
    return browser.get("/live/", query, headers=HTMX).json()["notices"]


def test_list_when_there_are_news_then_they_are_the_customers_own_of_the_last_weeks(shop, ann, ben) -> None:
    tell(ann, 1)
    tell(ben, 2)
    tell(ann, 3, now=timezone.now() - SHOWN_FOR - timedelta(minutes=1))

    page = shop.get("/notices/")

    words = page_words(page)
    assert "Order #1 is complete" in words
    assert "Order #2" not in words
    assert "Order #3" not in words
    assert live(shop) == 1


def test_open_when_it_is_about_a_page_then_it_leads_there_and_all_about_it_is_read(shop, ann) -> None:
    first, _other = tell(ann, 1), tell(ann, 2)
    tell_customer(ann, "again", "Refund for order #1", "Body", url="/orders/1/")

    answer = shop.get(f"/notices/{first.pk}/")

    assert (answer.status_code, answer["Location"]) == (302, "/orders/1/")
    assert unread(ann) == ["k2"]


def test_open_when_it_is_about_no_page_then_it_is_read_on_the_list(shop, ann) -> None:
    tell_customer(ann, "k", "Maintenance", "Tonight <b>from</b> two.")

    assert "Tonight &lt;b&gt;from&lt;/b&gt; two." in shop.get("/notices/").content.decode()
    assert shop.get(f"/notices/{Notice.objects.get().pk}/")["Location"] == "/notices/"
    assert unread(ann) == []


def test_open_when_it_is_anothers_then_it_is_not_there_and_stays_unread(shop, ann, ben) -> None:
    theirs = tell(ben, 1)

    assert shop.get(f"/notices/{theirs.pk}/").status_code == 404
    shop.post("/notices/read/", {"up_to": str(theirs.pk)})
    live(shop, here="/orders/1/")

    assert unread(ben) == ["k1"]


def test_read_all_when_pressed_twice_then_what_came_after_the_page_stays_unread(shop, ann) -> None:
    tell(ann, 1)
    shown = tell(ann, 2)
    tell(ann, 3)

    for _twice in range(2):
        assert shop.post("/notices/read/", {"up_to": str(shown.pk)}).status_code == 302

    assert unread(ann) == ["k3"]


@pytest.mark.parametrize("up_to", ["", "x", "-1", "٣", "9" * 30])
def test_read_all_when_nonsense_is_posted_then_nothing_is_read(shop, ann, up_to) -> None:
    tell(ann, 1)

    assert shop.post("/notices/read/", {"up_to": up_to}).status_code == 302
    assert unread(ann) == ["k1"]


def test_live_when_the_page_that_news_are_about_is_opened_then_they_are_read(shop, ann) -> None:
    tell(ann, 1)
    tell(ann, 2)
    assert live(shop) == 2

    assert live(shop, here="/orders/1/") == 1
    assert live(shop, here="/nowhere/\x00") == 1
    assert unread(ann) == ["k2"]


def test_visit_when_support_looks_then_it_sees_the_news_and_reads_none(visit, ann) -> None:
    notice = tell(ann, 1)

    page = visit.get("/notices/").content.decode()
    assert 'href="/orders/1/"' in page
    assert f'href="/notices/{notice.pk}/"' not in page
    assert visit.get(f"/notices/{notice.pk}/").status_code == 403
    assert live(visit, here="/orders/1/") == 1

    assert unread(ann) == ["k1"]


def test_count_unread_when_there_are_more_than_anybody_counts_then_it_is_one_statement_and_stops(
    ann, django_assert_num_queries
) -> None:
    Notice.objects.bulk_create(
        Notice(user=ann, key=f"k{number}", subject="s", body="b", in_bell=True) for number in range(MOST + 5)
    )

    with django_assert_num_queries(1):
        assert count_unread(ann, now=timezone.now()) == MOST


def test_list_when_there_are_more_rows_then_it_takes_as_many_statements(shop, ann) -> None:
    counts = []
    for number in (1, 2, 3):
        tell(ann, number)
        shop.get("/notices/")
        with CaptureQueriesContext(connection) as asked:
            shop.get("/notices/")
        counts.append(len(asked))

    assert len(set(counts)) == 1


def test_visitor_when_a_page_is_opened_then_there_is_no_bell(client) -> None:
    page = client.get("/accounts/login/").content.decode()

    assert 'data-count="notices"' not in page
    assert client.get("/notices/")["Location"].startswith("/accounts/login/")


def test_retention_when_news_were_only_in_the_bell_then_they_go_as_mails_do(ann, settings) -> None:
    long_ago = timezone.now() - settings.RETENTION.notices - timedelta(days=1)
    choose(ann, {(ORDERS, MAIL): False})
    tell(ann, 1, now=long_ago)
    tell(ann, 2)

    assert clean_notices(now=timezone.now()) == 1
    assert Notice.objects.get().key == "k2"
