"""The wallet page: the balance, the ledger that explains it, and nobody else's."""

import pytest
from django.urls import reverse

from tests.pages import page_words
from wallet.models import LedgerEntry
from wallet.operations import adjust, credit, debit

KIND = LedgerEntry.Kind


@pytest.fixture
def spend(ann):
    """Take money from Ann's wallet for an order of that number: `spend(5, 1_250_000)`."""

    def take(order_id: int, micros: int):
        return debit(
            user=ann, amount_micros=micros, kind=KIND.CHARGE, reference=f"order:{order_id}", note=f"Thing {order_id}"
        )

    return take


def test_home_shows_the_balance_and_every_movement_newest_first(client, ann, spend):
    spend(5, 1_250_000)
    credit(user=ann, amount_micros=525_000, kind=KIND.REFUND, reference="order:5:refund:525000", note="Thing 5")
    client.force_login(ann)

    text = page_words(client.get(reverse("wallet:home")))

    assert "Your balance $99.275" in text
    movements = text[text.index("Balance after") :]
    refund, charge, top_up = (movements.index(words) for words in ("Refund #5", "Order #5", "Adjustment"))
    assert refund < charge < top_up
    assert "+$0.525 $99.275" in movements[refund:charge]
    assert "-$1.25 $98.75" in movements[charge:top_up]
    assert "+$100.00 $100.00" in movements[top_up:]


def test_home_links_orders_and_nothing_else(client, ann, spend, sam):
    spend(5, 1_000_000)
    adjust(user=ann, amount_micros=1_000_000, note="A mistake of ours", actor=sam, reference="reorder:7")
    client.force_login(ann)

    page = client.get(reverse("wallet:home")).content.decode()

    assert f'href="{reverse("orders:detail", args=[5])}"' in page
    assert reverse("orders:detail", args=[7]) not in page
    assert "A mistake of ours" in page


def test_home_shows_nothing_of_other_peoples(client, ann, ben, spend):
    spend(5, 1_000_000)
    client.force_login(ben)

    text = page_words(client.get(reverse("wallet:home")))

    assert "Thing 5" not in text
    assert "Your balance $100.00" in text


def test_home_counts_on_from_one_page_to_the_next(client, ann, spend):
    for order_id in range(1, 26):  # with the top-up one more than a page holds
        spend(order_id, 1_000_000)
    client.force_login(ann)

    first = page_words(client.get(reverse("wallet:home")))
    second = page_words(client.get(reverse("wallet:home"), {"page": "2"}))

    assert "-$1.00 $75.00" in first
    assert "-$1.00 $99.00" in first
    assert "+$100.00 $100.00" in second
    assert "Order #" not in second


def test_home_of_a_new_customer_says_that_there_is_nothing_and_where_to_ask(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("new@example.com", "correct horse battery"))

    page = client.get(reverse("wallet:home"))

    text = page_words(page)
    assert "Your balance $0.00" in text
    assert "Nothing yet" in text
    assert f'href="{reverse("support:help")}"' in page.content.decode()


def test_home_sends_a_visitor_to_sign_in_and_back(client, db):
    assert client.get(reverse("wallet:home")).url == "/accounts/login/?next=/wallet/"


@pytest.mark.parametrize("count", [1, 3])
def test_home_needs_the_same_queries_for_any_number_of_movements(client, ann, spend, count, django_assert_num_queries):
    for order_id in range(1, count + 1):
        spend(order_id, 1_000_000)
    client.force_login(ann)

    # session, user, wallet, count, entries, their balances; what is reserved, owed and under way; the header
    with django_assert_num_queries(10):
        client.get(reverse("wallet:home"))
