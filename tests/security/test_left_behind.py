"""What leaves with a download, or stays in the database, although nobody was to read it or to have it unseen."""

import secrets
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import GoodsReveal
from privacy.deletion.requests import request_deletion
from privacy.deletion.sweep import delete_accounts
from tests.conftest import second_factor
from tests.pages import page_words
from tests.privacy.asking import given_up, much_later, prepared, read, with_privacy, without_money
from tests.security.delivered import deliver
from tests.security.factors import age_all_sessions, code, confirm_with
from tests.security.signing_in import confirm, letters_to, sign_in
from tests.wallet.paying import start, stripe_paid, stripe_tells
from wallet.models import GatewayEvent
from wallet.operations import move_by_hand
from wallet.operations.top_ups import declare_transfer

pytestmark = pytest.mark.django_db
NEW = "Xq7-planted-secret"


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    with_privacy(settings, export_dir=tmp_path / "exports")


# --- Goods that leave in a download ---------------------------------------------------------------------------------
def test_goods_taken_along_in_a_download_count_as_looked_at_and_the_owner_hears_of_it(thief, ann, service):
    """Otherwise a buyer has them all, and says that they were never opened."""
    order = deliver(ann, service)
    export = prepared(ann)
    later = deliver(ann, service)
    confirm(thief, thief.post(reverse("privacy:download", args=[export.pk])))
    assert not GoodsReveal.objects.exists()

    file = thief.post(reverse("privacy:download", args=[export.pk]))

    assert b"".join(file.streaming_content)[:2] == b"PK"
    look = GoodsReveal.objects.get()
    assert (look.goods.order_id, look.user, look.looks) == (order.pk, ann, 1)
    assert look.last_address == "127.0.0.1"
    assert later.pk != order.pk  # not in the file
    assert any("was downloaded" in text for text in letters_to(ann.email))


# --- What a download must not hold ----------------------------------------------------------------------------------
def test_nobody_learns_from_a_download_that_a_bank_suspects_them(ann, stripe_server):
    top_up = stripe_paid(ann, stripe_server)
    intent = stripe_server.session_of(top_up.reference)["payment_intent"]
    warning = {"id": "issfr_1", "object": "radar.early_fraud_warning", "payment_intent": intent, "actionable": True}
    assert stripe_tells(stripe_server, "radar.early_fraud_warning.created", warning) == 200
    top_up.refresh_from_db()
    assert "fraud" in top_up.note

    found = read(prepared(ann))

    assert [row["note"] for row in found["payments"]] == [""]
    assert "fraud" not in str(found)


def test_what_a_customer_said_of_a_transfer_is_theirs(ann, settings):
    settings.MANUAL_TRANSFER_DETAILS = "To the shop"
    declare_transfer(top_up=start(ann, "manual"), note="sent from my aunt's account")

    assert read(prepared(ann))["payments"][0]["note"] == "sent from my aunt's account"


def test_what_waits_for_a_second_member_of_staff_is_in_no_download(ann, sam, settings):
    """Whoever reads that money is about to be taken spends it before the second one has looked."""
    settings.ADJUST_APPROVAL_MICROS = 1_000_000
    asked = {"user": ann, "kind": "adjustment", "actor": sam}
    move_by_hand(**asked, amount_micros=500_000, note="a gift", request_id="done")
    move_by_hand(**asked, amount_micros=-5_000_000, note="ring of chargebacks", request_id="waits")

    found = read(prepared(ann))

    assert [row["note"] for row in found["moves_by_hand"]] == ["a gift"]
    assert "ring of chargebacks" not in str(found)


# --- What stays in the database -------------------------------------------------------------------------------------
def test_a_password_typed_before_a_confirmation_is_in_no_session(ann):
    """The first password of an account that has none, set by whoever has another factor."""
    second_factor(ann)
    browser = Client()
    browser.force_login(ann)
    age_all_sessions(ann)
    ann.set_unusable_password()
    ann.save()
    browser.force_login(ann)
    age_all_sessions(ann)
    typed = {"password1": NEW, "password2": NEW}

    asked = browser.post(reverse("account_set_password"), typed)

    assert asked.status_code == 302
    assert not any(NEW in str(session.get_decoded()) for session in Session.objects.all())
    led = confirm_with(browser, asked, code())
    assert led["Location"] == reverse("account_set_password")
    assert "type yours again" in page_words(browser.get(led["Location"]))
    browser.post(reverse("account_set_password"), typed)
    assert sign_in(Client(), ann, password=NEW).status_code == 302


def test_what_a_gateway_tells_of_a_deleted_account_does_not_stay_for_ever(ann, stripe_server):
    without_money(ann)
    top_up = given_up(ann)
    request_deletion(ann, now=timezone.now())
    delete_accounts(now=much_later())
    paid = {**stripe_server.pay(top_up.reference), "customer_details": {"email": "ann@example.com", "name": "Ann"}}
    assert stripe_tells(stripe_server, "checkout.session.completed", paid) == 200

    delete_accounts(now=timezone.now() + timedelta(days=1))
    assert "ann@example.com" in GatewayEvent.objects.get().body  # what lags behind is read beside it
    delete_accounts(now=much_later())

    event = GatewayEvent.objects.get()
    assert (event.headers, event.body, event.outcome) == ({}, "", "applied")


def test_no_session_grows_by_what_is_posted_before_a_confirmation(thief, ann):
    """Each of fifty sessions would be read and written with it at every page."""
    asked = thief.post(reverse("api:keys"), {"name": "x", "may_read": "on", "more": secrets.token_hex(400_000)})

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert all(len(session.session_data) < 60_000 for session in Session.objects.all())
    assert confirm(thief, asked)["Location"] == reverse("api:keys")  # and is typed again


def test_the_page_of_deletion_does_not_tell_who_has_money_that_staff_is_about_to_take_some(client, ann, sam, settings):
    settings.ADJUST_APPROVAL_MICROS = 1_000_000
    asked = {"user": ann, "kind": "adjustment", "actor": sam, "note": "ring of chargebacks"}
    move_by_hand(**asked, amount_micros=-5_000_000, request_id="waits")
    client.force_login(ann)

    rich = page_words(client.get(reverse("privacy:delete")))
    without_money(ann)
    poor = page_words(client.get(reverse("privacy:delete")))

    assert "Your balance is" in rich
    assert "still open" not in rich
    assert "still open" in poor  # there is nothing left to spend, and the account has to wait
