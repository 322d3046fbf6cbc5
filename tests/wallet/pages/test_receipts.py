"""Receipts: one for each payment that came in, numbered without gaps, printable, and nobody else's."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.urls import reverse

from tests.conftest import customer
from tests.pages import page_words
from tests.wallet.paying import demo_says, start
from wallet.gateways import State
from wallet.models import Receipt, TopUp
from wallet.operations import close_review, confirm_top_up
from wallet.receipts import tax_in

DOLLAR = 1_000_000


@pytest.fixture(autouse=True)
def _demo(demo_gateway):
    """Payments come in through the demo gateway."""


@pytest.fixture
def paid(ann):
    """A payment of Ann's over 10.00 that came in."""
    top_up = start(ann, "demo")
    assert demo_says(top_up, State.PAID) == 200
    return top_up


def numbers() -> list[int]:
    return list(Receipt.objects.order_by("number").values_list("number", flat=True))


def test_a_payment_that_comes_in_gets_one_receipt_whatever_is_repeated(paid, ann):
    demo_says(paid, State.PAID)

    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.user, receipt.top_up) == (1, ann, paid)
    assert (receipt.total_micros, receipt.currency, receipt.tax_micros) == (10 * DOLLAR, "USD", 0)


@pytest.mark.parametrize("state", [State.PENDING, State.DECLINED, State.EXPIRED])
def test_a_payment_that_does_not_come_in_gets_none(ann, state):
    demo_says(start(ann, "demo"), state)

    assert numbers() == []


def test_half_a_payment_gets_its_receipt_when_staff_has_closed_it(ann, sam):
    top_up = start(ann, "demo")
    demo_says(top_up, State.PAID, amount_micros=4 * DOLLAR)
    assert numbers() == []

    close_review(top_up=TopUp.objects.get(pk=top_up.pk), actor=sam)

    assert Receipt.objects.get().total_micros == 4 * DOLLAR


def test_half_a_payment_gets_its_receipt_over_the_whole_when_staff_has_confirmed_it(ann, sam):
    top_up = start(ann, "demo")
    demo_says(top_up, State.PAID, amount_micros=4 * DOLLAR)

    confirm_top_up(top_up=TopUp.objects.get(pk=top_up.pk), received_micros=10 * DOLLAR, actor=sam)

    assert Receipt.objects.get().total_micros == 10 * DOLLAR


def test_a_receipt_keeps_the_seller_and_the_tax_of_its_day(ann, settings):
    settings.SELLER_DETAILS, settings.RECEIPT_TAX_PERCENT = "Shop Ltd\nHigh Street 1", Decimal(20)
    demo_says(start(ann, "demo"), State.PAID)
    settings.SELLER_DETAILS, settings.RECEIPT_TAX_PERCENT = "Another", Decimal(7)

    receipt = Receipt.objects.get()

    assert (receipt.seller, receipt.tax_percent, receipt.tax_micros) == ("Shop Ltd\nHigh Street 1", 20, 1_670_000)


@pytest.mark.parametrize(
    ("total", "percent", "currency", "tax"),
    [
        (10_000_000, "0", "USD", 0),
        (11_900_000, "19", "USD", 1_900_000),
        (10_000_000, "19", "USD", 1_600_000),  # 1.5966
        (30_000, "20", "USD", 10_000),  # half a cent, up
        (120_000_000, "20", "JPY", 20_000_000),
        (1_000_000, "8.10", "KWD", 75_000),  # 0.07493
    ],
)
def test_tax_is_contained_in_the_total(total, percent, currency, tax):
    assert tax_in(total, Decimal(percent), currency) == tax


def test_a_payment_rolled_back_leaves_no_gap(ann, paid):
    broken, good = start(ann, "demo"), start(ann, "demo")
    with transaction.atomic():
        demo_says(broken, State.PAID)
        assert numbers() == [1, 2]
        transaction.set_rollback(True)
    demo_says(good, State.PAID)

    assert numbers() == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_payments_at_once_are_numbered_without_gaps_although_some_are_rolled_back(ann, ben):
    payments = [start(user, "demo") for user in (ann, ben) * 6]

    def come_in(number: int) -> None:
        try:
            with transaction.atomic():
                demo_says(payments[number], State.PAID)
                transaction.set_rollback(number % 3 == 0)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(come_in, range(12)))

    assert numbers() == list(range(1, 9))


def test_the_page_is_a_receipt_with_everything_on_it(client, ann, settings):
    settings.SELLER_DETAILS, settings.RECEIPT_TAX_PERCENT = "Shop Ltd\nHigh Street 1", Decimal(20)
    demo_says(start(ann, "demo"), State.PAID)
    client.force_login(ann)

    words = page_words(client.get(reverse("wallet:receipt", args=[1])))

    for text in (
        "Receipt 1",
        "Shop Ltd High Street 1",
        "Customer ann@example.com",
        "Before tax $8.33",
        "Tax, 20% $1.67",
        "Total paid $10.00",
        TopUp.objects.get().reference,
    ):
        assert text in words
    assert "Refunded later" not in words


def test_the_page_speaks_the_customers_language(client, paid, ann, settings):
    client.force_login(ann)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ru"

    page = client.get(reverse("wallet:receipt", args=[1])).content.decode()

    assert '<html lang="ru">' in page
    assert "10,00" in page


def test_a_payment_taken_back_shows_as_such(client, paid, ann):
    demo_says(paid, State.REFUNDED, amount_micros=4 * DOLLAR)
    client.force_login(ann)

    assert "Refunded later $4.00" in page_words(client.get(reverse("wallet:receipt", args=[1])))
    assert f"{paid.reference} · reversed $10.00" in page_words(client.get(reverse("wallet:receipts")))
    assert "Payment reversal" in page_words(client.get(reverse("wallet:home")))


def test_receipts_are_ones_own(client, paid, ben):
    client.force_login(ben)

    assert client.get(reverse("wallet:receipt", args=[1])).status_code == 404
    assert client.get(reverse("wallet:receipt", args=[2])).status_code == 404
    assert client.get(f"/wallet/receipts/{10**30}").status_code == 404
    assert paid.reference not in client.get(reverse("wallet:receipts")).content.decode()


@pytest.mark.parametrize("count", [1, 4])
def test_receipts_need_the_same_queries_for_any_number(client, count, django_assert_num_queries, db):
    kim = customer("kim@example.com")
    for _payment in range(count):
        demo_says(start(kim, "demo"), State.PAID)
    client.force_login(kim)

    with django_assert_num_queries(8):  # session, user, wallet, months, count, receipts, the header
        client.get(reverse("wallet:receipts"))
