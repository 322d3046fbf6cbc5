"""Who is written to first, and what a mail says when very much is to be told."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts.models import User
from notifications.channels.mail.message import IN_FULL, LISTED
from notifications.models import Notice
from notifications.outbox import ASKED_FOR, DIGEST_AT_ONCE, send_notices, tell_admins, tell_customer

pytestmark = pytest.mark.django_db


@pytest.mark.sqlite
def test_send_notices_when_one_customer_has_very_many_then_neither_admins_nor_others_wait(
    ann: User, ben: User, settings: Any
) -> None:
    settings.ADMINS = [("Admin", "admin@example.com")]
    began = timezone.now()
    Notice.objects.bulk_create(
        Notice(user=ann, key=f"order:{n}:completed:0", subject=f"Order {n}", body="done", created_at=began)
        for n in range(20_000)
    )
    tell_customer(ben, "order:9999999:x", "Your order", "…", began)
    tell_admins("pause:1", "Forwarding is paused", "The upstream key is not accepted", began)

    assert send_notices(now=began) == 3

    assert [message.to for message in mail.outbox] == [["admin@example.com"], [ann.email], [ben.email]]
    for round_ in range(1, 5):
        send_notices(now=began + timedelta(seconds=15 * round_))
    assert not Notice.objects.filter(sent_at=None).exists()
    assert len(mail.outbox) == 2 + 20_000 // DIGEST_AT_ONCE


def test_send_notices_when_there_are_many_then_a_digest_lists_them_and_what_was_asked_for_comes_in_full(
    ann: User,
) -> None:
    for number in range(LISTED + 10):
        tell_customer(ann, f"order:{number}:x", f"Order #{number} is complete", "The whole story.")
    tell_customer(ann, f"{ASKED_FOR}stock:1", "Back in stock", "You can order it again.")

    assert send_notices() == 1

    [message] = mail.outbox
    assert message.subject == f"Storefront: {LISTED + 11} updates"
    assert "* Back in stock\n\nYou can order it again." in message.body
    assert f"* Order #{LISTED - 1} is complete\n" in message.body
    assert f"* Order #{LISTED} is complete" not in message.body
    assert "… and 10 more" in message.body
    assert "The details: http" in message.body
    assert "/orders/" in message.body
    assert "whole story" not in message.body
    assert len(message.body) < 100_000


@pytest.mark.django_db(transaction=True)
def test_send_notices_of_one_recipient_by_several_workers_then_every_notice_leaves_once(ann: User) -> None:
    for number in range(2 * IN_FULL):
        tell_customer(ann, f"order:{number}:x", f"News {number}.", "Body")

    def work(_number: int) -> int:
        try:
            return send_notices()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))

    told = [line for message in mail.outbox for line in re.findall(r"News \d+\.", message.body)]
    assert sorted(set(told)) == sorted(told)
    assert len(told) >= 2 * IN_FULL
