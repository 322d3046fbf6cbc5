"""Who sees the preferences, and which of them each role changes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.preferences import REFERRAL_SHARE
from accounts.rights import CATALOG, FINANCE, SUPPORT
from catalog.preferences import DEFAULT_MARKUP
from preferences.doors import WHOLE_SHOP
from preferences.face import STORE_NAME
from preferences.models import PreferenceChange
from preferences.registry import Preference, declared
from tests.conftest import second_factor
from tests.pages import page_words as text
from tests.preferences.test_page import PAGE, PREVIEW, save, undo
from tests.preferences.typed import as_typed
from tests.security.factors import NOTHING_DONE, code, confirm_with, grow_old
from tests.security.staff import at_the_admin, in_role, with_rights
from wallet.preferences import TERMS

pytestmark = pytest.mark.django_db


def test_support_neither_sees_nor_changes_it(desk: Client) -> None:
    save(desk, store_name="Corner shop")
    other = at_the_admin(in_role("other@example.com", SUPPORT))

    assert other.get(PAGE).status_code == 403
    assert save(other, store_name="Mine").status_code == 403
    assert save(other, to=PREVIEW).status_code == 403
    assert undo(other, PreferenceChange.objects.get()).status_code == 403
    assert STORE_NAME.value == "Corner shop"


@pytest.mark.parametrize(
    ("role", "theirs"),
    [
        (
            CATALOG,
            {"default_markup_percent", "floor_margin_percent", "price_held", "price_held_loss"}
            | {"orders_closed", "orders_closed_words", "numbers_closed", "numbers_closed_words"},
        ),
        (
            FINANCE,
            {f"{way}_{term}" for way in TERMS for term in ("fee_percent", "fee_fixed", "min", "max")}
            | {"top_ups_closed", "top_ups_closed_words"},
        ),
    ],
)
def test_a_role_changes_what_its_work_is_about_and_nothing_else(desk: Client, role: str, theirs: set[str]) -> None:
    save(desk, store_name="Corner shop")
    other = at_the_admin(in_role("other@example.com", role))
    page = other.get(PAGE)
    wanted = {one for one in declared() if other_may(one, "other@example.com")}
    assert {one.name for one in wanted} == theirs
    typed = {
        **as_typed(page.context["form"]),
        "store_name": "Mine", "whole_shop_closed": "on", "stripe_bonus_percent": "90", "referral_share": "90",
        "stripe_fee_percent": "3", "default_markup_percent": "40",
    }  # fmt: skip

    other.post(PAGE, typed)

    assert STORE_NAME.value == "Corner shop"
    assert not WHOLE_SHOP.is_closed
    assert (TERMS["stripe"].bonus_percent.value, REFERRAL_SHARE.value) == (0, 0)
    assert (DEFAULT_MARKUP.value, TERMS["stripe"].fee_percent.value) == ((40, 0) if role == CATALOG else (25, 3))
    of_name = PreferenceChange.objects.get(name="store_name")
    assert undo(other, of_name).status_code == 403
    assert f'action="{reverse("admin:preferences_undo", args=[of_name.pk])}"' not in page.content.decode()


def other_may(preference: Preference[Any], email: str) -> bool:
    return User.objects.get(email=email).has_perm(preference.permission)


def test_who_may_only_look_sees_the_page_and_changes_nothing(desk: Client) -> None:
    save(desk, store_name="Corner shop")
    looker = at_the_admin(with_rights("look@example.com", "view_preferencechange"))

    page = looker.get(PAGE)

    assert page.status_code == 200
    assert "Preview" not in text(page)
    assert "Put back" not in text(page)
    assert save(looker, store_name="Mine").status_code == 403
    assert undo(looker, PreferenceChange.objects.get()).status_code == 403
    assert STORE_NAME.value == "Corner shop"


def test_customers_and_visitors_are_led_to_sign_in(client: Client, ann: User) -> None:
    assert save(client, store_name="Mine", follow=False).status_code == 302
    client.force_login(ann)
    for page in (PAGE, PREVIEW):
        assert save(client, to=page, store_name="Mine", follow=False).status_code in (302, 403)
    assert PreferenceChange.objects.count() == 0


def test_saving_asks_who_it_is_and_the_form_comes_back_as_it_was_typed(desk: Client) -> None:
    second_factor(User.objects.get(email="owner@example.com"))
    grow_old(desk)
    assert save(desk, to=PREVIEW, follow=False).status_code == 200  # which changes nothing

    asked = save(desk, store_name="Corner shop", follow=False)
    back = desk.get(confirm_with(desk, asked, code())["Location"])

    assert NOTHING_DONE in text(back)
    assert back.context["form"]["store_name"].value() == "Corner shop"
    assert STORE_NAME.value == "Storefront"
    assert save(desk, store_name="Corner shop", follow=False)["Location"] == PAGE
    assert STORE_NAME.value == "Corner shop"
