"""Mails: written with what they tell of, sent once, gathered instead of a storm, never to who does not want them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from notifications.choices import choose
from notifications.kinds import BELL, MAIL, ORDERS
from notifications.models import Notice
from notifications.outbox import (
    ADMIN_MAILS_PER_HOUR,
    CUSTOMER_MAILS_PER_HOUR,
    send_notices,
    tell_admins,
    tell_customer,
)
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.fulfilment.pauses import end_pause, pause_forwarding
from orders.fulfilment.poll import poll_due
from orders.lifecycle.service_requests import cancel_unsent
from orders.models import Order, Status
from orders.notices.customer_notices import announce
from orders.reconciliation.resolve import resolve_by_refund
from tests.clock import stopped_at
from tests.orders.attention import Flag, said_of
from tests.storefront.admin_rows import make_order
from upstream.errors import InvalidApiKey

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def admins(settings: Any) -> None:
    settings.ADMINS = [("Admin", "boss@example.com")]


@pytest.fixture
def poll(client_upstream: Any) -> Callable[..., None]:
    def poll_all(days: int = 1) -> None:
        poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + days * DAY))

    return poll_all


def only_mail() -> mail.EmailMessage:
    send_notices()
    [message] = mail.outbox
    return message


# --- What customers are told -----------------------------------------------------------------------------------------
def test_poll_when_an_order_is_finished_then_its_buyer_is_told_once(
    sent_order: Order, poll: Callable[..., None], sandbox: Any, ann: User
) -> None:
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)

    poll()
    poll(2)
    message = only_mail()
    send_notices()

    assert message.to == [ann.email]
    assert message.subject == f"Storefront: Order #{sent_order.pk} is complete"
    assert "Your order is complete, quantity: 1,000." in message.body
    assert f"http://testserver/orders/{sent_order.pk}/" in message.body
    assert "http://testserver/account/" in message.body
    assert len(mail.outbox) == 1


def test_poll_when_accounts_were_delivered_then_the_mail_counts_them_and_shows_none(
    sent_order: Order, poll: Callable[..., None], sandbox: Any
) -> None:
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0, accounts=["rosa:1", "ida:2"])

    poll()
    body = only_mail().body

    assert "2 accounts are waiting for you on the order's page." in body
    assert "rosa" not in body


def test_poll_when_an_order_is_partial_then_the_mail_has_the_arithmetic(
    sent_order: Order, poll: Callable[..., None], sandbox: Any
) -> None:
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=333)

    poll()
    message = only_mail()

    assert message.subject.endswith("was partially completed")
    assert "333 of 1,000 could not be delivered." in message.body
    assert "$1.875 × 333 not delivered ÷ 1,000 ordered: $0.6243 refunded to your balance." in message.body


def test_poll_when_a_finished_order_changes_later_then_each_refund_is_told(
    sent_order: Order, poll: Callable[..., None], sandbox: Any, ann: User
) -> None:
    for days, status, remains in ((1, "Completed", 0), (2, "Partial", 500), (5, "Canceled", 500)):
        sandbox.set_order(sent_order.upstream_id, status=status, remains=remains)
        poll(days)

    told = list(Notice.objects.filter(user=ann).order_by("id").values_list("key", flat=True))
    assert told == [
        f"order:{sent_order.pk}:completed:0",
        f"order:{sent_order.pk}:partial:937500",
        f"order:{sent_order.pk}:canceled:1875000",
    ]


def test_forward_order_when_refused_then_its_buyer_hears_of_the_refund_but_not_of_our_supplier(
    paid_order: Order, client_upstream: Any, sandbox: Any
) -> None:
    sandbox.fail_next("refuse", action="add", text="Quantity is less than minimum")

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    body = only_mail().body

    assert "we couldn't complete your order. $1.875 has been refunded to your balance." in body
    assert "minimum" not in body


def test_cancel_when_the_buyer_did_it_then_no_mail_repeats_it(paid_order: Order, ann: User) -> None:
    cancel_unsent(paid_order.pk, user=ann, now=timezone.now())

    assert not Notice.objects.exists()


def test_announce_when_the_order_is_a_number_then_its_buyer_watches_the_page(ann: User) -> None:
    announce([make_order(ann, status=Status.COMPLETED)], now=timezone.now())

    assert not Notice.objects.exists()


def test_announce_when_the_account_is_closed_then_nobody_is_told(ann: User, service: Service) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)
    ann.refresh_from_db()

    announce([make_order(ann, service=service, status=Status.COMPLETED)], now=timezone.now())

    assert not Notice.objects.exists()


def test_announce_when_the_buyer_wants_no_news_about_orders_then_there_are_none(ann: User, service: Service) -> None:
    choose(ann, {(ORDERS, MAIL): False, (ORDERS, BELL): False})

    announce([make_order(ann, service=service, status=Status.COMPLETED)], now=timezone.now())

    assert not Notice.objects.exists()


def test_send_notices_when_mail_was_turned_off_meanwhile_then_nothing_is_sent(ann: User) -> None:
    tell_customer(ann, "k", "Subject", "Body")
    choose(ann, {(ORDERS, MAIL): False})

    assert send_notices() == 0
    assert mail.outbox == []
    [notice] = Notice.objects.all()  # what is in the bell stays there
    assert (notice.in_bell, notice.channel, notice.sent_at) == (True, BELL, notice.created_at)


def test_send_notices_when_everything_was_turned_off_meanwhile_then_nothing_is_left(ann: User) -> None:
    choose(ann, {(ORDERS, BELL): False})
    tell_customer(ann, "k", "Subject", "Body")
    choose(ann, {(ORDERS, MAIL): False})

    assert send_notices() == 0
    assert not Notice.objects.exists()


# --- Each once -------------------------------------------------------------------------------------------------------
def test_tell_customer_when_the_key_is_known_then_nothing_is_written_and_the_transaction_goes_on(ann: User) -> None:
    with transaction.atomic():
        tell_customer(ann, "k", "First\nBcc: x@example.com", "Body")
        tell_customer(ann, "k", "Second", "Body")
        assert Notice.objects.get().subject == "First Bcc: x@example.com"


def test_tell_customer_when_the_change_is_rolled_back_then_so_is_the_mail(ann: User) -> None:
    with transaction.atomic():
        tell_customer(ann, "k", "Subject", "Body")
        transaction.set_rollback(True)

    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_send_notices_by_several_workers_then_every_notice_leaves_once(ann: User, ben: User) -> None:
    for number in range(20):
        tell_customer(ann if number % 2 else ben, f"k{number}", f"News {number}", f"Body {number}.")

    def send(_number: int) -> int:
        try:
            return send_notices()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(send, range(8)))

    everything = "".join(message.body for message in mail.outbox)
    assert [everything.count(f"Body {number}.") for number in range(20)] == [1] * 20
    assert not Notice.objects.filter(sent_at=None).exists()


def test_send_notices_when_several_wait_then_one_mail_has_them_all(ann: User, ben: User) -> None:
    tell_customer(ann, "a", "Order #1 is complete", "One.")
    tell_customer(ben, "b", "Order #2 is complete", "Two.")
    tell_customer(ann, "c", "Order #3 is complete", "Three.")

    assert send_notices() == 2

    to_ann = next(message for message in mail.outbox if message.to == [ann.email])
    assert to_ann.subject == "Storefront: 2 updates"
    assert "* Order #1 is complete\n\nOne." in to_ann.body
    assert "Three." in to_ann.body
    assert "Two." not in to_ann.body


def test_send_notices_when_a_customer_got_many_within_the_hour_then_the_rest_comes_in_one(ann: User) -> None:
    start = timezone.now()
    for number in range(30):
        now = start + timedelta(minutes=number)
        tell_customer(ann, f"k{number}", f"News {number}", "Body", now)
        send_notices(now=now)
    assert len(mail.outbox) == CUSTOMER_MAILS_PER_HOUR

    send_notices(now=start + timedelta(minutes=59))
    assert len(mail.outbox) == CUSTOMER_MAILS_PER_HOUR
    send_notices(now=start + timedelta(minutes=61))

    assert len(mail.outbox) == CUSTOMER_MAILS_PER_HOUR + 1
    assert mail.outbox[-1].subject == f"Storefront: {30 - CUSTOMER_MAILS_PER_HOUR} updates"


# --- What admins are told --------------------------------------------------------------------------------------------
def test_pause_when_it_begins_and_ends_then_the_admins_hear_of_each_once(caplog: Any) -> None:
    pause = pause_forwarding(reason="key", detail=InvalidApiKey("Invalid API key").text, now=timezone.now())
    pause_forwarding(reason="key", detail="Invalid API key", now=timezone.now())
    end_pause(pause.pk, now=timezone.now())
    end_pause(pause.pk, now=timezone.now())

    keys = list(Notice.objects.order_by("id").values_list("key", flat=True))
    assert keys == [f"pause:{pause.pk}", f"pause:{pause.pk}:ended"]
    message = only_mail()
    assert message.to == ["boss@example.com"]
    assert f"http://testserver/admin/orders/forwardingpause/{pause.pk}/change/" in message.body
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_pause_when_an_admin_presses_the_button_then_nobody_needs_to_be_told() -> None:
    pause_forwarding(reason="admin", detail="lunch", now=timezone.now())

    assert not Notice.objects.exists()


def test_unknown_order_when_nobody_answers_then_the_admins_hear_of_it_and_no_log_line_mails_it_again(
    paid_order: Order, client_upstream: Any, sandbox: Any, caplog: Any
) -> None:
    sandbox.fail_next("lose_reply", action="add")

    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    release_stale_claims(now=timezone.now() + DAY)
    message = only_mail()

    assert message.subject == f"Storefront: Order #{paid_order.pk}: no clear answer from upstream"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_resolve_by_refund_when_staff_decides_then_the_buyer_is_told(
    paid_order: Order, client_upstream: Any, sandbox: Any, sam: User, ann: User
) -> None:
    sandbox.fail_next("lose_reply", action="add")
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)

    resolve_by_refund(paid_order.pk, actor=sam, now=timezone.now())

    assert Notice.objects.get(user=ann).key == f"order:{paid_order.pk}:failed:1875000"


def test_poll_when_a_finished_order_changes_then_it_is_flagged_and_the_admins_are_told_once(
    sent_order: Order, poll: Callable[..., None], sandbox: Any
) -> None:
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)
    poll(1)
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=500)
    poll(2)
    poll(3)

    sent_order.refresh_from_db()
    assert said_of(sent_order) == "Changed after it was Completed: Partial"
    assert sent_order.events.filter(code="attention", evidence__code=Flag.CHANGED_LATE).count() == 1
    assert Notice.objects.filter(user=None, key__startswith=f"flag:{sent_order.pk}:").count() == 1


def test_send_notices_when_many_episodes_begin_then_the_admins_get_no_storm() -> None:
    start = timezone.now()
    for number in range(3 * ADMIN_MAILS_PER_HOUR):
        now = start + timedelta(seconds=30 * number)
        tell_admins(f"k{number}", f"Episode {number}", "Body", now)
        send_notices(now=now)

    assert len(mail.outbox) == ADMIN_MAILS_PER_HOUR
    send_notices(now=start + timedelta(minutes=90))
    assert len(mail.outbox) == ADMIN_MAILS_PER_HOUR + 1


def test_send_notices_without_admins_then_the_notices_stay_to_be_read(settings: Any) -> None:
    settings.ADMINS = []
    tell_admins("k", "Episode", "Body")

    assert send_notices() == 0
    assert Notice.objects.get().tries == 0
