"""Changes become messages: written with the change, sent at least once, signed, tried again, given up."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from api.models import Webhook, WebhookDelivery
from api.webhooks import operations
from api.webhooks.events import body_of
from api.webhooks.operations import add_webhook
from api.webhooks.posting import Answer, post
from api.webhooks.sending import BACK_OFF, CLAIM, MAX_ATTEMPTS, claim, record, send_due
from orders.fulfilment.forward import forward_order
from orders.lifecycle.transitions import move_order
from orders.models import Order, Status
from tests.api.webhooks.messages import events, make, poll
from tests.api.webhooks.receiver import Receiver

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


# --- Written with the change ---------------------------------------------------------------------------------------
def test_change_when_an_order_goes_its_way_then_each_step_is_told_and_placing_is_not(
    hook: Webhook, place: Callable[..., Order], client_upstream: Any, sandbox: Any
) -> None:
    order = place()
    assert events() == []

    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="Partial", remains=400)
    poll("service", client_upstream)

    assert events() == ["order.accepted", "order.partial", "order.refunded"]
    assert {row.order_id for row in WebhookDelivery.objects.all()} == {order.pk}


def test_change_when_it_is_undone_then_so_is_the_message(hook: Webhook, sent: Order) -> None:
    before = events()

    with transaction.atomic():
        move_order(sent.pk, Status.COMPLETED, code="completed", now=timezone.now())
        assert events() == [*before, "order.completed"]
        transaction.set_rollback(True)

    assert events() == before


def test_change_when_the_webhook_is_off_or_anothers_or_wants_other_things_then_nothing_is_told(
    hook: Webhook, ben: User, receiver: Receiver, sent: Order
) -> None:
    others, _secret = add_webhook(user=ben, url=receiver.url)
    WebhookDelivery.objects.all().delete()
    Webhook.objects.filter(pk=hook.pk).update(wants_orders=False)
    move_order(sent.pk, Status.IN_PROGRESS, code="progress", now=timezone.now())
    operations.switch_off(hook.pk, because="", now=timezone.now())
    Webhook.objects.filter(pk=hook.pk).update(wants_orders=True)
    move_order(sent.pk, Status.COMPLETED, code="completed", now=timezone.now())

    assert not WebhookDelivery.objects.exists()
    assert not others.deliveries.exists()


def test_change_when_a_customer_has_two_webhooks_then_both_are_told_under_ids_of_their_own(
    hook: Webhook, ann: User, receiver: Receiver, sent: Order
) -> None:
    add_webhook(user=ann, url=receiver.url)
    move_order(sent.pk, Status.COMPLETED, code="completed", now=timezone.now())

    rows = WebhookDelivery.objects.filter(event="order.completed")
    assert (rows.count(), rows.values("event_id").distinct().count()) == (2, 2)


def test_change_when_nobody_has_a_webhook_then_a_batch_costs_one_statement_and_placing_none(
    place: Callable[..., Order], client_upstream: Any
) -> None:
    with CaptureQueriesContext(connection) as placing:
        order = place()
    with CaptureQueriesContext(connection) as forwarding:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)

    asks = [query for query in forwarding.captured_queries if "api_webhook" in query["sql"]]
    assert [query for query in placing.captured_queries if "api_webhook" in query["sql"]] == []
    assert len(asks) == 1  # its claim tells nobody, its acceptance does


# --- What is said, and how it is signed -----------------------------------------------------------------------------


# --- At least once --------------------------------------------------------------------------------------------------
def test_retries_when_the_receiver_fails_then_they_back_off_for_a_day_and_the_message_is_given_up(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.says(500)
    [row] = make(hook)
    began = now = timezone.now()
    for _attempt in range(MAX_ATTEMPTS):
        assert send_due(seconds=10, now=now) == 1
        assert send_due(seconds=10, now=now) == 0
        row.refresh_from_db()
        now = row.next_attempt_at or now

    assert (row.state, row.attempts, row.http_status) == ("given_up", MAX_ATTEMPTS, 500)
    assert timedelta(hours=23) < now - began < timedelta(hours=24)
    assert BACK_OFF[:6] == (10, 30, 120, 600, 1800, 3600)
    assert len({(one.headers["x-webhook-id"], one.body) for one in receiver.received}) == 1


def test_claim_when_the_sender_dies_before_it_records_then_the_message_comes_again_under_its_id(
    hook: Webhook, receiver: Receiver
) -> None:
    make(hook)
    now = timezone.now()
    taken = claim(now)
    assert taken is not None
    # As far as a killed sender gets: posted, and not written down.
    post(hook.url, body_of(taken), {"X-Webhook-Id": str(taken.event_id)})
    assert send_due(seconds=10, now=now + CLAIM / 2) == 0

    assert send_due(seconds=10, now=now + CLAIM * 2) == 1

    first, second = receiver.received
    assert first.headers["x-webhook-id"] == second.headers["x-webhook-id"]
    assert first.body == second.body
    assert WebhookDelivery.objects.get().state == "delivered"


def test_record_when_an_answer_comes_after_the_claim_was_taken_over_then_only_a_success_counts(hook: Webhook) -> None:
    make(hook)
    now = timezone.now()
    late = claim(now)
    claim(now + CLAIM * 2)
    assert late is not None

    record(late, Answer(500, "late"), now=now)
    assert WebhookDelivery.objects.get().claimed_until is not None
    record(late, Answer(200), now=now)

    assert WebhookDelivery.objects.get().state == "delivered"


def test_record_when_a_failure_comes_after_a_success_then_the_message_stays_delivered(hook: Webhook) -> None:
    make(hook)
    now = timezone.now()
    first, second = claim(now), claim(now + CLAIM * 2)
    assert first is not None
    assert second is not None

    record(first, Answer(200), now=now)
    record(second, Answer(500, "late"), now=now)

    row = WebhookDelivery.objects.get()
    assert (row.state, row.http_status, Webhook.objects.get().failing_since) == ("delivered", 200, None)


def test_replay_when_a_sender_has_it_in_hand_then_it_is_not_sent_beside_that(hook: Webhook) -> None:
    [row] = make(hook)
    now = timezone.now()
    assert claim(now) is not None

    assert not operations.replay(row, now=now)
    assert operations.replay(row, now=now + CLAIM * 2)


def test_sweeps_when_two_run_at_once_then_each_message_leaves_once_and_two_at_a_time_to_one_host(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.takes_its_time(0.02)
    make(hook, 30)

    with ThreadPoolExecutor(2) as pool:
        sent_by = list(pool.map(lambda _each: send_due(seconds=30), range(2)))

    assert sum(sent_by) == len(receiver.received) == 30
    assert len({one.headers["x-webhook-id"] for one in receiver.received}) == 30
    assert receiver.max_at_once == 2


def test_sending_when_one_receiver_hangs_then_another_is_served_meanwhile(
    hook: Webhook, ben: User, receiver: Receiver
) -> None:
    over = threading.Event()
    receiver.answer = lambda _out: over.wait(20) and None
    with Receiver() as quick:
        theirs, _secret = add_webhook(user=ben, url=quick.url)
        make(hook, 20)
        make(theirs, 10)
        with ThreadPoolExecutor(1) as pool:
            sweep = pool.submit(send_due, seconds=1)
            ends_at = time.monotonic() + 10
            while len(quick.received) < 10 and time.monotonic() < ends_at:
                time.sleep(0.02)
            served = len(quick.received)
            over.set()
            sweep.result()

    assert served == 10


def test_claim_when_failing_webhooks_hold_half_of_the_places_then_the_others_keep_theirs(
    db: None, settings: Any, receiver: Receiver
) -> None:
    settings.WEBHOOK_MAX_IN_FLIGHT = 4
    now = timezone.now()
    hooks = [
        add_webhook(user=User.objects.create_user(f"{port}@example.com"), url=f"http://127.0.0.1:{1000 + port}/")[0]
        for port in range(6)
    ]
    for each in hooks:
        make(each)
    Webhook.objects.filter(pk__in=[each.pk for each in hooks[:4]]).update(failing_since=now)

    taken = [claim(now) for _each in range(5)]

    assert [one.webhook_id if one else None for one in taken] == [*(hooks[i].pk for i in (0, 1, 4, 5)), None]


def test_claim_when_one_customer_has_many_servers_then_a_third_of_the_places_is_theirs(
    ann: User, ben: User, settings: Any, receiver: Receiver
) -> None:
    settings.WEBHOOK_MAX_IN_FLIGHT = 6
    for port in range(6):
        make(add_webhook(user=ann, url=f"http://127.0.0.1:{1000 + port}/")[0])
    theirs, _secret = add_webhook(user=ben, url=receiver.url)
    make(theirs)
    now = timezone.now()

    taken = [claim(now) for _each in range(4)]

    assert [one.webhook.user if one else None for one in taken] == [ann, ann, ben, None]


def test_record_when_the_webhook_is_switched_off_meanwhile_then_neither_waits_for_the_other(
    hook: Webhook, receiver: Receiver
) -> None:
    make(hook)
    taken = claim(timezone.now())
    assert taken is not None
    Webhook.objects.filter(pk=hook.pk).update(failing_since=timezone.now())
    off, recorded = threading.Event(), threading.Event()

    def switch_off_slowly() -> None:
        try:
            with transaction.atomic():
                Webhook.objects.filter(pk=hook.pk).update(disabled_at=timezone.now())
                off.set()
                recorded.wait(0.5)  # the other one is as far as it gets
                operations.switch_off(hook.pk, because="", now=timezone.now())
                WebhookDelivery.objects.filter(next_attempt_at__isnull=False).update(given_up_at=timezone.now())
        finally:
            connection.close()

    def record_success() -> None:
        try:
            off.wait(10)
            record(taken, Answer(200), now=timezone.now())
            recorded.set()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(switch_off_slowly), pool.submit(record_success)]:
            one.result()

    assert WebhookDelivery.objects.get().state == "delivered"
