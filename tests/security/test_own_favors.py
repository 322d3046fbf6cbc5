"""Attack: staff gives itself, or whom it is tied to by a referral, groups with discounts, and limits.

Coupons are in `test_own_coupons.py`, the money of orders in `test_own_orders.py`.
"""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.admin.customers import UserAdmin
from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey, CustomerGroup, User
from sms.models import NumberLimit
from tests.conftest import customer
from tests.security.tied import OWN, TIED, browser, desk, each_tie, tied

__all__ = ["desk", "tied"]  # fixtures
pytestmark = pytest.mark.django_db
FRIENDS = {"name": "Friends", "cashback_percent": "0", "spend_from_micros": "0"}


@pytest.fixture
def friends() -> CustomerGroup:
    """A group with a discount of 10 %."""
    return CustomerGroup.objects.create(name="Friends", discount_percent=10)


def errors(answer: Any) -> list[str]:
    return list(answer.context["adminform"].form.non_field_errors())


def put_into_group(desk: Client, user: User, group: CustomerGroup | None) -> Any:
    page = reverse("admin:accounts_user_change", args=[user.pk])
    fields: dict[str, Any] = {"email": user.email, "group": group.pk if group else "", "is_active": "on"}
    if user.is_superuser:
        fields |= {"is_staff": "on", "is_superuser": "on"}
    return desk.post(page, fields)


@each_tie
def test_nobody_puts_themselves_or_whom_they_are_tied_to_into_a_group(
    desk: Client, ann: User, tied: User, tie: str, friends: CustomerGroup, tom: User
) -> None:
    refused = put_into_group(desk, tied, friends)

    words = OWN if tie == "themselves" else TIED
    assert errors(refused) == [f"{words} These people can: tom@example.com."]
    assert User.objects.get(pk=tied.pk).group is None
    assert put_into_group(desk, ann, friends).status_code == 302
    assert User.objects.get(pk=ann.pk).group == friends
    assert put_into_group(browser(tom), tied, friends).status_code == 302
    assert User.objects.get(pk=tied.pk).group == friends
    assert put_into_group(desk, tied, None).status_code == 302  # leaving it favors nobody


@each_tie
def test_a_list_that_offered_the_group_would_refuse_it_too(
    desk: Client, tied: User, friends: CustomerGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UserAdmin, "list_editable", ("group",))
    page = reverse("admin:accounts_user_changelist") + f"?q={tied.email}"
    rows = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": tied.pk, "form-0-group": friends.pk}

    answer = desk.post(page, {**rows, "_save": "Save"})

    [row] = answer.context["cl"].formset.forms
    assert "somebody else has to do it" in row.non_field_errors()[0]
    assert User.objects.get(pk=tied.pk).group is None


def test_who_brought_whom_is_nothing_to_edit(desk: Client, sam: User, ann: User) -> None:
    page = reverse("admin:accounts_user_change", args=[ann.pk])
    desk.post(page, {"email": ann.email, "is_active": "on", "referred_by": sam.pk})
    desk.post(reverse("admin:accounts_user_add"), {"email": "new@example.com", "referred_by": sam.pk, "group": 1})

    assert User.objects.get(pk=ann.pk).referred_by is None
    assert not User.objects.filter(referred_by=sam).exists()


@each_tie
def test_nobody_raises_the_discount_of_a_group_that_they_or_whom_they_are_tied_to_are_in(
    desk: Client, ann: User, tied: User, friends: CustomerGroup
) -> None:
    User.objects.filter(pk__in=[ann.pk, tied.pk]).update(group=friends)
    page = reverse("admin:accounts_customergroup_change", args=[friends.pk])

    refused = desk.post(page, {**FRIENDS, "discount_percent": "90"})
    assert "somebody else has to do it" in errors(refused)[0]
    assert desk.post(page, {**FRIENDS, "discount_percent": "5"}).status_code == 302
    assert CustomerGroup.objects.get().discount_percent == 5
    User.objects.filter(pk=tied.pk).update(group=None)
    assert desk.post(page, {**FRIENDS, "discount_percent": "7"}).status_code == 302
    assert CustomerGroup.objects.get().discount_percent == 7


@each_tie
def test_nobody_sets_or_lifts_limits_of_numbers_for_themselves_or_whom_they_are_tied_to(
    desk: Client, ann: User, tied: User
) -> None:
    pages = "admin:sms_numberlimit_"
    wanted = {"user": tied.pk, "max_open": "999", "max_per_day": "999", "note": ""}
    assert "somebody else" in errors(desk.post(reverse(f"{pages}add"), wanted))[0]

    own = NumberLimit.objects.create(user=tied, max_open=1, max_per_day=1)
    anns = NumberLimit.objects.create(user=ann, max_open=1, max_per_day=1)
    change = reverse(f"{pages}change", args=[own.pk])
    assert "somebody else" in errors(desk.post(change, wanted))[0]
    assert "somebody else" in errors(desk.post(change, {**wanted, "user": customer("cat@example.com").pk}))[0]
    assert desk.post(reverse(f"{pages}delete", args=[own.pk]), {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [own.pk, anns.pk], "post": "yes"}
    assert desk.post(reverse(f"{pages}changelist"), selected).status_code == 403

    assert list(NumberLimit.objects.order_by("pk").values_list("user", "max_open")) == [(tied.pk, 1), (ann.pk, 1)]
    assert desk.post(reverse(f"{pages}delete", args=[anns.pk]), {"post": "yes"}).status_code == 302


@each_tie
def test_nobody_lets_their_own_keys_or_those_of_whom_they_are_tied_to_call_more_often(
    desk: Client, ann: User, tied: User
) -> None:
    fields = {"name": "robot", "may_read": "on", "calls_per_minute": "100000"}
    keys = [create_api_key(user=user, name="robot")[0] for user in (tied, ann)]
    own, anns = (desk.post(reverse("admin:accounts_apikey_change", args=[key.pk]), fields) for key in keys)
    new = desk.post(reverse("admin:accounts_apikey_add"), {**fields, "user": tied.pk})

    assert "somebody else" in errors(own)[0]
    assert "somebody else" in errors(new)[0]
    assert anns.status_code == 302
    assert dict(ApiKey.objects.values_list("user", "calls_per_minute")) == {tied.pk: None, ann.pk: 100_000}


def test_a_clerk_who_may_only_edit_customers_is_refused_as_well(sam: User, friends: CustomerGroup) -> None:
    clerk = customer("clerk@example.com", is_staff=True)
    rights = ["change_user", "view_user", "change_customergroup"]
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=rights))

    assert put_into_group(browser(clerk), clerk, friends).status_code == 403
    assert User.objects.get(pk=clerk.pk).group is None


def test_every_page_of_rows_that_favor_customers_asks_first() -> None:
    """Whoever adds a column that is worth money to a customer meets this list."""
    asking = {model._meta.label for model, pages in admin.site._registry.items() if hasattr(pages, "check_favor")}

    assert asking == {
        "accounts.ApiKey",
        "accounts.CustomerGroup",
        "accounts.User",
        "orders.KnownRefusal",
        "orders.StatusWord",
        "sms.NumberLimit",
    }
