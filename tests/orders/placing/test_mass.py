"""Many orders with one press: every line checked before any is paid, all of them paid or none."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Delivery, MarkupRule, Service
from orders.models import Checkout, Order, Status
from orders.pages.mass_form import read_rows
from orders.placing.mass import LinesRefused, MassLine, PricesChanged, place_orders
from orders.placing.refusals import OrderRefused, RequestIdReused
from tests.pages import alerts, error_beside, hidden, words
from wallet.models import LedgerEntry, Wallet
from wallet.operations import InsufficientFunds

LINK = "https://instagram.com/ann"
URL = "/orders/mass/"


def balance(user) -> int:
    return Wallet.objects.get(user=user).balance_micros


def lines_of(service, count: int, **fields) -> list[MassLine]:
    return [
        MassLine(**{"service_id": service.pk, "link": f"{LINK}/{n}", "quantity": 1000, **fields}) for n in range(count)
    ]


def rows(response) -> dict[int, str]:
    """The words of each line of the table, by its number."""
    found = re.findall(r'mass-table__number">(\d+)</span>(.*?)</tr>', response.content.decode(), re.DOTALL)
    return {int(number): words(markup) for number, markup in found}


def bill(response) -> str:
    form = re.search(r'<form class="card" id="pay".*?</form>', response.content.decode(), re.DOTALL)
    return words(form[0]) if form else ""


@pytest.fixture
def check(shop):
    """Type lines and press "Check the lines"."""
    return lambda text: shop.post(URL, {"text": text})


@pytest.fixture
def pay(shop):
    """Press "Order and pay all" on the page that `check` brought."""

    def press(page, text, **typed):
        form = {"request_id": hidden(page, "request_id"), "quoted_rates": hidden(page, "quoted_rates"), "pay": "all"}
        return shop.post(URL, {"text": text, **form, **typed})

    return press


def test_place_orders_takes_all_lines_and_the_money_for_them(ann, service):
    orders = place_orders(user=ann, lines=lines_of(service, 3), request_id="many", now=timezone.now())

    assert [(order.link, order.price_micros, order.status) for order in orders] == [
        (f"{LINK}/{number}", 1_875_000, Status.PAID) for number in range(3)
    ]
    assert balance(ann) == 100_000_000 - 3 * 1_875_000
    assert Checkout.objects.get().orders.count() == 3
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CHARGE).count() == 3
    assert all(order.events.count() == 1 for order in orders)


def test_place_orders_when_one_line_is_wrong_then_none_is_placed_and_each_wrong_one_is_named(ann, service):
    lines = [*lines_of(service, 2), MassLine(service.pk, LINK, 5), MassLine(999_999, LINK, 10)]

    with pytest.raises(LinesRefused) as refusal:
        place_orders(user=ann, lines=lines, request_id="many", now=timezone.now())

    assert refusal.value.problems == {
        2: "Enter a quantity between 10 and 10,000.",
        3: "There is no service with this number.",
    }
    assert (Order.objects.count(), Checkout.objects.count(), balance(ann)) == (0, 0, 100_000_000)


def test_place_orders_when_the_money_does_not_cover_all_then_what_is_missing_in_all_is_named(ann, service):
    Wallet.objects.filter(user=ann).update(balance_micros=2_000_000)

    with pytest.raises(InsufficientFunds) as refusal:
        place_orders(user=ann, lines=lines_of(service, 3), request_id="many", now=timezone.now())

    assert refusal.value.missing_micros == 3 * 1_875_000 - 2_000_000
    assert (Order.objects.count(), balance(ann)) == (0, 2_000_000)


def test_place_orders_when_a_price_is_not_the_one_that_was_shown_then_none_is_placed(ann, service):
    lines = [*lines_of(service, 1), *lines_of(service, 1, quoted_rate_micros=1_000_000)]

    with pytest.raises(PricesChanged) as refusal:
        place_orders(user=ann, lines=lines, request_id="many", now=timezone.now())

    assert refusal.value.places == [1]
    assert Order.objects.count() == 0


def test_place_orders_again_with_the_same_request_id_buys_nothing_twice(ann, service):
    first = place_orders(user=ann, lines=lines_of(service, 2), request_id="many", now=timezone.now())
    Service.objects.update(stock=0)  # what has been bought is not checked again

    again = place_orders(user=ann, lines=lines_of(service, 2), request_id="many", now=timezone.now())

    assert again == first
    assert Order.objects.count() == 2
    with pytest.raises(RequestIdReused):
        place_orders(user=ann, lines=lines_of(service, 1), request_id="many", now=timezone.now())


@pytest.mark.parametrize("count", [0, 101])
def test_place_orders_when_there_are_none_or_too_many_then_they_are_refused(ann, service, count):
    with pytest.raises(OrderRefused, match="between 1 and 100 lines"):
        place_orders(user=ann, lines=lines_of(service, count), request_id="many", now=timezone.now())

    assert Order.objects.count() == 0


def test_place_orders_when_the_stock_is_too_small_for_all_lines_together_then_the_last_is_refused(
    ann, service, sandbox
):
    Service.objects.update(stock=3500)
    sandbox.set_service(service.upstream_id, stock=2500)  # sold elsewhere since the last sync

    with pytest.raises(LinesRefused) as refusal:
        place_orders(user=ann, lines=lines_of(service, 3), request_id="many", now=timezone.now())

    assert refusal.value.problems == {2: "Only 2,500 in stock for all lines with this service together."}


@pytest.mark.django_db(transaction=True)
def test_place_orders_when_the_button_is_pressed_many_times_at_once_then_they_are_bought_once(ann, service):
    def press(_number: int) -> list[int]:
        try:
            return [
                order.pk
                for order in place_orders(user=ann, lines=lines_of(service, 3), request_id="many", now=timezone.now())
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(press, range(4)))

    assert answers == [answers[0]] * 4
    assert Order.objects.count() == 3
    assert balance(ann) == 100_000_000 - 3 * 1_875_000


@pytest.mark.django_db(transaction=True)
def test_place_orders_when_two_at_once_want_the_same_money_then_one_gets_all_and_the_other_nothing(ann, service):
    Wallet.objects.filter(user=ann).update(balance_micros=4 * 1_875_000)

    def press(name: str) -> int:
        try:
            return len(place_orders(user=ann, lines=lines_of(service, 3), request_id=name, now=timezone.now()))
        except InsufficientFunds:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        bought = sorted(threads.map(press, ["one", "other"]))

    assert bought == [0, 3]
    assert (Order.objects.count(), balance(ann)) == (3, 1_875_000)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("12 | https://x.com/a | 100", MassLine(12, "https://x.com/a", 100), ""),
        ("#12|https://x.com/a|100", MassLine(12, "https://x.com/a", 100), ""),
        ("12 | https://x.com/a|b | 100", MassLine(12, "https://x.com/a|b", 100), ""),
        ("12 | https://x.com/a", None, "Use this format: service | link | quantity."),
        ("12", None, "Use this format: service | link | quantity."),
        ("Followers | https://x.com/a | 100", None, "Start with the service number."),
        ("12 |  | 100", MassLine(12, "", 100), ""),  # goods may need none: the service decides
        ("12 | https://x.com/a | 1,000", None, "End with the quantity, as a whole number."),
        ("12 | https://x.com/a | -5", None, "End with the quantity, as a whole number."),
        ("12 | https://x.com/a | ٣", None, "End with the quantity, as a whole number."),
        (f"12 | https://x.com/a | {'9' * 30}", None, "End with the quantity, as a whole number."),
    ],
)
def test_read_rows_reads_a_line_or_says_what_is_wrong_with_it(text, line, problem):
    (row,) = read_rows(text)

    assert (row.line, row.problem) == (line, problem)


def test_read_rows_numbers_lines_as_they_stand_and_passes_over_empty_ones():
    assert [row.number for row in read_rows("\n1|a|1\r\n\r\n  \n2|b|2\n")] == [2, 5]


def test_mass_page_when_all_is_well_then_it_shows_prices_and_total_and_one_press_pays(check, pay, ann, service):
    text = f"{service.pk} | {LINK}/a | 1000\n\n{service.pk} | instagram.com/ann/b | 2000"

    page = check(text)
    placed = list(Order.objects.all())
    answer = pay(page, text)

    assert placed == []
    assert rows(page) == {
        1: f"{service.title} {LINK}/a 1,000 $1.875",
        3: f"{service.title} {LINK}/b 2,000 $3.75",
    }
    assert bill(page).startswith("2 orders Your balance $100.00 Total $5.625 Total $5.625 Order and pay all")
    assert answer.url == reverse("orders:list")
    assert list(Order.objects.order_by("id").values_list("link", "quantity")) == [
        (f"{LINK}/a", 1000),
        (f"{LINK}/b", 2000),
    ]
    assert balance(ann) == 100_000_000 - 5_625_000


def test_mass_page_when_lines_are_wrong_then_each_says_why_and_the_text_is_kept(check, service):
    Service.objects.create(**{**values_of(service), "upstream_id": 2, "type": "Custom Comments"})
    comments = Service.objects.get(upstream_id=2).pk
    good, bad_link = f"{service.pk} | {LINK} | 1000", f"{service.pk} | my page | 20"
    text = f"{good}\n<b>nonsense\n{bad_link}\n{comments} | {LINK} | 10\n0 | {LINK} | 9"

    page = check(text)

    assert rows(page) == {
        1: f"{service.title} {LINK} 1,000 $1.875",
        2: "<b>nonsense Use this format: service | link | quantity.",
        3: f"{service.pk} | my page | 20 {service.title} Enter the full link, starting with https://.",
        4: f"{comments} | {LINK} | 10 {service.title} This service needs your own comments: order it on its page.",
        5: f"0 | {LINK} | 9 There is no service with this number.",
    }
    assert alerts(page) == "Fix 4 of 5 lines. Nothing has been ordered."
    assert "&lt;b&gt;nonsense\n" in page.content.decode().split("<textarea", 1)[1]
    assert bill(page) == ""
    assert Order.objects.count() == 0


def values_of(service) -> dict:
    return {
        field.attname: getattr(service, field.attname)
        for field in Service._meta.concrete_fields
        if field.attname != "id"
    }


def test_mass_page_when_nothing_is_typed_or_too_much_then_it_says_so(check, service):
    empty, many = check(" \n "), check(f"{service.pk} | {LINK} | 10\n" * 101)

    assert error_beside(empty, "id_text") == "Enter at least one line."
    assert error_beside(many, "id_text") == "That's 101 lines; you can order up to 100 at once."
    assert rows(many) == {}


def test_mass_page_when_money_is_missing_then_it_says_how_much_and_paying_orders_nothing(check, pay, ann, service):
    Wallet.objects.filter(user=ann).update(balance_micros=2_000_000)
    text = f"{service.pk} | {LINK}/a | 1000\n{service.pk} | {LINK}/b | 1000"

    page = check(text)
    answer = pay(page, text)

    assert "You're $1.75 short. Add money" in bill(page)
    assert alerts(answer) == "You're $1.75 short. Nothing has been charged."
    assert (Order.objects.count(), balance(ann)) == (0, 2_000_000)


def test_mass_page_when_prices_changed_then_it_shows_the_new_ones_and_one_more_press_pays(check, pay, service):
    text = f"{service.pk} | {LINK} | 1000"
    page = check(text)
    MarkupRule.objects.create(scope="service", service=service, percent=100)

    answer = pay(page, text)

    assert alerts(answer).startswith("Prices have changed. Check the new total")
    assert "Total $3.00" in bill(answer)
    assert Order.objects.count() == 0
    pay(answer, text)
    assert Order.objects.get().price_micros == 3_000_000


def test_mass_page_when_the_lines_are_not_those_that_were_shown_then_they_are_shown_first(check, pay, service):
    page = check(f"{service.pk} | {LINK} | 1000")

    answer = pay(page, f"{service.pk} | {LINK}/a | 1000\n{service.pk} | {LINK}/b | 1000")

    assert alerts(answer) != ""
    assert "Total $3.75" in bill(answer)
    assert Order.objects.count() == 0


def test_mass_page_when_lines_repeat_each_other_or_an_open_order_then_it_warns_first(check, pay, place, service):
    before = place(link=f"{LINK}/open")
    text = f"{service.pk} | {LINK}/a | 100\n{service.pk} | {LINK}/a/ | 200\n{service.pk} | {LINK}/open/ | 300"

    page = check(text)
    answer = pay(page, text)

    assert "Same as line 1" in rows(page)[2]
    assert f"Still open: #{before.pk} (Paid)" in rows(page)[3]
    assert "same as" not in rows(page)[1]
    assert error_beside(answer, "id_again") == "Check this box if you want these orders as well."
    assert Order.objects.count() == 1
    pay(answer, text, again="on")
    assert Order.objects.count() == 4


def test_mass_page_when_goods_go_to_one_address_twice_then_it_does_not_warn(check, service):
    Service.objects.update(delivery_override=Delivery.EMAIL)

    page = check(f"{service.pk} | ann@example.com | 10\n{service.pk} | ann@example.com | 10")

    assert "id_again" not in page.content.decode()
    assert "2 orders" in bill(page)


def test_mass_page_when_pressed_twice_then_it_orders_once(check, pay, service):
    text = f"{service.pk} | {LINK} | 100"
    page = check(text)

    first, second = pay(page, text), pay(page, text)

    assert first.url == second.url == reverse("orders:list")
    assert Order.objects.count() == 1


def test_mass_page_when_a_line_goes_bad_between_the_presses_then_nothing_is_ordered(check, pay, service):
    text = f"{service.pk} | {LINK} | 100"
    page = check(text)
    Service.objects.update(paused_because="rate unit")

    answer = pay(page, text)

    assert "This service is paused." in rows(answer)[1]
    assert Order.objects.count() == 0


def test_mass_page_when_its_id_is_no_id_then_it_orders_nothing_and_says_so(check, pay, service):
    text = f"{service.pk} | {LINK} | 100"

    answer = pay(check(text), text, request_id="nonsense")

    assert alerts(answer) == "This page is out of date or damaged. Check the lines again."
    assert Order.objects.count() == 0


def test_mass_page_for_a_visitor_or_without_a_token_then_it_is_closed(client, ann):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)

    assert client.get(URL).url == f"/accounts/login/?next={URL}"
    assert strict.post(URL, {"text": "1|a|1"}).status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_mass_page_when_there_are_more_lines_then_the_queries_stay(
    shop, place, service, count, django_assert_num_queries
):
    text = "\n".join(f"{place(link=f'{LINK}/{n}').service_id} | {LINK}/{n} | 10" for n in range(count))
    shop.get(URL)

    # session, user, rules, services, open orders like these, the wallet of the bill and of the header
    with django_assert_num_queries(7):
        shop.post(URL, {"text": text})
