"""Cashback: a share of what an order really left, once, when it is final; taken back as the order is refunded."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import CustomerGroup, User
from accounts.preferences import LEVELS_ON
from catalog.models import Service
from orders.accounting.audit import audit
from orders.accounting.report import Span, report, today
from orders.lifecycle.cashback import credit_cashback, forgo_cashback
from orders.lifecycle.final_margin import Left
from orders.lifecycle.referrals import credit_referrals
from orders.lifecycle.refunds import refund_up_to
from orders.models import CashbackEarning, Order, OrderEvent, ReferralEarning, RefundReason, Status
from orders.placing.place import place_order
from orders.tasks import credit_cashback as task
from tests.conftest import customer
from tests.orders.attention import Flag, flag
from tests.orders.couponing import balance, coupon
from tests.pages import page_words
from tests.preferences.known import prefer
from wallet.models import LedgerEntry, Receivable
from wallet.operations import credit, debit

pytestmark = pytest.mark.sqlite
State = CashbackEarning.State
WEEK = timedelta(days=7)
Place = Callable[..., Order]


@pytest.fixture(autouse=True)
def on(settings: Any, db: None) -> None:
    settings.LATE_CHANGE_DAYS = 7
    settings.REFERRAL_PERCENT = Decimal(0)
    prefer(LEVELS_ON, True)


@pytest.fixture
def ann(db: None) -> User:
    """She is in a group that gives twenty percent of the margin back."""
    return in_group(customer("ann@example.com", money="100.00"))


def in_group(user: User, percent: str = "20") -> User:
    user.group = CustomerGroup.objects.create(name=f"Silver {user.pk}", cashback_percent=Decimal(percent))
    user.save(update_fields=["group"])
    return User.objects.get(pk=user.pk)


def finish(order: Order, **fields: Any) -> Order:
    """Finish the order a week ago: it cost 1.50 and was sold for 1.875."""
    values = {"status": Status.COMPLETED, "finished_at": timezone.now() - WEEK, "charge_upstream_micros": 1_500_000}
    Order.objects.filter(pk=order.pk).update(**{**values, **fields})
    CashbackEarning.objects.filter(order=order).update(due_at=timezone.now())
    ReferralEarning.objects.filter(order=order).update(due_at=timezone.now())
    return Order.objects.get(pk=order.pk)


def earned(order: Order) -> tuple[str, int, int]:
    return CashbackEarning.objects.values_list("state", "amount_micros", "taken_back_micros").get(order=order)


def refund(order: Order, total_micros: int) -> int:
    fresh = Order.objects.get(pk=order.pk)
    return refund_up_to(fresh, total_micros, why=RefundReason.PARTIAL, now=timezone.now())


def problems() -> list[str]:
    """What the audit finds, but for what a test paid out by hand."""
    return [text for text in audit(client=None, now=timezone.now()).problems if "withdrawal" not in text]


# --- The promise ------------------------------------------------------------------------------------------------------
def test_an_order_notes_what_was_promised_when_it_was_placed(place: Place, ann: User) -> None:
    order = place()
    CustomerGroup.objects.update(cashback_percent=90)

    row = CashbackEarning.objects.get()
    assert (row.order, row.user, row.state, row.percent) == (order, ann, State.WAITING, 20)
    assert row.due_at == order.created_at + WEEK


def test_nothing_is_promised_while_it_is_off_to_staff_or_without_a_share(place: Place, ann: User, ben: User) -> None:
    prefer(LEVELS_ON, False)
    place(link="https://example.com/off")
    prefer(LEVELS_ON, True)
    place(user=ben, link="https://example.com/ben")
    place(user=in_group(ben, "0"), link="https://example.com/none")
    User.objects.filter(pk=ann.pk).update(is_staff=True)
    place(user=User.objects.get(pk=ann.pk), link="https://example.com/staff")

    assert not CashbackEarning.objects.exists()


# --- The credit -------------------------------------------------------------------------------------------------------
def test_a_final_order_is_credited_once(place: Place, ann: User) -> None:
    order = finish(place())
    before = balance(ann)

    assert credit_cashback(now=timezone.now()) == 1
    task()

    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.CASHBACK)
    assert (entry.wallet.user, entry.amount_micros, entry.reference) == (ann, 75_000, f"order:{order.pk}:cashback")
    assert (earned(order), balance(ann)) == ((State.CREDITED, 75_000, 0), before + 75_000)
    assert problems() == []


@pytest.mark.parametrize(
    ("fields", "share"),
    [
        ({"charge_upstream_micros": 1_200_000}, 135_000),
        ({"charge_upstream_micros": None}, 75_000),
        ({"exchange_rate_micros": 1_200_000}, 15_000),
        ({"status": Status.PARTIAL, "refunded_micros": 468_700, "charge_upstream_micros": 1_125_000}, 56_200),
    ],
)
def test_it_goes_by_what_was_kept_and_what_it_really_cost(place: Place, fields: dict[str, Any], share: int) -> None:
    order = finish(place(), **fields)

    credit_cashback(now=timezone.now())

    assert earned(order) == (State.CREDITED, share, 0)


def test_a_coupon_leaves_less_to_share(place: Place) -> None:
    coupon()
    order = finish(place(coupon="SPRING"))

    credit_cashback(now=timezone.now())

    assert earned(order) == (State.CREDITED, 37_500, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"charge_upstream_micros": 1_875_000},
        {"refunded_micros": 375_000},
        {"status": Status.FAILED},
        {"status": Status.CANCELED, "refunded_micros": 1_875_000},
    ],
)
def test_where_nothing_was_left_nothing_is_earned(place: Place, ann: User, fields: dict[str, Any]) -> None:
    order = finish(place(), **fields)
    before = balance(ann)

    assert credit_cashback(now=timezone.now()) == 0

    assert (earned(order), balance(ann)) == ((State.VOID, 0, 0), before)


def test_an_order_that_was_bought_twice_earns_nothing(place: Place) -> None:
    order = finish(place())
    OrderEvent.objects.create(order=order, code=OrderEvent.Code.LOSS, status=order.status)

    credit_cashback(now=timezone.now())

    assert earned(order) == (State.VOID, 0, 0)


@pytest.mark.parametrize("fields", [{"status": Status.IN_PROGRESS, "finished_at": None}, {"finished_at": None}, {}])
def test_what_may_still_change_waits(place: Place, fields: dict[str, Any]) -> None:
    order = finish(place(), **fields)
    if not fields:
        flag(order, Flag.CHANGED_LATE, before=Status.COMPLETED, word="Partial")

    assert credit_cashback(now=timezone.now()) == 0

    row = CashbackEarning.objects.get(order=order)
    assert row.state == State.WAITING
    assert row.due_at > timezone.now()


def test_it_and_a_referral_together_leave_the_floor(place: Place, ann: User, settings: Any) -> None:
    settings.REFERRAL_PERCENT = Decimal(70)
    settings.FLOOR_MARGIN_PERCENT = Decimal(5)
    rita = customer("rita@example.com")
    User.objects.filter(pk=ann.pk).update(referred_by=rita)
    CustomerGroup.objects.update(cashback_percent=60)
    user = User.objects.get(pk=ann.pk)
    first, second = (finish(place(user=user, link=f"https://example.com/{number}")) for number in range(2))
    Order.objects.filter(pk=second.pk).update(status=Status.IN_PROGRESS)
    credit_referrals(now=timezone.now())
    Order.objects.filter(pk=second.pk).update(status=Status.COMPLETED)
    CashbackEarning.objects.update(due_at=timezone.now())

    assert credit_cashback(now=timezone.now()) == 2
    ReferralEarning.objects.update(due_at=timezone.now())
    credit_referrals(now=timezone.now() + timedelta(days=2))

    # 0.375 of margin, 0.075 of it the floor's: the referral's 0.2625 first, then what is left of 0.30.
    for order in (first, second):
        assert ReferralEarning.objects.get(order=order).amount_micros == 262_500
        assert earned(order) == (State.CREDITED, 37_500, 0)
    assert problems() == []


@given(
    kept=st.integers(0, 10**10),
    cost=st.integers(0, 10**10),
    percents=st.tuples(st.decimals(0, 100, places=2), st.decimals(0, 100, places=2)),
    floor=st.decimals(0, 100, places=2),
)
def test_two_shares_are_never_more_than_the_margin(kept: int, cost: int, percents: Any, floor: Decimal) -> None:
    left = Left(kept, cost, floor)

    first = left.share_micros(percents[0])
    both = first + left.share_micros(percents[1], beside_micros=first)

    assert 0 <= both <= max(0, kept - cost)


# --- Taken back -------------------------------------------------------------------------------------------------------
def test_a_refund_takes_back_its_share_and_the_whole_all_of_it(place: Place, ann: User) -> None:
    order = finish(place())
    credit_cashback(now=timezone.now())
    before = balance(ann)

    assert refund(order, 625_000) == 625_000  # a third
    assert earned(order) == (State.CREDITED, 75_000, 25_000)
    assert balance(ann) == before + 625_000 - 25_000
    assert problems() == []
    assert refund(order, 625_000) == 0  # nothing more was due
    refund(order, 1_875_000)

    assert earned(order) == (State.CREDITED, 75_000, 75_000)
    assert balance(ann) == before + 1_875_000 - 75_000
    assert problems() == []


def test_a_refund_before_the_credit_takes_nothing(place: Place, ann: User) -> None:
    order = finish(place())
    before = balance(ann)

    refund(order, 100_000)

    assert balance(ann) == before + 100_000
    credit_cashback(now=timezone.now())
    assert earned(order) == (State.CREDITED, 55_000, 0)


def test_what_the_wallet_does_not_hold_is_owed(place: Place, ann: User) -> None:
    order = finish(place())
    credit_cashback(now=timezone.now())
    debit(user=ann, amount_micros=balance(ann), kind=LedgerEntry.Kind.WITHDRAWAL, reference="out")
    Receivable.objects.create(user=ann, amount_micros=600_000, note="a payment that was taken back")

    refund(order, 625_000)  # pays the debt first, and 0.025 of cashback goes back

    assert balance(ann) == 0
    refund(order, 635_000)
    row = CashbackEarning.objects.get(order=order)
    assert (row.taken_back_micros, row.owed_micros) == (25_400, 0)
    assert problems() == []

    Receivable.objects.create(user=ann, amount_micros=5_000_000, note="another")
    debit(user=ann, amount_micros=balance(ann), kind=LedgerEntry.Kind.WITHDRAWAL, reference="out again")
    refund(order, 1_875_000)

    row.refresh_from_db()
    assert (row.taken_back_micros, row.owed_micros, balance(ann)) == (75_000, 49_600, 0)
    assert Receivable.objects.order_by("pk").last().amount_micros == 49_600  # type: ignore[union-attr]
    assert problems() == []


def test_a_refund_of_an_order_without_cashback_asks_nothing_more(place: Place, ben: User) -> None:
    order = finish(place(user=ben, link="https://example.com/ben"))
    with CaptureQueriesContext(connection) as asked:
        refund(order, 100_000)

    assert not [query for query in asked if "cashback" in query["sql"]]


def test_what_waits_when_an_account_goes_comes_to_nothing(place: Place, ann: User) -> None:
    order = finish(place())

    assert forgo_cashback(ann, now=timezone.now()) == 1

    assert credit_cashback(now=timezone.now()) == 0
    assert earned(order) == (State.VOID, 0, 0)


# --- The books --------------------------------------------------------------------------------------------------------
def test_the_books_show_it_and_what_the_shop_owes_still_adds_up(place: Place, ann: User) -> None:
    order = finish(place())
    credit_cashback(now=timezone.now())
    refund(order, 625_000)

    day = today()
    line = report([Span(day, day)]).whole

    assert line.cashback == 50_000
    assert line.liability == balance(ann)


def test_the_audit_finds_what_was_credited_without_an_order_and_what_was_not(place: Place, ann: User) -> None:
    order = finish(place())
    credit_cashback(now=timezone.now())
    credit(user=ann, amount_micros=5, kind=LedgerEntry.Kind.CASHBACK, reference="gift")
    CashbackEarning.objects.filter(order=order).update(amount_micros=80_000)

    assert problems() == [
        f"order 0: it earned customer {ann.pk} 0.00 of cashback, but the ledger credited 0.000005",
        f"order {order.pk}: it earned customer {ann.pk} 0.08 of cashback, but the ledger credited 0.075",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "credited"},
        {"amount_micros": 5},
        {"state": "credited", "amount_micros": 5, "kept_micros": 4},
        {"state": "credited", "amount_micros": 5, "kept_micros": 9, "taken_back_micros": 6},
        {"state": "credited", "amount_micros": 5, "kept_micros": 9, "taken_back_micros": 1, "owed_micros": 2},
    ],
)
def test_the_database_refuses_what_cannot_be(place: Place, fields: dict[str, Any]) -> None:
    place()

    with pytest.raises(IntegrityError), transaction.atomic():
        CashbackEarning.objects.update(**fields)


def test_the_statement_names_it(place: Place, ann: User, client: Any) -> None:
    finish(place())
    credit_cashback(now=timezone.now())
    client.force_login(ann)

    assert "Cashback" in page_words(client.get(reverse("wallet:home")))


# --- Many at once -----------------------------------------------------------------------------------------------------
def bought(user: User, service: Service, number: int) -> Order:
    fresh = Service.objects.select_related("category").get(pk=service.pk)
    common = {"user": user, "service": fresh, "quantity": 1000, "link": f"https://example.com/{number}"}
    return finish(place_order(**common, request_id=str(number), now=timezone.now()))


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_credit_once_each(service: Service) -> None:
    prefer(LEVELS_ON, True)
    ann = in_group(customer("ann@example.com", money="100.00"))
    for number in range(5):
        bought(ann, service, number)
    before = balance(ann)

    def work(_number: int) -> int:
        try:
            return credit_cashback(now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        credited = sum(threads.map(work, range(6)))

    assert (credited, balance(ann)) == (5, before + 375_000)
    assert problems() == []


@pytest.mark.django_db(transaction=True)
def test_refunds_beside_the_credit_never_leave_more_than_their_order_earned(service: Service) -> None:
    prefer(LEVELS_ON, True)
    ann = in_group(customer("ann@example.com", money="100.00"))
    orders = [bought(ann, service, number) for number in range(4)]

    def work(task: Callable[[], Any]) -> None:
        try:
            task()
        finally:
            connection.close()

    def give_back(order: Order, micros: int) -> Callable[[], Any]:
        return lambda: refund(order, micros)

    tasks: list[Callable[[], Any]] = [lambda: credit_cashback(now=timezone.now()) for _each in range(2)]
    tasks += [give_back(order, micros) for order in orders for micros in (100_000, 1_875_000)]
    with ThreadPoolExecutor(len(tasks)) as threads:
        list(threads.map(work, tasks))
    credit_cashback(now=timezone.now())

    for row in CashbackEarning.objects.all():
        assert row.amount_micros == row.taken_back_micros
    assert not LedgerEntry.objects.filter(kind="cashback").exclude(wallet__user=ann).exists()
    assert problems() == []
