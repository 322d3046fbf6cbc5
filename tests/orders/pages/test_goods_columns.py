"""Delivered goods in columns: whose word the format is, what is masked, what the files hold; nothing is ever lost."""

import csv
import html
import io
import json
import re
import time

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from orders.lifecycle.goods import keep_goods
from orders.models import GoodsFormat, GoodsReveal, Order, Status
from tests.orders.pages.test_goods_pages import cells
from tests.pages import page_words

COOKIES = '[{"name": "sid", "value": "a:b|c"}]'
ROSA, IDA = f"rosa:pa:ss:r@example.com:{COOKIES}", f"ida:word:i@example.com:{COOKIES}"
ODD = "<script>alert(1)</script>\tsee\r\nthe mail"
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def deliver(paid_order):
    """Let an order of Ann's be finished and bring these lines."""

    def deliver_lines(*lines: str) -> Order:
        Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED, remains=0)
        keep_goods(paid_order, lines, timezone.now())
        return paid_order

    return deliver_lines


def opened(shop, order, **data):
    return shop.post(reverse("orders:goods", args=[order.pk]), data)


def file(shop, order, ending: str):
    return shop.post(reverse("orders:goods_file", args=[order.pk]), {"format": ending})


def rule(service, columns: str, separator: str = "") -> None:
    GoodsFormat.objects.create(service=service, columns=columns, separator=separator)


def named(response) -> list[str]:
    return [name for name, _value in cells(response)]


def test_goods_when_staff_set_a_format_then_each_value_stands_in_its_column_and_is_copied_alone(shop, deliver, service):
    rule(service, "login:password:email:cookies")

    response = opened(shop, deliver(ROSA))

    page = response.content.decode()
    copied = [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', page)]
    assert [(name, html.unescape(value)) for name, value in cells(response)] == [
        *(("Login", "rosa"), ("Password", "pa:ss"), ("Email", "r@example.com"), ("Cookies", COOKIES))
    ]
    assert copied == [ROSA, "rosa", "pa:ss", "r@example.com", COOKIES]
    assert "In each line: Login · Password · Email · Cookies" in page_words(response)


def test_goods_when_they_are_secret_then_they_are_masked_until_somebody_wants_to_see_them(shop, deliver, service):
    rule(service, "login:password:email:cookies")

    page = opened(shop, deliver(ROSA, ODD)).content.decode()

    masked = re.findall(r"<details class=\"goods-secret\">.*?<code>(.*?)</code>", page, re.DOTALL)
    assert [html.unescape(text) for text in masked] == ["pa:ss", COOKIES, ODD]
    assert "<details open" not in page


def test_goods_when_a_line_does_not_fit_then_it_stays_whole_and_says_so_and_no_character_is_lost(
    shop, deliver, service
):
    rule(service, "login:password:email:cookies")

    response = opened(shop, deliver(ROSA, ODD, IDA))

    page = response.content.decode()
    words = page_words(response)
    assert named(response) == [
        *("Login", "Password", "Email", "Cookies"),
        "Whole line",
        *("Login", "Password", "Email", "Cookies"),
    ]
    assert "1 line doesn't fit the format. It is shown whole, just as it came." in words
    assert "Shown whole: it has fewer fields than expected." in words
    assert "<script>alert" not in page
    # A browser makes a line feed of a carriage return, unless it is written so.
    assert 'data-copy="&lt;script&gt;alert(1)&lt;/script&gt;\tsee&#13;\nthe mail"' in page


@pytest.mark.parametrize(
    ("title", "facts", "description"),
    [
        ("Accounts | Format: login:pass:mail:cookies", {}, ""),
        ("Accounts", {"format": "login;pass;mail;cookies"}, ""),
        ("Accounts", {}, "<p>Aged.</p><p>Format - login:pass:mail:cookies</p>"),
    ],
)
def test_goods_when_title_facts_or_description_tell_the_format_then_it_is_theirs(
    shop, deliver, service, title, facts, description
):
    order = deliver(ROSA, IDA)
    Order.objects.filter(pk=order.pk).update(title=title)
    Service.objects.filter(pk=service.pk).update(facts=facts, upstream_description=description)

    response = opened(shop, order)

    assert named(response) == ["Login", "Password", "Email", "Cookies"] * 2
    assert "We guessed" not in page_words(response)


def test_goods_when_nobody_tells_the_format_then_a_guess_says_that_it_is_one(shop, deliver):
    response = opened(shop, deliver("rosa|pass|r@example.com|mailpass", "ida|word|i@example.com|wordmail"))

    assert named(response) == ["Login", "Password", "Email", "Email password"] * 2
    assert "We guessed the names from the lines" in page_words(response)


def test_goods_when_service_and_category_have_formats_then_the_services_counts(shop, deliver, service):
    GoodsFormat.objects.create(category=service.category, columns="login:password")
    order = deliver("rosa:pass")
    of_category = named(opened(shop, order))

    rule(service, "email:token")
    Order.objects.filter(pk=order.pk).update(title="Format: login:pass")
    of_service = opened(shop, order)

    assert of_category == ["Login", "Password"]
    # Staff's word decides alone: where it is wrong, lines stay whole instead of being read otherwise.
    assert named(of_service) == ["Whole line"]
    assert "Shown whole: it doesn't fit the format." in page_words(of_service)


def test_goods_when_each_names_its_values_then_these_are_the_columns(shop, deliver):
    response = opened(shop, deliver("Login: rosa\nPassword: pa:ss"))

    assert cells(response) == [("Login", "rosa"), ("Password", "pa:ss")]


def test_goods_when_there_are_many_then_a_page_shows_a_hundred_and_copies_them_all(shop, deliver):
    order = deliver(*(f"u{number}@example.com:pass" for number in range(230)))

    first, last, nonsense = opened(shop, order), opened(shop, order, page="3"), opened(shop, order, page="x")

    assert "Lines 1 to 100 of 230" in page_words(first)
    assert "Lines 201 to 230 of 230" in page_words(last)
    assert "Lines 1 to 100 of 230" in page_words(nonsense)
    assert (first.content.count(b'class="goods-line"'), last.content.count(b'class="goods-line"')) == (100, 30)
    assert b'id="line-230"' in last.content
    assert max(map(len, re.findall(r'data-copy="([^"]*)"', first.content.decode()))) == sum(
        len(f"u{number}@example.com:pass\n") for number in range(230)
    ) - len("\n")


def test_file_as_json_holds_every_line_as_it_came_beside_its_fields(shop, deliver, service):
    rule(service, "login:password:email:cookies")
    order = deliver(ROSA, ODD, "😀é:x:-:")

    response = file(shop, order, "json")

    told = json.loads(response.content)
    assert (told["order"], told["columns"]) == (order.pk, ["login", "password", "email", "cookies"])
    assert [row["raw"] for row in told["goods"]] == [ROSA, ODD, "😀é:x:-:"]
    assert [row["fields"] for row in told["goods"]][:2] == [
        {"login": "rosa", "password": "pa:ss", "email": "r@example.com", "cookies": COOKIES},
        None,
    ]
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == f'attachment; filename="order-{order.pk}.json"'
    assert "no-store" in response["Cache-Control"]


def test_file_as_csv_has_a_column_each_and_no_formula(shop, deliver, service):
    rule(service, "login:password")
    order = deliver(f"rosa:{FORMULA}", "@ida:+1", ODD)

    response = file(shop, order, "csv")

    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    number = str(order.pk)
    assert rows[0] == ["Order", "Line number", "Login", "Password", "Whole line"]
    assert rows[1] == [number, "1", "rosa", f"'{FORMULA}", f"rosa:{FORMULA}"]
    assert rows[2] == [number, "2", "'@ida", "'+1", "'@ida:+1"]
    assert rows[3] == [number, "3", "", "", ODD]
    assert response["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("ending", ["txt", "exe", "../x", ""])
def test_file_as_text_is_what_came_and_what_anything_else_gets(shop, deliver, ending):
    order = deliver(ROSA, IDA)

    response = file(shop, order, ending)

    assert response.content.decode() == f"{ROSA}\n{IDA}\n"
    assert response["Content-Disposition"] == f'attachment; filename="order-{order.pk}.txt"'


def test_every_file_and_every_page_of_lines_is_a_look_that_is_noted(shop, deliver):
    order = deliver(*(f"u{number}@example.com:pass" for number in range(101)))

    for ending in ("txt", "csv", "json"):
        file(shop, order, ending)
    opened(shop, order)
    opened(shop, order, page="2")

    assert GoodsReveal.objects.get().looks == 5


@pytest.mark.parametrize("ending", ["txt", "csv", "json"])
def test_file_of_somebody_else_or_after_an_old_sign_in_is_not_sent(client, deliver, ben, ann, ending):
    order = deliver(ROSA)
    client.force_login(ben)
    others = file(client, order, ending).status_code
    client.force_login(ann)
    session = client.session
    session["account_authentication_methods"] = []
    session.save()

    asked = file(client, order, ending)

    assert others == 404
    assert asked.url.startswith("/accounts/reauthenticate/")
    assert not GoodsReveal.objects.exists()


@pytest.mark.parametrize("ending", ["", "txt", "csv", "json"])
def test_goods_with_half_a_character_are_shown_and_sent_whole(shop, deliver, ending):
    raw = '{"login": "rosa", "password": "\\ud800x"}'
    order = deliver(raw, "ida:word")

    response = file(shop, order, ending) if ending else opened(shop, order)

    assert response.status_code == 200
    assert "rosa" in response.content.decode()


def test_goods_when_line_and_description_are_hostile_then_the_page_takes_no_longer(shop, deliver, service):
    repeated = "login:pass:mail:pass:cookies:2fa:token:phone:url:note " * 20
    Service.objects.filter(pk=service.pk).update(
        description=repeated + " ".join(f"login:pass:x{number}" for number in range(300))
    )
    order = deliver(*(":" * 12 + "a" * 19_000 + str(number) for number in range(150)))
    began = time.process_time()

    response = opened(shop, order)

    assert response.status_code == 200
    assert time.process_time() - began < 3
