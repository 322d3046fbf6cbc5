"""The statement: filters, the balance after each movement whatever they show, CSV, and months."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from tests.conftest import customer
from tests.orders.quoting import signed
from tests.pages import page_words
from tests.wallet.paying import demo_says, start
from upstream.money import text_from_micros
from wallet.gateways import State
from wallet.models import LedgerEntry, Receivable, Wallet
from wallet.operations import wallet_of
from wallet.statement import months_of

pytestmark = pytest.mark.sqlite

DOLLAR = 1_000_000
KIND = LedgerEntry.Kind
HOME = "/wallet/"


@pytest.fixture
def kim(db):
    return customer("kim@example.com")


def move(user, dollars: float, kind: str, reference: str, when: str = "", note: str = "") -> None:
    """One movement, now or at noon of a day of 2026 given as "10-31"; rows are never edited, so it is written so."""
    moment = datetime.strptime(f"2026-{when} 12:00", "%Y-%m-%d %H:%M").replace(tzinfo=UTC) if when else timezone.now()
    wallet, amount_micros = wallet_of(user), round(dollars * DOLLAR)
    Wallet.objects.filter(pk=wallet.pk).update(balance_micros=F("balance_micros") + amount_micros)
    LedgerEntry.objects.create(
        wallet=wallet, amount_micros=amount_micros, kind=kind, reference=reference, note=note, created_at=moment
    )


@pytest.fixture
def moves(kim):
    """Half a year of Kim's."""
    move(kim, 20, KIND.TOP_UP, "top_up:ABCDEFGH2345", "09-30")
    move(kim, 2, KIND.BONUS, "top_up:ABCDEFGH2345:bonus", "09-30")
    move(kim, -5, KIND.CHARGE, "order:7", "10-01", "Followers")
    move(kim, -1.5, KIND.CHARGE, "order:77", "10-15", "Likes")
    move(kim, 1.25, KIND.REFUND, "order:7:refund:1250000", "10-31", "Followers")
    move(kim, -10, KIND.REVERSAL, "top_up:ABCDEFGH2345:reversed:1", "11-01", "Payment ABCDEFGH2345 was reversed")
    move(kim, 3, KIND.ADJUSTMENT, "a:1", "11-02", "=1+1")


@pytest.fixture
def shop(client, kim):
    client.force_login(kim)
    return client


def shown(response) -> list[tuple[str, str]]:
    """Reference and balance after of the rows on the page, as they stand there."""
    return [(row.entry.reference, text_from_micros(row.balance_after_micros)) for row in response.context["rows"]]


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ({"kind": "refund"}, [("order:7:refund:1250000", "16.75")]),
        ({"q": "7"}, [("order:7:refund:1250000", "16.75"), ("order:7", "17.00")]),
        ({"q": "#77"}, [("order:77", "15.50")]),
        (
            {"q": "abcdefgh2345"},
            [
                ("top_up:ABCDEFGH2345:reversed:1", "6.75"),
                ("top_up:ABCDEFGH2345:bonus", "22.00"),
                ("top_up:ABCDEFGH2345", "20.00"),
            ],
        ),
        ({"since": "2026-10-15", "until": "2026-10-31"}, [("order:7:refund:1250000", "16.75"), ("order:77", "15.50")]),
        ({"since": "2026-11-02"}, [("a:1", "9.75")]),
        ({"until": "2026-09-30", "kind": "bonus"}, [("top_up:ABCDEFGH2345:bonus", "22.00")]),
        ({"since": "2026-10-31", "until": "2026-10-01"}, []),
        ({"q": "Likes"}, [("order:77", "15.50")]),
        ({"q": "78"}, []),
    ],
)
def test_home_shows_what_the_filter_asks_for_with_the_balance_of_the_whole_wallet(shop, moves, asked, rows):
    response = shop.get(HOME, asked)

    assert shown(response) == rows
    assert ("No matching transactions" in page_words(response)) == (not rows)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "everything"},
        {"since": "yesterday"},
        {"since": "0001-01-01", "until": "9999-12-31"},
        {"q": "\x00"},
        {"q": "x" * 101},
        {"page": "many"},
    ],
)
def test_home_takes_nonsense_for_no_filter(shop, moves, asked):
    assert len(shown(shop.get(HOME, asked))) == 7


def test_home_pages_keep_the_filter_and_the_balances(shop, kim):
    for number in range(1, 31):
        move(kim, 1, KIND.TOP_UP, f"t:{number}")
        move(kim, -0.5, KIND.CHARGE, f"order:{number}")

    response = shop.get(HOME, {"kind": "charge", "page": "2"})

    assert shown(response) == [(f"order:{number}", text_from_micros(number * 500_000)) for number in range(5, 0, -1)]
    assert "kind=charge" in response.content.decode()


@pytest.mark.parametrize("count", [2, 20])
def test_home_with_a_filter_needs_the_same_queries_for_any_number(shop, kim, count, django_assert_num_queries):
    for number in range(1, count):
        move(kim, 1, KIND.TOP_UP, f"t:{number}")

    with django_assert_num_queries(10):
        assert len(shown(shop.get(HOME, {"kind": "top_up", "until": "2999-01-01"}))) == count - 1


def test_home_says_what_is_reserved_owed_and_under_way(shop, kim, service, settings):
    settings.DEBUG = True
    from orders.placing.place import place_order  # a shop with orders shows what they hold

    move(kim, 10, KIND.TOP_UP, "t")
    for number in ("1", "2"):
        quote = signed(kim, service)
        place_order(
            user=kim,
            service=service,
            quantity=1000,
            link=f"https://x.com/{number}",
            quote=quote,
            request_id=number,
            now=timezone.now(),
        )
    top_up = start(kim, "demo", 12)
    Receivable.objects.create(user=kim, amount_micros=3 * DOLLAR, paid_micros=DOLLAR, top_up=top_up)

    words = page_words(shop.get(HOME))

    assert "Reserved for 2 orders not sent yet $3.75" in words
    assert "Your balance $6.25" in words
    assert "One of your payments was reversed, and $2.00 of it is still owed." in words
    assert f"{top_up.reference} $12.00 Not paid yet" in words


# --- CSV ------------------------------------------------------------------------------------------------------------
def lines_of(response) -> list[dict[str, str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.streaming
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_statement_sends_the_filtered_movements_oldest_first_with_the_wallets_balances(shop, moves):
    lines = lines_of(shop.get(reverse("wallet:statement"), {"q": "7"}))

    assert [(line["Reference"], line["Amount"], line["Balance after"]) for line in lines] == [
        ("order:7", "-5.00", "17.00"),
        ("order:7:refund:1250000", "1.25", "16.75"),
    ]
    assert lines[0]["Time"] == "2026-10-01T12:00:00+00:00"
    assert (lines[0]["Transaction"], lines[0]["Order"], lines[0]["Currency"]) == ("Order", "7", "USD")


def test_statement_without_a_filter_sends_everything_and_no_formula(shop, moves):
    lines = lines_of(shop.get(reverse("wallet:statement")))

    assert len(lines) == 7
    assert lines[-1]["Note"] == "'=1+1"
    assert lines[-1]["Balance after"] == "9.75"


def test_statement_reads_in_one_query_however_long_it_is(shop, moves, django_assert_num_queries):
    with django_assert_num_queries(4):  # session, user, wallet, entries
        assert len(lines_of(shop.get(reverse("wallet:statement"), {"kind": "charge"}))) == 2


def test_month_sends_its_days_in_the_shops_time_zone(shop, moves, kim, settings):
    settings.TIME_ZONE = "Pacific/Kiritimati"  # fourteen hours ahead: noon of the 30th is the 1st of October there
    with timezone.override(None):
        lines = lines_of(shop.get(reverse("wallet:month", args=[2026, 10])))

    assert [line["Reference"] for line in lines] == [
        "top_up:ABCDEFGH2345",
        "top_up:ABCDEFGH2345:bonus",
        "order:7",
        "order:77",
    ]


def test_months_add_up(kim, moves):
    months = [
        (f"{month.begins:%Y-%m}", month.movements, month.in_micros, month.out_micros, month.balance_micros)
        for month in months_of(kim.wallet)
    ]

    assert months == [
        ("2026-11", 2, 3 * DOLLAR, -10 * DOLLAR, 9_750_000),
        ("2026-10", 3, 1_250_000, -6_500_000, 16_750_000),
        ("2026-09", 2, 22 * DOLLAR, 0, 22 * DOLLAR),
    ]


def test_months_of_a_wallet_with_very_many_movements_are_those_since_its_first_without_sums(kim, moves):
    assert [(month.begins.month, month.movements, month.in_micros) for month in months_of(kim.wallet, most=6)] == [
        (11, None, None),
        (10, None, None),
        (9, None, None),
    ]
    assert months_of(kim.wallet, most=7)[0].movements == 2


def test_receipts_list_the_months_to_download(shop, moves):
    page = shop.get(reverse("wallet:receipts")).content.decode()

    for month in (9, 10, 11):
        address = reverse("wallet:month", args=[2026, month])
        assert f'href="{address}"' in page
        assert lines_of(shop.get(address))


@pytest.mark.parametrize("month", [(2026, 13), (2026, 0), (0, 1), (99999, 1)])
def test_month_that_is_none_is_not_found(shop, month):
    assert shop.get(reverse("wallet:month", args=month)).status_code == 404


def test_statement_holds_nothing_of_other_peoples(client, ben, moves):
    client.force_login(ben)

    for address in (reverse("wallet:statement"), reverse("wallet:month", args=[2026, 10])):
        assert "order:7" not in str(lines_of(client.get(address)))


def test_statement_sends_a_visitor_to_sign_in(client, db):
    for name, args in [("statement", []), ("month", [2026, 10]), ("receipts", []), ("receipt", [1])]:
        assert client.get(reverse(f"wallet:{name}", args=args)).url.startswith("/accounts/login/")


def test_home_links_a_movement_to_its_payment(shop, kim, settings):
    settings.DEBUG = True
    top_up = start(kim, "demo")
    demo_says(top_up, State.PAID)

    assert f'href="{reverse("wallet:payment", args=[top_up.reference])}"' in shop.get(HOME).content.decode()
