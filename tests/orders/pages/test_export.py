"""The history as a file for spreadsheets."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.csv_export import harmless
from catalog.models import Service
from orders.models import Order, Status
from orders.pages.export import csv_lines

URL = "/orders/export/"
LINK = "https://instagram.com/ann"


def table(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_export_holds_ones_own_orders_newest_first_in_plain_words_and_decimals(shop, place, ben):
    first, second = place(link=f"{LINK}/a", quantity=1001), place(link=f'{LINK}/б,"c"')
    place(user=ben)
    Order.objects.filter(pk=second.pk).update(
        status=Status.PARTIAL, refunded_micros=787_500, remains=420, finished_at=second.created_at
    )

    response = shop.get(URL)
    lines = table(response)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="orders-')
    assert "no-store" in response["Cache-Control"]
    assert response.streaming
    ordered_at = second.created_at.isoformat(timespec="seconds")
    assert lines[0] == {
        "Order": str(second.pk),
        "Ordered": ordered_at,
        "Status": "Partial",
        "Title": "Instagram Followers, real",
        "Link": f'{LINK}/б,"c"',
        "Quantity": "1000",
        "Not delivered": "420",
        "Price": "1.875",
        "Refunded": "0.7875",
        "Currency": "USD",
        "Finished": ordered_at,
    }
    assert [line["Order"] for line in lines] == [str(second.pk), str(first.pk)]
    assert (lines[1]["Price"], lines[1]["Refunded"], lines[1]["Finished"]) == ("1.8769", "0.00", "")


def test_export_follows_the_filter_of_the_list(shop, place):
    place(link=f"{LINK}/a")
    done = place(link=f"{LINK}/b")
    Order.objects.filter(pk=done.pk).update(status=Status.COMPLETED)

    finished = table(shop.get(URL, {"group": "finished"}))
    found = table(shop.get(URL, {"q": "ann/b"}))
    nothing = table(shop.get(URL, {"q": "ann/b", "group": "open"}))

    assert [line["Order"] for line in finished] == [line["Order"] for line in found] == [str(done.pk)]
    assert nothing == []


def test_export_when_a_link_holds_a_formula_behind_a_separator_quotes_it(shop, place):
    Order.objects.filter(pk=place(link=f"{LINK}/a").pk).update(link='x;=cmd|"/C calc"!A0', title=" ＝1+1")

    [line] = table(shop.get(URL))

    assert (line["Link"], line["Title"]) == ("""x;'=cmd|"/C calc"!A0""", " '＝1+1")


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_harmless_when_text_begins_like_a_formula_then_it_is_quoted(begins):
    assert harmless(f"{begins}1+1") == f"'{begins}1+1"


def test_export_when_a_title_or_link_is_a_formula_then_a_spreadsheet_reads_text(shop, place):
    Service.objects.update(display_name="@SUM(1+1)")
    order = place()
    Order.objects.filter(pk=order.pk).update(link="=HYPERLINK(1)")

    (line,) = table(shop.get(URL))

    assert (line["Title"], line["Link"]) == ("'@SUM(1+1)", "'=HYPERLINK(1)")


def test_csv_lines_keep_the_language_of_the_request_while_they_stream(paid_order):
    lines = csv_lines(Order.objects.all())

    with translation.override("ru"):  # what the thread speaks once the request's own language is gone
        header, line = lines

    assert header.startswith("\ufeffOrder,Ordered,Status")
    assert ",Paid," in line


@pytest.mark.parametrize("count", [1, 3])
def test_export_when_there_are_more_orders_then_the_queries_stay(shop, place, count):
    for number in range(count):
        place(link=f"{LINK}{number}")

    with CaptureQueriesContext(connection) as queries:
        assert len(table(shop.get(URL))) == count

    assert len(queries) == 3  # session, user, orders


def test_export_is_linked_from_the_list_with_its_filter(shop, paid_order):
    page = shop.get(reverse("orders:list"), {"q": "instagram", "group": "open", "page": "1"}).content.decode()

    assert 'href="/orders/export/?q=instagram&amp;group=open"' in page


def test_export_for_a_visitor_leads_to_sign_in(client):
    assert client.get(URL).url == f"/accounts/login/?next={URL}"
