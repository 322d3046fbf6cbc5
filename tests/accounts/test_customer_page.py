"""The page of a customer: what each part of the shop knows of them, for whoever may see it, at a fixed price."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.admin.customer_blocks import blocks_of
from accounts.keys.api_keys import create_api_key
from accounts.models import User
from accounts.rights import FINANCE, SUPPORT
from notifications.models import Notice
from orders.accounting.report import Span, report, today
from orders.accounting.report.customer import line_of
from orders.lifecycle.refunds import refund_up_to
from orders.models import Order, RefundReason
from support.models import Ticket
from tests.conftest import customer
from tests.pages import page_words
from tests.storefront.admin_rows import make_order, make_rows
from wallet.models import TopUp
from wallet.operations import credit

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
EVERYTHING = {
    "Wallet", "Paid and left as margin", "Payments", "Orders", "SMS numbers", "Tickets", "Notices", "Signed in",
    "API keys",
}  # fmt: skip


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def titles(answer: Any) -> set[str]:
    return {block.title for block in answer.context["customer_blocks"]}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


def test_a_superuser_sees_every_block_and_the_lists_they_lead_to_open(desk: Client) -> None:
    make_rows(1)

    answer = desk.get(page_of(User.objects.get(email="customer1@example.com")))

    assert titles(answer) == EVERYTHING
    for block in answer.context["customer_blocks"]:
        for address in filter(None, [block.link, block.all_link, *(row.link for row in block.rows)]):
            assert desk.get(address).status_code == 200, address


def test_the_lists_hold_what_is_this_customers(desk: Client, ann: User, ben: User) -> None:
    orders = [make_order(ann), make_order(ann)]
    make_order(ben)

    (block,) = [block for block in desk.get(page_of(ann)).context["customer_blocks"] if block.title == "Orders"]
    rows = desk.get(block.all_link).context["cl"].result_list

    assert sorted(row.pk for row in rows) == [order.pk for order in orders]


@pytest.mark.parametrize(
    ("role", "hidden"),
    [(SUPPORT, {"Paid and left as margin"}), (FINANCE, {"Tickets", "Notices", "API keys"})],
)
def test_a_role_sees_what_it_may_see(role: str, hidden: set[str], ann: User, client: Client) -> None:
    clerk = customer("clerk@example.com", is_staff=True)
    clerk.groups.add(Group.objects.get(name=role))
    client.force_login(clerk)

    assert titles(client.get(page_of(ann))) == EVERYTHING - hidden


def test_who_may_see_customers_alone_sees_nothing_of_money(ann: User, client: Client) -> None:
    clerk = customer("clerk@example.com", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(clerk)

    answer = client.get(page_of(ann))

    assert titles(answer) == {"Signed in"}
    assert "All of them" not in page_words(answer)


def test_the_number_of_statements_does_not_grow(desk: Client, ann: User, sam: User) -> None:
    def fill() -> None:
        make_order(ann)
        figures = {"amount_micros": 5_000_000, "fee_micros": 0, "bonus_micros": 0, "pay_micros": 5_000_000}
        TopUp.objects.create(user=ann, gateway="stripe", currency="USD", status="paid", **figures)
        Ticket.objects.create(user=ann, reason="other", subject="Hello", waiting_since=timezone.now())
        Notice.objects.create(key=f"n{Notice.objects.count()}", user=ann, subject="News", body="text")
        create_api_key(user=ann, name="one")

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(page_of(ann)).status_code == 200
        return len(asked)

    fill()
    desk.get(page_of(ann))
    one = statements()
    for _each in range(6):
        fill()

    assert statements() == one <= 60
    request: Any = type("Request", (), {"user": User.objects.get(pk=sam.pk)})()
    with CaptureQueriesContext(connection) as asked:
        blocks_of(ann, request)
    assert len(asked) <= 19


def test_what_a_customer_left_is_what_the_books_say(ann: User) -> None:
    credit(user=ann, amount_micros=7_000_000, kind="bonus", reference="gift")
    sold = [make_order(ann) for _each in range(3)]
    for number, order in enumerate(sold):
        rate = 1_234_567 if number else 1_000_000
        order_row = Order.objects.filter(pk=order.pk)
        order_row.update(upstream_id=f"7{number}", charge_upstream_micros=333_333, exchange_rate_micros=rate)

    refund_up_to(sold[2], 500_000, why=RefundReason.CLAIM, now=timezone.now())

    line, day = line_of(ann), today()
    whole = report([Span(day, day)]).whole

    names = ("bonus", "by_hand", "sales", "discounts", "refunds", "cost", "claims", "referral")
    assert {name: getattr(line, name) for name in names} == {name: getattr(whole, name) for name in names}
    assert line.margin == whole.margin
    assert line.cost > 0
