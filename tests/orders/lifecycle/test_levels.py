"""Levels: customers come and go by what they spent in thirty days, and read where they stand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup, User
from accounts.preferences import LEVELS_ON
from accounts.rights import OWNER
from orders.lifecycle.levels import move_customers, standing_of
from orders.models import Order, Status
from orders.tasks import move_customers as task
from tests.conftest import customer
from tests.pages import page_words
from tests.preferences.known import prefer
from tests.security.staff import at_the_admin
from tests.storefront.admin_rows import make_order

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
DOLLAR = 1_000_000


@pytest.fixture
def silver(db: None) -> CustomerGroup:
    prefer(LEVELS_ON, True)
    return CustomerGroup.objects.create(name="Silver", automatic=True, spend_from_micros=100 * DOLLAR)


@pytest.fixture
def gold(silver: CustomerGroup) -> CustomerGroup:
    return CustomerGroup.objects.create(name="Gold", automatic=True, spend_from_micros=500 * DOLLAR, discount_percent=5)


def spend(user: User, dollars: int, *, days: int = 0, **fields: Any) -> Order:
    order = make_order(user)
    values = {"price_micros": dollars * DOLLAR, "created_at": timezone.now() - timedelta(days=days), **fields}
    Order.objects.filter(pk=order.pk).update(**values)
    return order


def group_of(user: User) -> str:
    return str(User.objects.select_related("group").get(pk=user.pk).group or "")


def move(days: float = 0) -> int:
    return move_customers(now=timezone.now() + timedelta(days=days))


@pytest.mark.usefixtures("gold")
def test_customers_come_to_the_level_of_what_they_spent_and_leave_it_again(ann: User, ben: User) -> None:
    for dollars, level in ((99, ""), (1, "Silver"), (399, "Silver"), (1, "Gold")):
        spend(ann, dollars)
        move()
        assert group_of(ann) == level
    spend(ben, 100)

    assert move() == 1
    assert (group_of(ann), group_of(ben)) == ("Gold", "Silver")
    assert move() == 0
    assert move(days=31) == 2
    assert (group_of(ann), group_of(ben)) == ("", "")


@pytest.mark.usefixtures("gold")
def test_only_what_was_kept_in_thirty_days_counts(ann: User) -> None:
    spend(ann, 600, days=31)
    spend(ann, 600, status=Status.FAILED)
    spend(ann, 600, status=Status.CANCELED)
    spend(ann, 600, refunded_micros=450 * DOLLAR)

    move()

    assert group_of(ann) == "Silver"


@pytest.mark.usefixtures("gold")
def test_who_was_put_elsewhere_staff_and_closed_accounts_stay(ann: User, ben: User, sam: User) -> None:
    own = CustomerGroup.objects.create(name="Friends")
    User.objects.filter(pk=ann.pk).update(group=own)
    User.objects.filter(pk=ben.pk).update(is_active=False)
    for user in (ann, ben, sam):
        spend(user, 600)

    assert move() == 0

    assert [group_of(user) for user in (ann, ben, sam)] == ["Friends", "", ""]


@pytest.mark.usefixtures("gold")
def test_while_it_is_off_nobody_moves_and_nothing_is_shown(ann: User) -> None:
    spend(ann, 600)
    prefer(LEVELS_ON, False)

    task()

    assert group_of(ann) == ""
    assert standing_of(ann, now=timezone.now()) is None
    prefer(LEVELS_ON, True)
    task()
    assert group_of(ann) == "Gold"


@pytest.mark.usefixtures("gold")
def test_a_round_asks_the_same_for_one_customer_and_for_many(ann: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            move()
        return len(asked)

    spend(ann, 200)
    move_customers(now=timezone.now() - timedelta(days=99))  # by now what is preferred is known
    one = statements()
    for number in range(5):
        spend(customer(f"c{number}@example.com"), 150 * (number + 1))

    assert statements() == one == 4  # the levels, those who leave, and one for each level
    assert User.objects.filter(group__automatic=True).count() == 6


@pytest.mark.usefixtures("gold")
def test_the_account_page_says_where_one_stands_without_pressing(ann: User, client: Client) -> None:
    client.force_login(ann)

    def page() -> str:
        return page_words(client.get(reverse("account")))

    assert "You have spent $0.00 in the last 30 days. $100.00 more, and you reach Silver." in page()
    spend(ann, 150)
    move()
    assert (
        "Your level: Silver . You have spent $150.00 in the last 30 days. $350.00 more, and you reach Gold." in page()
    )
    spend(ann, 350)
    move()
    assert "Your level: Gold . You have spent $500.00 in the last 30 days. Email addresses" in page()
    User.objects.filter(pk=ann.pk).update(group=CustomerGroup.objects.create(name="Friends"))
    assert "30 days" not in page()


def test_a_level_begins_somewhere_and_no_two_at_the_same_amount(silver: CustomerGroup, sam: User) -> None:
    desk, page = at_the_admin(sam), reverse("admin:accounts_customergroup_add")
    form = {"discount_percent": "0", "cashback_percent": "0", "automatic": "on"}

    answers = [desk.post(page, {**form, "name": f"L{amount}", "spend_from_micros": amount}) for amount in ("0", "100")]
    answer = desk.post(page, {**form, "name": "Gold", "spend_from_micros": "500", "cashback_percent": "2.5"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors

    assert [list(answer.context["adminform"].form.errors) for answer in answers] == [["spend_from_micros"]] * 2
    gold = CustomerGroup.objects.get(name="Gold")
    assert (gold.spend_from_micros, gold.cashback_percent, gold.automatic) == (500 * DOLLAR, Decimal("2.5"), True)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"cashback_percent": "9"}, True),
        ({"discount_percent": "9"}, True),
        ({"spend_from_micros": "1"}, True),
        ({"cashback_percent": "1"}, False),
        ({"name": "Another name"}, False),
    ],
)
def test_nobody_gives_more_to_whom_they_brought_to_the_shop(
    silver: CustomerGroup, ann: User, changed: dict[str, str], refused: bool
) -> None:
    olga = customer("olga@example.com", is_staff=True)
    olga.groups.add(Group.objects.get(name=OWNER))
    CustomerGroup.objects.update(cashback_percent=5, discount_percent=5)
    User.objects.filter(pk=ann.pk).update(referred_by=olga, group=silver)
    form = {"name": "Silver", "discount_percent": "5", "cashback_percent": "5", "automatic": "on",
            "spend_from_micros": "100"}  # fmt: skip

    answer = at_the_admin(olga).post(
        reverse("admin:accounts_customergroup_change", args=[silver.pk]), {**form, **changed}
    )

    assert answer.status_code == (200 if refused else 302)
