"""Webhooks that are switched off, changed or deleted, and how long their messages and secrets are kept."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from api.models import Webhook, WebhookDelivery
from api.tasks import clean_webhooks, send_webhooks
from api.webhooks import operations
from api.webhooks.operations import rotate_secret
from api.webhooks.posting import Answer
from api.webhooks.sending import CLAIM, claim, record, send, send_due
from notifications.choices import choose
from notifications.kinds import MAIL, ORDERS
from notifications.models import Notice
from orders.lifecycle.transitions import move_order
from orders.models import Order, Status
from tests.api.webhooks.receiver import Receiver
from tests.api.webhooks.test_sending import events, make

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


# --- Switched off ---------------------------------------------------------------------------------------------------
def test_failing_when_nothing_got_through_for_three_days_then_it_is_off_with_one_mail_and_on_by_hand(
    hook: Webhook, receiver: Receiver, ann: User
) -> None:
    choose(ann, {(ORDERS, MAIL): False})
    receiver.says(503)
    now = timezone.now()
    make(hook)
    send_due(seconds=10, now=now)
    assert Webhook.objects.get().disabled_at is None
    make(hook, 3)
    send_due(seconds=10, now=now + timedelta(days=3, minutes=1))

    row = Webhook.objects.get()
    assert (row.disabled_at is not None, row.disabled_because) == (True, operations.NOTHING_GOT_THROUGH)
    assert {delivery.state for delivery in WebhookDelivery.objects.all()} == {"given_up"}
    [notice] = Notice.objects.all()
    assert notice.user == ann
    assert hook.url in notice.body

    receiver.says(200)
    operations.switch_on(row)
    assert operations.replay(WebhookDelivery.objects.order_by("pk")[0], now=now)
    send_due(seconds=10, now=now)
    row.refresh_from_db()
    assert (row.disabled_at, row.failing_since) == (None, None)


def test_failing_when_something_gets_through_then_the_days_begin_anew(hook: Webhook, receiver: Receiver) -> None:
    now = timezone.now()
    for status, at in ((500, timedelta(0)), (200, timedelta(days=2)), (500, timedelta(days=4))):
        receiver.says(status)
        make(hook)
        send_due(seconds=10, now=now + at)
        WebhookDelivery.objects.exclude(delivered_at=None).delete()

    row = Webhook.objects.get()
    assert (row.disabled_at, row.failing_since) == (None, now + timedelta(days=4))


def test_edit_webhook_when_its_address_was_wrong_then_the_new_one_has_days_of_its_own(
    hook: Webhook, receiver: Receiver
) -> None:
    long_ago = timezone.now() - timedelta(days=4)
    Webhook.objects.update(failing_since=long_ago)
    same = {"name": "renamed", "wants_orders": True, "wants_numbers": True}

    operations.edit_webhook(hook, url=hook.url, **same)
    assert Webhook.objects.get().failing_since == long_ago
    operations.edit_webhook(hook, url=f"{hook.url}/other", **same)
    assert Webhook.objects.get().failing_since is None


# --- Kept, wiped, deleted -------------------------------------------------------------------------------------------
def test_delete_webhook_when_a_change_is_being_written_then_the_change_is_not_undone(
    hook: Webhook, sent: Order
) -> None:
    written, go_on = threading.Event(), threading.Event()

    def change() -> None:
        try:
            with transaction.atomic():
                move_order(sent.pk, Status.COMPLETED, code="completed", now=timezone.now())
                written.set()
                go_on.wait(10)
        finally:
            connection.close()

    def remove() -> None:
        try:
            written.wait(10)
            operations.delete_webhook(hook)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(change), pool.submit(remove)]
        written.wait(10)
        time.sleep(0.3)
        go_on.set()
        for one in both:
            one.result()

    assert Order.objects.get(pk=sent.pk).status == Status.COMPLETED
    assert (Webhook.objects.count(), WebhookDelivery.objects.count()) == (0, 0)


def test_clean_deliveries_when_they_are_old_then_codes_are_wiped_and_later_all_is_deleted(
    hook: Webhook, receiver: Receiver, number: Order, sent: Order, settings: Any
) -> None:
    settings.SMS_CONTENT_KEEP_DAYS = 3
    send_due(seconds=10)
    assert sorted(events()) == ["number.active", "order.accepted"]

    assert operations.clean_deliveries(now=timezone.now() + timedelta(days=4)) == (1, 0)
    told_of_number = WebhookDelivery.objects.get(event="number.active")
    assert (told_of_number.body_encrypted, operations.replay(told_of_number)) == ("", False)
    assert WebhookDelivery.objects.get(event="order.accepted").body_encrypted != ""

    assert operations.clean_deliveries(now=timezone.now() + timedelta(days=31)) == (0, 2)
    assert not WebhookDelivery.objects.exists()


def test_clean_deliveries_when_a_sender_has_one_in_hand_then_it_neither_leaves_nor_waits_again(
    hook: Webhook, receiver: Receiver, number: Order, settings: Any
) -> None:
    settings.SMS_CONTENT_KEEP_DAYS = 3
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=4))
    before_it_is_made, after = claim(timezone.now()), claim(timezone.now() + CLAIM * 2)
    assert before_it_is_made is not None
    assert after is not None

    assert operations.clean_deliveries() == (1, 0)
    send(before_it_is_made)
    record(after, Answer(500, "late"), now=timezone.now())

    assert receiver.received == []
    assert WebhookDelivery.objects.get().next_attempt_at is None


def test_rotate_keys_when_a_new_key_is_in_front_then_secrets_and_bodies_are_encrypted_with_it(
    hook: Webhook, receiver: Receiver, settings: Any
) -> None:
    make(hook)
    rotate_secret(hook)
    send_due(seconds=10)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]

    assert (operations.reencrypt_webhooks(), operations.reencrypt_webhooks()) == (3, 0)

    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    make(hook)
    assert send_due(seconds=10) == 1
    assert WebhookDelivery.objects.filter(delivered_at=None).count() == 0
    send(make(hook)[0])  # and by hand


def test_task_when_a_worker_runs_it_then_what_is_due_leaves(hook: Webhook, receiver: Receiver) -> None:
    make(hook)
    send_webhooks()
    clean_webhooks()

    assert len(receiver.received) == 1
