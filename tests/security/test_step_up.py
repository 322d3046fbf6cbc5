"""The admin changes nothing for a session that has not confirmed who it is lately, and does nothing by itself."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.admin.fresh_sign_in import FreshSignInAdmin
from accounts.models import ApiKey, CustomerGroup, TrailEntry, User
from catalog.models import Category
from tests.conftest import PASSWORD, second_factor
from tests.pages import HTMX
from tests.security.factors import (
    CONFIRM,
    NOTHING_DONE,
    code,
    confirm_with,
    desk,
    form_of,
    grow_old,
    page_of,
    sign_in_with_factor,
)
from tests.security.signing_in import sign_in
from tests.security.staff import their_own_groups
from wallet.models import LedgerEntry, Wallet

__all__ = ["desk"]  # the fixture
pytestmark = pytest.mark.django_db
# Models whose pages change neither money nor secrets, roles, users or keys.
HARMLESS = {"sms.Country", "sms.Site", "sms.Project", "sms.ForbiddenWord"}
# Posted to, and nothing is changed: tests/preferences/test_page.py, tests/support/admin/test_ticket.py.
PREVIEWS = {"preferences_preview", "support_document_preview", "support_ticket_fill"}


# --- Nothing is carried out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_post_to_every_model_asks_who_it_is_first(desk: Client, model: type) -> None:
    pages = admin.site._registry[model]
    assert isinstance(pages, FreshSignInAdmin)
    assert pages.asks_again is (model._meta.label not in HARMLESS)
    if not pages.asks_again:
        return
    assert pages.changes_nothing <= PREVIEWS
    before = TrailEntry.objects.count()

    for page in pages.urls:
        if page.name is None or page.name in pages.changes_nothing:
            continue
        numbers = [1] * page.pattern.regex.groups
        address = reverse(f"admin:{page.name}", args=numbers)
        assert desk.post(address, {"a": "b"})["Location"].startswith(CONFIRM), address
    assert TrailEntry.objects.count() == before


def test_what_is_done_by_looking_at_a_page_changes_nothing() -> None:
    """An action without a dialog is a link. Who adds one that changes something gives it a dialog."""
    without = {
        f"{model._meta.label}.{action.path}"
        for model, pages in admin.site._registry.items()
        for action in (
            *pages._get_base_actions_list(),
            *pages._get_base_actions_detail(),
            *pages._get_base_actions_row(),
        )
        if not action.dialog
    }

    assert without == {"accounts.DenyRule.hits", "wallet.Wallet.ledger"}


def test_signing_in_with_the_factor_counts_for_ten_minutes(client: Client, sam: User, ann: User) -> None:
    sign_in_with_factor(client, sam)
    at_once = client.post(page_of(ann), form_of(ann))
    grow_old(client)
    later = client.post(page_of(ann), form_of(ann))

    assert CONFIRM not in at_once["Location"]
    assert later["Location"].startswith(CONFIRM)


def test_a_password_that_was_confirmed_lately_is_not_enough(desk: Client, sam: User, ann: User) -> None:
    from allauth.account.internal.flows.login import record_authentication
    from django.http import HttpRequest

    request = HttpRequest()
    request.session = desk.session
    record_authentication(request, sam, method="password", reauthenticated=True)
    request.session.save()

    assert desk.post(page_of(ann), form_of(ann))["Location"].startswith(CONFIRM)


def test_users_groups_keys_and_money_stay_as_they_are(desk: Client, ann: User) -> None:
    Wallet.objects.get(user=ann)
    wallet = Wallet.objects.get(user=ann)
    posted = {
        page_of(ann): form_of(ann, is_staff="on", is_superuser="on"),
        reverse("admin:auth_group_add"): {"name": "Mine"},
        reverse("admin:accounts_apikey_add"): {"user": ann.pk, "name": "robot", "may_order": "on"},
        reverse("admin:wallet_wallet_adjust", args=[wallet.pk]): {"amount": "5", "note": "x", "_form_submitted": "on"},
    }
    for address, typed in posted.items():
        assert desk.post(address, typed)["Location"].startswith(CONFIRM), address

    ann.refresh_from_db()
    assert not ann.is_staff
    assert not their_own_groups()
    assert not ApiKey.objects.exists()
    assert LedgerEntry.objects.filter(wallet=wallet).count() == 1


# --- And comes back ---------------------------------------------------------------------------------------------------


def test_a_form_comes_back_filled_in_marked_and_is_pressed_again(desk: Client, ann: User) -> None:
    group = CustomerGroup.objects.create(name="Friends", discount_percent=5)
    page = reverse("admin:accounts_customergroup_change", args=[group.pk])
    typed = {"name": "Best friends", "discount_percent": "no number"}

    answer = confirm_with(desk, desk.post(page, typed), code())
    assert answer["Location"] == page
    shown = desk.get(page)

    assert NOTHING_DONE in shown.content.decode()
    assert 'value="Best friends"' in shown.content.decode()
    assert 'value="no number"' in shown.content.decode()  # as it was typed, right or wrong
    group.refresh_from_db()
    assert group.name == "Friends"

    rest = {"cashback_percent": "0", "spend_from_micros": "0"}
    assert desk.post(page, {"name": "Best friends", "discount_percent": "7", **rest}).status_code == 302
    group.refresh_from_db()
    assert group.name == "Best friends"
    assert NOTHING_DONE not in desk.get(page).content.decode()


def test_a_form_for_a_new_row_comes_back_filled_in(desk: Client) -> None:
    page = reverse("admin:auth_group_add")
    chosen = Permission.objects.first()

    answer = confirm_with(desk, desk.post(page, {"name": "Night shift", "permissions": [chosen.pk]}), code())
    shown = desk.get(answer["Location"])

    assert not their_own_groups()
    assert 'value="Night shift"' in shown.content.decode()
    assert shown.context["adminform"].form["permissions"].value() == [str(chosen.pk)]
    assert not shown.context["errors"]


def test_a_customers_page_comes_back_filled_in(desk: Client, ann: User) -> None:
    answer = confirm_with(desk, desk.post(page_of(ann), {"email": "new@example.com"}), code())
    shown = desk.get(answer["Location"]).context["adminform"].form

    assert shown["email"].value() == "new@example.com"
    assert shown.instance.email == ann.email


def test_a_key_comes_back_with_every_power_as_it_was(desk: Client, ann: User) -> None:
    page = reverse("admin:accounts_apikey_add")
    typed = {"user": ann.pk, "name": "robot", "may_order": "on", "may_see_secrets": "on"}

    answer = confirm_with(desk, desk.post(page, typed), code())
    form = desk.get(answer["Location"]).context["adminform"].form

    assert (form["name"].value(), form["user"].value()) == ("robot", str(ann.pk))
    assert (form["may_order"].value(), form["may_see_secrets"].value(), form["may_sms"].value()) == (True, True, False)
    assert not ApiKey.objects.exists()


def test_a_dialog_comes_back_as_a_page_filled_in_and_is_pressed_again(desk: Client, ann: User) -> None:
    wallet = Wallet.objects.get(user=ann)
    page = reverse("admin:wallet_wallet_adjust", args=[wallet.pk])
    request_id = "3b241101-e2bb-4255-8caf-4136c566a962"
    typed = {"amount": "12.34", "note": "Sorry", "request_id": request_id, "_form_submitted": "True"}

    answer = confirm_with(desk, desk.post(page, typed, headers=HTMX), code())
    assert answer["Location"] == page
    shown = desk.get(page)

    words = shown.content.decode()
    assert NOTHING_DONE in words
    assert 'value="12.34"' in words
    assert 'value="Sorry"' in words
    assert request_id in words
    assert ann.email in words  # whose wallet it is
    assert 'id="content"' in words or "<nav" in words  # a whole page
    assert LedgerEntry.objects.filter(wallet=wallet).count() == 1

    desk.post(page, typed)
    wallet.refresh_from_db()
    assert wallet.balance_micros == 112_340_000


def test_a_dialog_that_asks_for_nothing_comes_back_too(desk: Client, ann: User) -> None:
    from accounts.keys.api_keys import create_api_key

    key, _text = create_api_key(user=ann, name="robot")
    page = reverse("admin:accounts_apikey_revoke", args=[key.pk])

    answer = confirm_with(desk, desk.post(page, {"_form_submitted": "True"}, headers=HTMX), code())
    shown = desk.get(answer["Location"]).content.decode()

    assert NOTHING_DONE in shown
    assert "Programs that use it stop working at once" in shown
    key.refresh_from_db()
    assert key.revoked_at is None
    desk.post(page, {"_form_submitted": "True"})
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_an_action_of_a_list_comes_back_with_its_rows_and_is_pressed_again(desk: Client, ann: User, ben: User) -> None:
    EmailAddress.objects.update(verified=False)
    [anns] = EmailAddress.objects.filter(user=ann)
    page = reverse("admin:account_emailaddress_changelist")
    typed = {"action": "verify", "_selected_action": [anns.pk], "index": "0", "select_across": "0"}

    answer = confirm_with(desk, desk.post(page, typed), code())
    shown = desk.get(answer["Location"])

    words = shown.content.decode()
    assert NOTHING_DONE in words
    assert "Mark as verified" in words
    assert ann.email in words
    assert ben.email not in words
    assert not EmailAddress.objects.filter(verified=True).exists()
    desk.post(page, dict(shown.context["fields"]))
    assert list(EmailAddress.objects.filter(verified=True)) == [anns]


def test_rows_edited_in_a_list_come_back_as_they_were_edited(desk: Client) -> None:
    first = Category.objects.create(name="First", visible=True, position=1)
    page = reverse("admin:catalog_category_changelist")
    typed = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-MIN_NUM_FORMS": "0",
        "form-MAX_NUM_FORMS": "1000",
        "form-0-id": str(first.pk),
        "form-0-position": "77",
        "_save": "Save",
        "action": "",
    }

    answer = confirm_with(desk, desk.post(page, typed), code())
    shown = desk.get(answer["Location"])

    assert NOTHING_DONE in shown.content.decode()
    [row] = shown.context["cl"].formset.forms
    assert row["position"].value() == "77"
    first.refresh_from_db()
    assert first.position == 1


def test_rows_edited_in_a_list_that_has_another_order_since_are_not_mixed_up(desk: Client) -> None:
    first = Category.objects.create(name="First", visible=True, position=1)
    second = Category.objects.create(name="Second", visible=True, position=2)
    page = reverse("admin:catalog_category_changelist")
    shown = desk.get(page).context["cl"].result_list
    assert [row.pk for row in shown] == [first.pk, second.pk]
    typed = {
        "form-TOTAL_FORMS": "2",
        "form-INITIAL_FORMS": "2",
        "form-MIN_NUM_FORMS": "0",
        "form-MAX_NUM_FORMS": "1000",
        "form-0-id": str(first.pk),
        "form-0-position": "77",
        "form-1-id": str(second.pk),
        "form-1-position": "2",
        "_save": "Save",
        "action": "",
    }
    answer = confirm_with(desk, desk.post(page, typed), code())
    Category.objects.filter(pk=second.pk).update(position=0)

    rows = desk.get(answer["Location"]).context["cl"].formset.forms

    assert [(row.instance.pk, row["position"].value()) for row in rows] == [(second.pk, 0), (first.pk, 1)]


def test_in_the_demo_a_password_confirms(client: Client, sam: User, ann: User, settings) -> None:
    settings.DEMO = True
    sign_in(client, sam)
    page = reverse("admin:auth_group_add")

    asked = client.post(page, {"name": "Night shift"})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": page})

    assert client.post(page, {"name": "Night shift"}).status_code == 302
    assert Group.objects.filter(name="Night shift").exists()


def test_a_code_counts_for_ten_minutes(client: Client, sam: User) -> None:
    client.force_login(sam)
    second_factor(sam)
    grow_old(client, 590)
    assert client.post(reverse("admin:auth_group_add"), {"name": "One"}).status_code == 302
    grow_old(client, 20)
    client.post(reverse("admin:auth_group_add"), {"name": "Two"})

    assert their_own_groups() == ["One"]
