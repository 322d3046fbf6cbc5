"""The page on which customers report lines that don't work, and what they see of it afterwards."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.lifecycle.goods import keep_goods
from orders.models import GoodsClaim, Order, Status
from tests.pages import error_beside, page_words, summary

LINES = [f"user{number}@example.com:secret-{number}" for number in range(5)]


@pytest.fixture
def order(paid_order):
    """A finished order of Ann's that brought five lines."""
    Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED, remains=0)
    keep_goods(paid_order, LINES, timezone.now())
    return paid_order


def page_of(order) -> str:
    return reverse("orders:goods_claim", args=[order.pk])


def opened(shop, order):
    return shop.post(reverse("orders:goods", args=[order.pk]))


def send(shop, order, lines="1", reason="locked", text="", **options):
    return shop.post(page_of(order), {"lines": lines, "reason": reason, "text": text}, **options)


def claimed() -> list[int]:
    return sorted(GoodsClaim.objects.values_list("line", flat=True))


def test_page_of_goods_leads_to_the_report_of_each_line(shop, order):
    page = opened(shop, order).content.decode()

    assert f'href="{page_of(order)}?lines=3"' in page
    assert shop.get(f"{page_of(order)}?lines=3").context["form"]["lines"].value() == "3"


@pytest.mark.parametrize(("asked", "shown"), [("7-9, 3", "3, 7-9"), ("x", ""), ("<b>", ""), ("", ""), ("9" * 500, "")])
def test_page_when_it_is_asked_for_lines_then_they_are_filled_in_and_nonsense_is_not(shop, order, asked, shown):
    response = shop.get(page_of(order), {"lines": asked})

    assert response.context["form"]["lines"].value() == shown
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("2", [2]),
        (" 1 , 3-4", [1, 3, 4]),
        ("1 2 5", [1, 2, 5]),
        ("№2; #4", [2, 4]),
        ("2 – 4", [2, 3, 4]),
        ("3,3,3", [3]),
    ],
)
def test_report_when_lines_are_typed_as_people_do_then_they_are_understood(shop, order, typed, lines):
    opened(shop, order)

    response = send(shop, order, typed)

    assert response.url == reverse("orders:detail", args=[order.pk])
    assert claimed() == lines


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"lines": ""}, "lines", "Enter the numbers of the lines that don't work."),
        ({"lines": "first"}, "lines", "Enter line numbers like 3, 7-9."),
        ({"lines": "4-2"}, "lines", "Enter line numbers like 3, 7-9."),
        ({"lines": "1-999999999"}, "lines", "Report at most 200 lines at once."),
        ({"lines": "6"}, "lines", "This order has 5 lines: enter numbers up to that."),
        ({"lines": "1," * 201}, "lines", "Enter line numbers like 3, 7-9."),
        ({"lines": "1-150, 151-300, 301-450"}, "lines", "This order has 5 lines"),
        ({"reason": "other"}, "text", "Tell us in a few words what is wrong."),
        ({"text": "user1@example.com:secret-1 fails"}, "text", "Leave logins and passwords out"),
    ],
)
def test_report_when_something_is_wrong_then_it_says_so_beside_the_field(shop, order, asked, field, words):
    opened(shop, order)

    response = send(shop, order, **asked)

    assert error_beside(response, f"id_{field}").startswith(words)
    assert summary(response)[0][1] == f"id_{field}"
    assert claimed() == []


def test_report_without_a_reason_or_with_another_one_is_refused(shop, order):
    opened(shop, order)

    assert "Choose what is wrong." in page_words(send(shop, order, reason=""))
    assert send(shop, order, reason="nonsense").status_code == 200
    assert claimed() == []


def test_report_of_what_was_not_opened_or_was_reported_before_is_refused(shop, order):
    unopened = send(shop, order)
    opened(shop, order)
    send(shop, order, "1-2")
    twice = send(shop, order, "2-3")

    assert "Open your goods first" in error_beside(unopened, "id_lines")
    assert error_beside(twice, "id_lines") == "You have already reported line 2."
    assert claimed() == [1, 2]


def test_report_is_seen_on_the_order_and_on_its_goods_with_when_and_why(shop, order):
    opened(shop, order)

    after = send(shop, order, "1-2,4", text="Asks for <a code>", follow=True)

    goods = opened(shop, order)
    words = page_words(after)
    assert "Lines 1-2, 4 are reported. We'll look into it and answer here." in words
    assert "Reported as not working Lines 1-2, 4 just now" in words.replace("0 minutes ago", "just now")
    assert "Locked, banned or asks for a confirmation I can't give Asks for <a code>" in words
    assert "<a code>" not in after.content.decode()
    assert goods.content.count(b">Reported") + goods.content.count(b"Reported\n") >= 3
    assert f"{page_of(order)}?lines=3" in goods.content.decode()
    assert f"{page_of(order)}?lines=4" not in goods.content.decode()


def test_report_page_shows_nothing_of_the_lines(shop, order):
    opened(shop, order)

    pages = shop.get(page_of(order)).content + send(shop, order, lines="").content

    assert b"secret-" not in pages
    assert b"user0@" not in pages


def test_report_page_of_somebody_else_of_a_visitor_or_without_goods_is_none(client, order, ben, ann, place):
    visitor = [client.get(page_of(order)).url, send(client, order).url]
    client.force_login(ben)
    strangers = [client.get(page_of(order)).status_code, send(client, order).status_code]
    client.force_login(ann)
    without = client.get(page_of(place())).status_code
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(ann)

    assert visitor == [f"/accounts/login/?next={page_of(order)}"] * 2
    assert strangers == [404, 404]
    assert without == 404
    assert send(forged, order).status_code == 403
    assert claimed() == []


@pytest.mark.parametrize("count", [1, 4])
def test_order_page_when_there_are_more_reports_then_the_queries_stay(shop, order, count, django_assert_num_queries):
    opened(shop, order)
    for number in range(1, count + 1):
        send(shop, order, str(number))
    address = reverse("orders:detail", args=[order.pk])
    shop.get(address)

    # Session, user, order with what belongs to it, requests, events, reports, the wallet in the header.
    with django_assert_num_queries(7):
        shop.get(address)
