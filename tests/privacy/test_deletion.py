"""The end of an account: refused while there is money in it, undone in time, carried out to the last row."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import InvalidApiKey, create_api_key, find_api_key
from accounts.models import User
from accounts.security.email_changes import record_email_change, undo_email_change, undo_url
from api.webhooks.operations import add_webhook
from jobs.models import JobFilePart, StaffJob
from notifications.letters import send_letters
from notifications.models import Letter, Notice
from orders.accounting.audit import audit
from orders.models import DeliveredGoods, Order, ReferralEarning, ServiceRequest, Status
from orders.placing.place import place_order
from privacy.deletion import account
from privacy.deletion.requests import CannotDelete, keep_account, pending_deletion_of, request_deletion
from privacy.deletion.sweep import delete_accounts
from privacy.models import AccountDeletion
from privacy.registry import TABLES
from privacy.registry.kinds import Deleted, Emptied
from tests.conftest import customer
from tests.privacy.asking import given_up, much_later, prepared, without_money
from tests.security.delivered import deliver
from tests.storefront.admin_rows import make_rows
from tests.support.documents.terms import ticked
from tests.wallet.conftest import stripe_server
from tests.wallet.paying import stripe_tells
from wallet.models import LedgerEntry, MoneyRequest, Receivable, TopUp
from wallet.operations import InsufficientFunds, balance_of, confirm_top_up, credit

__all__ = ["stripe_server"]
pytestmark = pytest.mark.django_db
State = AccountDeletion.State


def a_payment(user: User, status: str, **fields) -> TopUp:
    figures = {"amount_micros": 5_000_000, "fee_micros": 0, "bonus_micros": 0, "pay_micros": 5_000_000}
    return TopUp.objects.create(user=user, gateway="stripe", currency="USD", status=status, **figures, **fields)


def delete_now(user: User) -> AccountDeletion:
    """Ask for the deletion and let the time pass."""
    request_deletion(user, now=timezone.now())
    Order.objects.filter(user=user).update(next_poll_at=None)
    delete_accounts(now=much_later())
    return AccountDeletion.objects.get(user=user)


# --- What has to be settled first -------------------------------------------------------------------------------------
def test_request_deletion_when_there_is_money_then_refused_and_nothing_has_changed(ann):
    with pytest.raises(CannotDelete, match="Your balance is"):
        request_deletion(ann, now=timezone.now())

    ann.refresh_from_db()
    assert ann.is_active
    assert not AccountDeletion.objects.exists()


def test_request_deletion_when_something_is_open_then_each_is_named(ann, service, sam):
    order = deliver(ann, service)
    without_money(ann)
    for status, words in (
        (TopUp.Status.CREATED, "payment is under way"),
        (TopUp.Status.PENDING, "payment is under way"),
        (TopUp.Status.REVIEW, "in review or in dispute"),
        (TopUp.Status.DISPUTED, "in review or in dispute"),
    ):
        top_up = a_payment(ann, status)
        with pytest.raises(CannotDelete, match=words):
            request_deletion(ann, now=timezone.now())
        top_up.delete()
    Order.objects.filter(pk=order.pk).update(status=Status.IN_PROGRESS)
    with pytest.raises(CannotDelete, match="1 order is still under way"):
        request_deletion(ann, now=timezone.now())
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED)
    request = ServiceRequest.objects.create(order=order, kind=ServiceRequest.Kind.REFILL)
    with pytest.raises(CannotDelete, match="requests is still open"):
        request_deletion(ann, now=timezone.now())
    request.delete()
    by_hand = {"kind": "adjustment", "amount_micros": 1, "note": "n", "request_id": "r", "needs_second": True}
    moved = MoneyRequest.objects.create(user=ann, asked_by=sam, **by_hand)
    with pytest.raises(CannotDelete, match="requests is still open"):
        request_deletion(ann, now=timezone.now())
    moved.delete()
    owed = Receivable.objects.create(user=ann, amount_micros=1_000_000)
    with pytest.raises(CannotDelete, match="You owe"):
        request_deletion(ann, now=timezone.now())
    owed.delete()

    assert request_deletion(ann, now=timezone.now()).state == State.PENDING


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_request_deletion_when_it_is_staffs_then_refused(ann, power):
    without_money(ann)
    User.objects.filter(pk=ann.pk).update(**{power: True})

    with pytest.raises(CannotDelete, match="staff"):
        request_deletion(ann, now=timezone.now())


# --- Meanwhile --------------------------------------------------------------------------------------------------------
def test_request_deletion_when_taken_then_nobody_is_signed_in_and_keys_stop(ann, client):
    without_money(ann)
    client.force_login(ann)
    _key, text = create_api_key(user=ann, name="robot")

    request_deletion(ann, now=timezone.now())

    assert client.get(reverse("account")).status_code == 302
    with pytest.raises(InvalidApiKey):
        find_api_key(text, address="203.0.113.1")
    assert ann.email in {letter.address for letter in Letter.objects.all()}


def test_keep_account_when_in_time_then_everything_works_again(ann):
    without_money(ann)
    _key, text = create_api_key(user=ann, name="robot")
    deletion = request_deletion(ann, now=timezone.now())

    keep_account(deletion, now=timezone.now())

    delete_accounts(now=much_later())
    assert find_api_key(text, address="203.0.113.1").user == ann
    assert AccountDeletion.objects.get().state == State.KEPT
    assert request_deletion(ann, now=timezone.now()).state == State.PENDING


def test_undo_email_change_when_the_thief_asked_for_deletion_then_the_account_stays(ann):
    without_money(ann)
    change = record_email_change(ann, old_email=ann.email, new_email="thief@example.com", now=timezone.now())
    request_deletion(ann, now=timezone.now())

    undo_email_change(undo_url(change).rstrip("/").rpartition("/")[2], now=timezone.now())

    ann.refresh_from_db()
    assert ann.is_active
    assert pending_deletion_of(ann) is None


def test_delete_accounts_when_it_is_not_due_then_nothing_happens(ann):
    without_money(ann)
    request_deletion(ann, now=timezone.now())

    delete_accounts(now=timezone.now() + timedelta(days=13))

    ann.refresh_from_db()
    assert ann.email == "ann@example.com"


def test_delete_accounts_when_money_came_in_then_it_waits_and_says_so(ann):
    without_money(ann)
    request_deletion(ann, now=timezone.now())
    credit(user=ann, amount_micros=5_000_000, kind=LedgerEntry.Kind.REFUND, reference="late")
    Letter.objects.all().delete()

    delete_accounts(now=much_later())
    delete_accounts(now=much_later() + timedelta(days=1))

    deletion = AccountDeletion.objects.get()
    ann.refresh_from_db()
    assert (deletion.state, ann.email) == (State.PENDING, "ann@example.com")
    assert "Your balance is" in deletion.obstacle
    assert Letter.objects.count() == 1  # not every half day
    without_money_again = balance_of(ann)
    assert without_money_again == 5_000_000


def test_delete_accounts_when_somebody_opened_the_account_again_then_it_waits(ann):
    without_money(ann)
    request_deletion(ann, now=timezone.now())
    User.objects.filter(pk=ann.pk).update(is_active=True)

    delete_accounts(now=much_later())

    ann.refresh_from_db()
    assert (AccountDeletion.objects.get().state, ann.email) == (State.PENDING, "ann@example.com")


def test_delete_accounts_when_an_order_may_still_change_then_it_waits(ann, service):
    order = deliver(ann, service)
    without_money(ann)
    request_deletion(ann, now=timezone.now())
    Order.objects.filter(pk=order.pk).update(next_poll_at=much_later())

    delete_accounts(now=much_later())

    assert AccountDeletion.objects.get().state == State.PENDING


# --- Carried out ------------------------------------------------------------------------------------------------------
def test_delete_accounts_when_due_then_every_table_is_as_the_registry_says(ann, service, export_dir):
    order = deliver(ann, service)
    create_api_key(user=ann, name="robot")
    add_webhook(user=ann, url="https://ann.example.com/hook")
    Authenticator.objects.create(user=ann, type="totp", data={"secret": "x"})
    UserSession.objects.create(user=ann, session_key="k", ip="203.0.113.9", user_agent="Firefox")
    Notice.objects.create(user=ann, key="n", subject="s", body="b")
    prepared(ann)
    without_money(ann)
    before = audit(client=None, now=timezone.now()).problems

    deletion = delete_now(ann)

    assert deletion.state == State.DONE
    ann = User.objects.get(pk=ann.pk)
    assert ann.is_deleted
    assert not ann.is_active
    assert not ann.has_usable_password()
    for table in TABLES:
        rows = table.of(ann)
        if isinstance(table.deletion, Deleted):
            assert not rows.exists(), table.model
        if isinstance(table.deletion, Emptied):
            for column, value in table.deletion.columns.items():
                for row in rows:
                    expected = str(row.pk) if hasattr(value, "resolve_expression") else value
                    assert getattr(row, column) == expected, f"{table.model}.{column}"
    order.refresh_from_db()
    assert (order.link, order.price_micros, order.title) == ("", 187_500, service.sold_title)
    assert DeliveredGoods.objects.get().encrypted == ""
    assert list(export_dir.iterdir()) == []
    assert len(audit(client=None, now=timezone.now()).problems) == len(before)


def test_delete_accounts_when_done_then_the_address_is_found_nowhere(ann, ben, service, client, sam):
    deliver(ann, service)
    without_money(ann)
    client.force_login(sam)
    client.post(reverse("admin:accounts_user_change", args=[ann.pk]), {"email": ann.email, "is_active": "on"})
    assert LogEntry.objects.filter(object_id=str(ann.pk)).exists()
    delete_now(ann)
    send_letters(now=much_later())

    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            columns = ", ".join(connection.ops.quote_name(field.column) for field in model._meta.concrete_fields)
            cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own names
            if any("ann@example.com" in str(row) for row in cursor.fetchall()):
                found.append(table)

    # The trail can't be changed: see docs/operations.md.
    assert set(found) <= {"accounts_trailentry"}


def test_delete_accounts_when_done_then_the_address_is_free_again(ann, client):
    without_money(ann)
    delete_now(ann)

    client.post(
        reverse("account_signup"),
        {"email": "ann@example.com", "password1": "x9!kLmn2pq", "password2": "x9!kLmn2pq"} | ticked(),
    )

    assert User.objects.filter(email="ann@example.com").exclude(pk=ann.pk).exists()


def test_delete_accounts_when_interrupted_then_the_next_sweep_ends_it(ann, service, monkeypatch):
    order = deliver(ann, service)
    without_money(ann)
    request_deletion(ann, now=timezone.now())
    Order.objects.filter(user=ann).update(next_poll_at=None)
    as_ever, carried = account._carry_out, []

    def dying(table, rows):
        if table.model == "orders.DeliveredGoods":
            raise RuntimeError("killed")
        carried.append(table.model)
        as_ever(table, rows)

    with monkeypatch.context() as killing:
        killing.setattr(account, "_carry_out", dying)
        delete_accounts(now=much_later())
    assert AccountDeletion.objects.get().state == State.WIPING
    assert DeliveredGoods.objects.get().encrypted

    delete_accounts(now=much_later())

    order.refresh_from_db()
    assert AccountDeletion.objects.get().state == State.DONE
    assert (order.link, DeliveredGoods.objects.get().encrypted) == ("", "")


def test_delete_accounts_when_earnings_were_waiting_then_they_come_to_nothing(ann, ben, service, settings):
    User.objects.filter(pk=ben.pk).update(referred_by=ann)
    order = deliver(ben, service)
    earning = ReferralEarning.objects.create(order=order, referrer=ann, due_at=timezone.now())
    without_money(ann)

    delete_now(ann)

    earning.refresh_from_db()
    ben.refresh_from_db()
    assert (earning.state, ben.referred_by) == (ReferralEarning.State.VOID, None)


def test_deleted_address_when_somebody_signed_up_with_one_then_the_deletion_goes_on(ann):
    customer(f"deleted-{ann.pk}@deleted.invalid")
    without_money(ann)

    assert delete_now(ann).state == State.DONE


# --- Late money -------------------------------------------------------------------------------------------------------
def test_a_payment_when_the_account_is_gone_then_it_waits_for_staff_and_is_not_lost(ann, sam, stripe_server):
    without_money(ann)
    top_up = given_up(ann)
    delete_now(ann)

    assert stripe_tells(stripe_server, "checkout.session.completed", stripe_server.pay(top_up.reference)) == 200

    top_up.refresh_from_db()
    assert (top_up.status, top_up.credited_micros, balance_of(ann)) == (TopUp.Status.REVIEW, 0, 0)
    assert "after the account was deleted" in top_up.attention
    confirm_top_up(top_up=top_up, received_micros=top_up.pay_micros, actor=sam)
    assert balance_of(ann) == top_up.amount_micros
    delete_accounts(now=much_later())
    assert Notice.objects.filter(key__startswith="deleted-account-money:").count() == 1


def test_purchase_when_the_account_is_about_to_go_then_there_is_no_money_to_spend(ann, service):
    without_money(ann)
    request_deletion(ann, now=timezone.now())

    with pytest.raises(InsufficientFunds):
        place_order(
            user=ann, service=service, quantity=100, link="https://example.com/p/1", request_id="x", now=timezone.now()
        )


def test_an_account_of_every_kind_of_rows_can_be_deleted(db):
    make_rows(1)
    user = User.objects.get(email="customer1@example.com")
    owned = {table.model: table.of(user).count() for table in TABLES}
    assert sum(map(bool, owned.values())) > 20

    account_of_rows = AccountDeletion.objects.create(
        user=user, state=State.WIPING, due_at=timezone.now(), requested_at=timezone.now()
    )
    with transaction.atomic():
        for table in TABLES:
            if table.at_once:
                account._carry_out(table, table.of(user))
    account.wipe_account(account_of_rows, now=timezone.now())

    account_of_rows.refresh_from_db()
    assert account_of_rows.state == State.DONE
    assert not EmailAddress.objects.filter(user=user).exists()


def test_delete_accounts_drops_files_of_lists_that_were_searched_for_the_customer(ann, sam):
    without_money(ann)
    back = "/admin/orders/order/?q="
    jobs = [
        StaffJob.objects.create(
            kind="list_file", title="Orders", asked_by=sam, language="en", file_name="orders.csv", state="done",
            finished_at=timezone.now(), back=f"{back}{name}%40example.com",
            params={"model": "orders.order", "query": f"q={name}%40example.com"},
        )
        for name in ("ann", "ben")
    ]  # fmt: skip
    for job in jobs:
        JobFilePart.objects.create(job=job, number=0, packed=b"")
    request_deletion(ann, now=timezone.now())

    delete_accounts(now=much_later())

    hers, his = (StaffJob.objects.get(pk=job.pk) for job in jobs)
    assert (hers.params, hers.back, hers.parts.count()) == ({}, "", 0)
    assert (his.params["query"], his.parts.count()) == ("q=ben%40example.com", 1)
