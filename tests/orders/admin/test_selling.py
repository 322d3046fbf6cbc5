"""Coupons as staff makes them: what the form refuses, and that an open form loses nothing that happens meanwhile."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orders.admin.selling import CouponForm
from orders.models import Coupon
from tests.orders.couponing import coupon

pytestmark = pytest.mark.django_db

LIMITS = {"min_order_micros": "0", "per_customer": "1", "in_all": "0"}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def save(desk: Client, row: Coupon | None = None, **fields: Any) -> Any:
    names = ("valid_from_0", "valid_from_1", "valid_until_0", "valid_until_1")
    form = {
        "code": "SPRING",
        "active": "on",
        "percent": "10",
        "amount_micros": "0",
        **LIMITS,
        "used-TOTAL_FORMS": "0",
        "used-INITIAL_FORMS": "0",
        **dict.fromkeys(names, ""),
    }
    page = "add" if row is None else "change"
    address = reverse(f"admin:orders_coupon_{page}", args=[row.pk] if row else [])
    return desk.post(address, {**form, **fields})


def test_coupon_page_keeps_the_code_in_capitals_and_amounts_in_micros(desk):
    assert save(desk, code=" spring-24 ", percent="0", amount_micros="2.50", min_order_micros="10").status_code == 302

    row = Coupon.objects.get()
    assert (row.code, row.percent, row.amount_micros, row.min_order_micros) == ("SPRING-24", 0, 2_500_000, 10_000_000)


@pytest.mark.parametrize(
    ("fields", "field", "error"),
    [
        ({"code": "spríng"}, "code", "Use letters from A to Z, digits, hyphens and underscores."),
        ({"code": "old"}, "code", "A coupon with this code already exists."),
        ({"percent": "0"}, "__all__", "Enter either a percentage or an amount."),
        ({"amount_micros": "1"}, "__all__", "Enter either a percentage or an amount."),
        ({"percent": "100.01"}, "percent", "Ensure this value is less than or equal to 100."),
        ({"percent": "-1"}, "percent", "Ensure this value is greater than or equal to 0."),
        ({"percent": "0", "amount_micros": "-1"}, "amount_micros", "Ensure this value is greater than or equal to 0."),
        ({"amount_micros": "NaN"}, "amount_micros", "Enter a number."),
        ({"per_customer": "-1"}, "per_customer", "Ensure this value is greater than or equal to 0."),
        (
            {
                "valid_from_0": "2026-02-01",
                "valid_from_1": "00:00",
                "valid_until_0": "2026-01-01",
                "valid_until_1": "00:00",
            },
            "valid_until",
            "The coupon must end after it starts.",
        ),
    ],
)
def test_coupon_page_with_a_wrong_value_says_so_beside_it(desk, fields, field, error):
    coupon("OLD")

    answer = save(desk, **fields)

    assert error in answer.context["adminform"].form.errors[field]
    assert Coupon.objects.count() == 1


def test_coupon_page_refuses_fewer_uses_than_there_were(desk):
    row = coupon(uses=3)

    answer = save(desk, row, in_all="2")

    assert answer.context["adminform"].form.errors["in_all"] == [
        "It has already been used 3 times. Turn it off instead."
    ]
    assert save(desk, row, in_all="3").status_code == 302


def test_coupon_page_saved_after_the_coupon_was_used_meanwhile_keeps_the_count(rf, sam):
    row = coupon(uses=3)
    form = CouponForm({"code": "SPRING", "percent": "20", "amount_micros": "0", **LIMITS}, instance=row)
    assert form.is_valid()
    Coupon.objects.filter(pk=row.pk).update(uses=5)

    request = rf.post("/")
    request.user = sam
    admin.site._registry[Coupon].save_model(request, form.save(commit=False), form, change=True)

    row.refresh_from_db()
    assert (row.uses, row.percent) == (5, 20)


def test_coupon_page_shows_the_orders_that_used_it(desk, place):
    row = coupon()
    order = place(coupon="SPRING")

    page = desk.get(reverse("admin:orders_coupon_change", args=[row.pk])).content.decode()
    order_page = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()

    assert "$0.1875" in page
    assert f"#{order.pk}" in page
    assert "Coupon SPRING took off $0.1875." in order_page
