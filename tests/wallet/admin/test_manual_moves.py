"""Where staff moves money by hand and decides about it; and that nothing at the admin changes the ledger."""

import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.wallet.by_hand import balance, move
from wallet.models import LedgerEntry, MoneyRequest
from wallet.operations.manual_moves import approve_request

pytestmark = pytest.mark.django_db
Kind, State = MoneyRequest.Kind, MoneyRequest.State


def at_the_desk(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def press(desk: Client, page: str, pk: int, **fields: Any) -> Any:
    form = {"_form_submitted": "True", "request_id": str(uuid.uuid4()), "note": "said sorry", **fields}
    return desk.post(reverse(f"admin:wallet_{page}", args=[pk]), form, follow=True)


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_adjust_page_above_the_limit_leads_to_the_request_that_waits(ann, sam, tom):
    answer = press(at_the_desk(sam), "wallet_adjust", ann.wallet.pk, amount="100.01")

    asked = MoneyRequest.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("admin:wallet_moneyrequest_change", args=[asked.pk])
    assert told(answer) == [
        (
            "$100.01 exceeds what one person may move within 24 hours, $100.00 in all: no money has moved yet, a second"
            " person has to approve it. These people can: tom@example.com."
        )
    ]
    assert balance(ann) == 100_000_000


def test_withdraw_page_takes_what_it_says(ann, sam):
    answer = press(at_the_desk(sam), "wallet_withdraw", ann.wallet.pk, amount="25", paid_how="cash")

    assert told(answer) == ["Booked: $25.00."]
    assert balance(ann) == 75_000_000


@pytest.mark.parametrize(
    ("fields", "field", "error"),
    [
        ({"amount": "100.01"}, "amount", "The wallet is $0.01 short."),
        ({"amount": "0"}, "amount", "Enter an amount above zero."),
        ({"amount": "-5"}, "amount", "Enter an amount above zero."),
        ({"amount": "NaN"}, "amount", "Enter a number."),
        ({"amount": "99999999999"}, "amount", "This amount is too large."),
        ({"amount": "1", "paid_how": ""}, "paid_how", "This field is required."),
        ({"amount": "1", "note": ""}, "note", "This field is required."),
    ],
)
def test_withdraw_page_with_a_wrong_value_says_so_beside_it(ann, sam, fields, field, error):
    answer = press(at_the_desk(sam), "wallet_withdraw", ann.wallet.pk, **{"paid_how": "cash", **fields})

    assert answer.context["form"].errors == {field: [error]}
    assert balance(ann) == 100_000_000


def test_request_page_offers_to_decide_to_others_only_and_refuses_who_asked(ann, sam, tom):
    asked = move(ann, sam, 150_000_000)
    page = reverse("admin:wallet_moneyrequest_change", args=[asked.pk])
    approve = reverse("admin:wallet_moneyrequest_approve", args=[asked.pk])

    assert approve not in at_the_desk(sam).get(page).content.decode()
    assert approve in at_the_desk(tom).get(page).content.decode()
    assert told(press(at_the_desk(sam), "moneyrequest_approve", asked.pk)) == [
        "Somebody else has to decide: neither the person who requested it, nor the owner of the wallet, nor anybody"
        " tied to one of them by a referral. These people can: tom@example.com."
    ]
    assert balance(ann) == 100_000_000

    assert told(press(at_the_desk(tom), "moneyrequest_approve", asked.pk)) == ["Approved and booked."]
    assert balance(ann) == 250_000_000
    assert told(press(at_the_desk(tom), "moneyrequest_decline", asked.pk)) == [
        "A colleague has already decided on this request. Nothing was changed."
    ]


def test_request_page_for_staff_without_the_permission_is_forbidden(ann, sam):
    asked = move(ann, sam, 150_000_000)
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    may = ["view_moneyrequest", "view_wallet", "change_wallet"]
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=may))

    for page in ("moneyrequest_approve", "moneyrequest_decline"):
        assert press(at_the_desk(clerk), page, asked.pk).status_code == 403
    assert MoneyRequest.objects.get().state == State.WAITING


def test_approve_page_when_the_money_is_gone_says_so(ann, sam, tom, settings):
    settings.ADJUST_APPROVAL_MICROS = 60_000_000
    asked = move(ann, sam, 80_000_000, Kind.WITHDRAWAL)
    move(ann, sam, -30_000_000)

    assert told(press(at_the_desk(tom), "moneyrequest_approve", asked.pk)) == [
        "The wallet is now $10.00 short. The request stays open."
    ]


def test_front_page_and_sidebar_count_what_waits(ann, sam, tom):
    for amount in (150_000_000, 160_000_000):
        move(ann, sam, amount)

    page = at_the_desk(tom).get(reverse("admin:index"))

    items = [item for group in page.context["sidebar_navigation"] for item in group["items"]]
    assert [item["badge"] for item in items if item["title"] == "Manual adjustments"] == ["2"]
    assert [row["kind"] for row in page.context["home"]["queue"]["rows"]] == ["Manual adjustments"] * 2


# --- The ledger -----------------------------------------------------------------------------------------------------
def test_ledger_page_shows_who_asked_who_approved_and_why(ann, sam, tom):
    asked = move(ann, sam, 150_000_000, note="won the prize")
    approve_request(asked.pk, actor=tom)
    entry = LedgerEntry.objects.get(reference=f"request:{asked.request_id}")

    listed = at_the_desk(sam).get(reverse("admin:wallet_ledgerentry_changelist")).content.decode()
    page = at_the_desk(sam).get(reverse("admin:wallet_ledgerentry_change", args=[entry.pk])).content.decode()

    for text in ("sam@example.com", "tom@example.com", "won the prize"):
        assert text in listed
        assert text in page
    assert reverse("admin:wallet_moneyrequest_change", args=[asked.pk]) in page


@pytest.mark.parametrize("model", ["ledgerentry", "wallet", "moneyrequest"])
def test_every_address_of_the_money_tables_leaves_their_rows_alone(ann, sam, model):
    """Walks all the addresses that the admin has for the table: one added later, an import say, is walked too."""
    move(ann, sam, 150_000_000)
    pages = next(pages for table, pages in admin.site._registry.items() if table._meta.model_name == model)
    table = pages.model
    before = list(table.objects.order_by("pk").values())
    row = table.objects.first()
    desk = at_the_desk(sam)
    spoiled = {
        "amount_micros": "1",
        "balance_micros": "1",
        "note": "x",
        "kind": "top_up",
        "_save": "Save",
        "post": "yes",
    }
    asks_first = {"wallet_wallet_adjust", "wallet_wallet_withdraw", "wallet_moneyrequest_approve"}

    for pattern in pages.urls:
        if pattern.name is None or pattern.name in asks_first or pattern.name.endswith("_decline"):
            continue  # those are the doors, each with tests of its own
        takes = pattern.pattern.converters
        desk.post(reverse(f"admin:{pattern.name}", args=[row.pk] if takes else []), spoiled)
    for action in ("delete_selected", "export_admin_action", "import"):
        keys = [row.pk for row in table.objects.all()]
        desk.post(
            reverse(f"admin:wallet_{model}_changelist"),
            {"action": action, "_selected_action": keys, "post": "yes", "select_across": "1"},
        )

    assert list(table.objects.order_by("pk").values()) == before
    assert [name for pattern in pages.urls if "import" in (name := pattern.name or "")] == []


def test_ledger_rows_are_changed_by_no_bulk_statement(ann):
    entry = LedgerEntry.objects.get(wallet__user=ann)
    entry.note = "forged"

    with pytest.raises(TypeError), transaction.atomic():
        LedgerEntry.objects.bulk_update([entry], ["note"])
    with pytest.raises(TypeError), transaction.atomic():
        LedgerEntry.objects.filter(pk=entry.pk).update_or_create(pk=entry.pk, defaults={"note": "forged"})
    with pytest.raises(Exception, match="ledger rows are never edited"), transaction.atomic():
        LedgerEntry.objects.bulk_create(
            [entry], update_conflicts=True, update_fields=["note"], unique_fields=["wallet", "reference"]
        )
    with pytest.raises(Exception, match="ledger rows are never edited"), transaction.atomic():
        LedgerEntry._base_manager.filter(pk=entry.pk).update(note="forged")
    assert LedgerEntry.objects.get(pk=entry.pk).note != "forged"
