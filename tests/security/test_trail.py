"""Attack: do something with power and tidy up after it, at the pages, in the database, and in its backups."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.append_only import EVENTS, PROTECTED, TRAIL, empty_old_columns
from accounts.models import CustomerGroup, RetentionAge, TrailEntry, User
from accounts.trail import Action, record
from accounts.trail.chain import broken_entries
from accounts.trail.retention import thin_trail
from catalog.models import Service
from orders.models import OrderEvent
from preferences.models import PreferenceChange
from support.models import Document, DocumentVersion
from tests.conftest import PASSWORD, customer
from tests.storefront.admin_rows import make_order, make_rows, make_service
from wallet.models import LedgerEntry, TopUp
from wallet.receipts import issue_receipt

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
AGENT = "Firefox 133"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin, at an address of his own."""
    client.force_login(sam)
    client.defaults.update(HTTP_USER_AGENT=AGENT, REMOTE_ADDR="203.0.113.7")
    return client


def last(action: str) -> TrailEntry:
    return TrailEntry.objects.filter(action=action)[0]


def count() -> int:
    return TrailEntry.objects.count()


# --- What is written --------------------------------------------------------------------------------------------------


def test_admin_when_a_row_is_added_changed_and_deleted_then_who_where_before_and_after_are_noted(
    desk: Client, sam: User
) -> None:
    pages = "admin:accounts_customergroup_"
    form = {"name": "Friends", "cashback_percent": "0", "spend_from_micros": "0"}
    desk.post(reverse(f"{pages}add"), {**form, "discount_percent": "5"})
    group = CustomerGroup.objects.get()
    desk.post(reverse(f"{pages}change", args=[group.pk]), {**form, "discount_percent": "90"})
    desk.post(reverse(f"{pages}delete", args=[group.pk]), {"post": "yes"})

    added, changed, deleted = (
        TrailEntry.objects.exclude(action=Action.SIGNED_IN)
        .order_by("number")
        .filter(target_type="accounts.CustomerGroup")
    )
    assert (added.action, added.before) == (Action.ADDED, {})
    assert added.after == {"name": "Friends", "discount_percent": "5"}
    assert (changed.action, changed.before, changed.after) == (
        Action.CHANGED,
        {"discount_percent": "5.00"},
        {"discount_percent": "90"},
    )
    assert (deleted.action, deleted.before["discount_percent"]) == (Action.DELETED, "90.00")
    for entry in (added, changed, deleted):
        assert (entry.actor_id, entry.actor, entry.address, entry.agent) == (sam.pk, sam.email, "203.0.113.7", AGENT)
        assert (entry.target_id, entry.target) == (str(group.pk), "Friends")


def test_admin_when_a_secret_is_posted_then_the_trail_says_that_it_changed_and_not_to_what(
    desk: Client, sam: User, ann: User
) -> None:
    words = "a quiet river runs deep"

    desk.post(reverse("admin:accounts_user_add"), {"email": "new@example.com", "password1": words, "password2": words})
    entry = record(Action.CHANGED, actor=sam, target=ann, before={"password": "x"}, after={"password1": words})

    assert (entry.before, entry.after) == ({"password": "changed"}, {"password1": "changed"})
    assert words not in str(list(TrailEntry.objects.values()))


def test_admin_when_an_action_changes_many_rows_then_its_name_and_rows_are_noted(desk: Client) -> None:
    rows = [make_service(number).pk for number in (1, 2)]

    desk.post(reverse("admin:catalog_service_changelist"), {"action": "hide", "_selected_action": rows})

    assert not Service.objects.filter(visible=True).exists()
    entry = last(Action.ACTED)
    assert entry.after == {
        "page": "catalog_service_changelist",
        "action": "hide",
        "count": 2,
        "rows": [str(pk) for pk in rows],
    }
    assert entry.target_type == "catalog.Service"


def test_admin_when_a_dialog_acts_then_one_entry_says_so(desk: Client, ann: User) -> None:
    wallet = ann.wallet
    before = count()

    desk.post(
        reverse("admin:wallet_wallet_adjust", args=[wallet.pk]),
        {"amount": "5", "note": "gift", "request_id": str(uuid.uuid4()), "_form_submitted": "True"},
    )

    assert LedgerEntry.objects.filter(wallet=wallet).count() == 2
    assert count() == before + 1
    entry = TrailEntry.objects.all()[0]
    assert (entry.action, entry.target_id) == (Action.ACTED, str(wallet.pk))
    assert (entry.after["posted"]["amount"], entry.after["posted"]["note"]) == ("5", "gift")


def test_admin_when_a_form_is_refused_then_nothing_is_noted(desk: Client) -> None:
    before = count()

    desk.post(reverse("admin:accounts_customergroup_add"), {"name": "", "discount_percent": "5"})

    assert count() == before


def test_export_when_staff_takes_a_file_then_it_is_noted_with_what_was_asked(desk: Client) -> None:
    desk.get(reverse("admin:orders_books_changelist"), {"year": "2026", "month": "0", "format": "csv"})

    entry = last(Action.EXPORTED)
    assert entry.target_type == "orders.Books"
    assert entry.after["asked"]["year"] == ["2026"]


def test_sign_in_when_staff_comes_fails_and_goes_then_each_is_noted_and_customers_are_not(
    client: Client, sam: User, ann: User
) -> None:
    for email in (sam.email, ann.email):
        for password in ("wrong", PASSWORD):
            client.post(reverse("account_login"), {"login": email, "password": password})
        client.post(reverse("account_logout"))

    entries = TrailEntry.objects.order_by("number").filter(action__in=("signed_in", "sign_in_failed", "signed_out"))
    assert [(entry.action, entry.target) for entry in entries] == [
        (Action.SIGN_IN_FAILED, sam.email),
        (Action.SIGNED_IN, sam.email),
        (Action.SIGNED_OUT, sam.email),
    ]
    assert PASSWORD not in str(list(entries.values()))


def test_rights_when_they_change_anywhere_then_it_is_noted(ann: User) -> None:
    group = Group.objects.create(name="Till")

    ann.groups.add(group)
    group.permissions.add(Permission.objects.get(codename="change_topup"))
    ann.is_staff = True
    ann.save()

    by_number = list(TrailEntry.objects.filter(action=Action.RIGHTS).order_by("number"))
    assert [entry.target for entry in by_number[-3:]] == [ann.email, "Till", ann.email]
    assert (by_number[-1].before["is_staff"], by_number[-1].after["is_staff"]) == (False, True)
    assert by_number[-1].actor == "command line"


def test_command_when_it_moves_money_then_it_is_noted(ann: User) -> None:
    call_command("credit", ann.email, "7", note="gift", reference="x")

    entry = last(Action.COMMAND)
    assert (entry.actor, entry.target, entry.after["amount_micros"]) == ("command line", ann.email, 7_000_000)


def test_factor_when_staff_loses_one_then_it_is_noted(desk: Client, ann: User) -> None:
    factor = Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": "seed-of-ann"})

    desk.post(reverse("admin:mfa_authenticator_delete", args=[factor.pk]), {"post": "yes"})

    entry = last(Action.DELETED)
    assert entry.target_type == "mfa.Authenticator"
    assert "seed-of-ann" not in str(entry.before)


def test_entry_when_its_actor_is_deleted_then_it_stays(sam: User) -> None:
    colleague = customer("gone@example.com", is_staff=True)
    entry = record(Action.CHANGED, actor=colleague)

    colleague.delete()

    entry.refresh_from_db()
    assert entry.actor == "gone@example.com"
    assert list(broken_entries()) == []


# --- What nobody may tidy up ------------------------------------------------------------------------------------------


@pytest.fixture
def protected_rows(ann: User) -> None:
    """A row in each table that only grows."""
    order = make_order(ann, service=make_service(1))
    assert order.events.exists()
    top_up = TopUp.objects.create(user=ann, gateway="manual", currency="USD", amount_micros=1, pay_micros=1)
    issue_receipt(top_up, now=timezone.now())
    record(Action.CHANGED, actor=ann)
    PreferenceChange.objects.create(name="store_name", after="Shop", actor="owner@example.com")
    document = Document.objects.create(slug="page")
    DocumentVersion.objects.create(document=document, number=1, titles={"en": "Page"}, texts={"en": "Text"})


@pytest.mark.usefixtures("protected_rows")
@pytest.mark.parametrize("one", PROTECTED, ids=lambda one: one.table)
def test_database_when_a_row_is_edited_deleted_or_truncated_then_it_refuses(one: Any) -> None:
    columns = {column.name for column in _columns(one.table)} - {"id"}
    attacks = [f"UPDATE {one.table} SET {column} = {column}" for column in columns]  # noqa: S608
    attacks.append(f"DELETE FROM {one.table}")  # noqa: S608
    if connection.vendor == "postgresql":
        attacks += [f"TRUNCATE {one.table} CASCADE", "TRUNCATE accounts_user CASCADE"]
        if one.table != "support_documentversion":  # what another table refers to is not truncated alone anyway
            attacks.append(f"TRUNCATE {one.table}")
        with connection.cursor() as cursor:  # PostgreSQL truncates nothing that still waits to be checked
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    for attack in attacks:
        with pytest.raises(DatabaseError, match="never edited"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)


def _columns(table: str) -> Any:
    with connection.cursor() as cursor:
        return connection.introspection.get_table_description(cursor, table)


def test_retention_when_an_event_is_old_enough_then_its_evidence_goes_and_nothing_else_ever(ann: User) -> None:
    days = RetentionAge.objects.get(name=EVENTS.age).days
    order = make_order(ann, service=make_service(1))
    moments = {"young": timezone.now() - timedelta(days=days - 1), "old": timezone.now() - timedelta(days=days + 1)}
    events = {
        name: OrderEvent.objects.create(
            order=order, code="claimed", status="paid", evidence={"x": 1}, data={"y": 2}, created_at=moment
        )
        for name, moment in moments.items()
    }

    assert empty_old_columns(EVENTS, OrderEvent.objects.filter(pk=events["old"].pk)) == 1
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        empty_old_columns(EVENTS, OrderEvent.objects.filter(pk__in=[event.pk for event in events.values()]))
    for change in ({"evidence": {"forged": 1}}, {"data": {}}, {"evidence": {}, "code": "refused"}):
        with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
            OrderEvent.objects.filter(pk=events["old"].pk).update(**change)

    for event in events.values():
        event.refresh_from_db()
    assert (events["old"].evidence, events["young"].evidence) == ({}, {"x": 1})


def test_retention_when_an_entry_is_old_then_address_and_browser_go_and_the_chain_holds(sam: User, rf: Any) -> None:
    request = rf.get("/", HTTP_USER_AGENT=AGENT)
    long_ago = timezone.now() - timedelta(days=1000)
    old, young = (record(Action.CHANGED, actor=sam, request=request, now=now) for now in (long_ago, timezone.now()))

    assert thin_trail(now=timezone.now()) == 1
    assert thin_trail(now=timezone.now()) == 0

    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.address, old.agent, young.agent) == (None, "", AGENT)
    assert list(broken_entries()) == []


def test_trail_pages_when_staff_opens_them_then_they_are_read_and_never_written(desk: Client) -> None:
    make_rows(1)
    entry = TrailEntry.objects.all()[0]
    page = reverse("admin:accounts_trailentry_change", args=[entry.pk])

    assert desk.get(reverse("admin:accounts_trailentry_changelist"), {"action__exact": "changed"}).status_code == 200
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"actor": "x"}).status_code == 403
    assert desk.post(reverse("admin:accounts_trailentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert TRAIL.table == TrailEntry._meta.db_table
