"""Orders that upstream gave us ids for and does not know any more: counted, flagged, asked seldom, left to staff."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.models import Notice
from orders.accounting.audit import audit
from orders.attempts.not_found import refund_forgotten
from orders.fulfilment.poll import poll_due
from orders.lifecycle.attention import clear_attention
from orders.lifecycle.transitions import WrongStatus
from orders.models import Order, OrderEvent, Status
from tests.clock import stopped_at
from tests.orders.attention import Flag, flag, flags_of, said_of
from wallet.models import Wallet

Code = OrderEvent.Code
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def forget(sent_order: Order, client_upstream: Any, sandbox: Any):
    """Let upstream answer "Order not found" so many times in a row; return when it was asked each time."""

    def forget_it(times: int) -> list[datetime]:
        sandbox.fail_rate("refuse", 1.0, action="status", text="Order not found")
        asked = []
        for _each in range(times):
            sent_order.refresh_from_db()
            asked.append(sent_order.next_poll_at)
            assert poll_due(kind="service", client=client_upstream, clock=stopped_at(asked[-1])) == 1
        sandbox.clear_faults()
        sent_order.refresh_from_db()
        return asked

    return forget_it


def test_poll_when_upstream_does_not_know_the_order_for_the_third_time_tells_the_admin_once(sent_order, forget):
    forget(2)
    assert (flags_of(sent_order), Notice.objects.count()) == ([], 0)

    forget(3)

    assert said_of(sent_order) == f"Upstream answers “Order not found” for order {sent_order.upstream_id}."
    assert (sent_order.status, sent_order.refunded_micros) == (Status.PENDING, 0)
    [event] = sent_order.events.filter(code=Code.ATTENTION)
    assert event.evidence["times"] == 3
    assert Notice.objects.get(user=None).key.startswith(f"flag:{sent_order.pk}:")


def test_poll_when_upstream_goes_on_not_knowing_the_order_asks_ever_more_seldom_up_to_the_cap(forget, settings):
    asked = forget(10)

    waits = [(after - before).total_seconds() for before, after in pairwise(asked)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_poll_when_upstream_knows_the_order_again_takes_the_flag_back_and_follows_it(
    sent_order, forget, client_upstream, sandbox
):
    forget(4)
    sandbox.set_order(sent_order.upstream_id, status="In progress", remains=400)

    poll_due(kind="service", client=client_upstream, clock=stopped_at(sent_order.next_poll_at))

    sent_order.refresh_from_db()
    assert (sent_order.status, flags_of(sent_order), sent_order.not_found_times) == (Status.IN_PROGRESS, [], 0)
    assert (sent_order.not_found_since, sent_order.not_found_at, sent_order.not_found_flagged_at) == (None, None, None)
    assert sent_order.events.filter(code=Code.ATTENTION).last().evidence["found_again"] == sent_order.upstream_id
    forget(2)
    assert flags_of(sent_order) == []  # a row of such answers begins anew


def test_poll_when_upstream_knows_the_order_again_leaves_what_else_was_flagged(
    sent_order, forget, client_upstream, sandbox
):
    flag(sent_order, Flag.NO_REMAINS)
    forget(3)
    assert flags_of(sent_order) == [Flag.NO_REMAINS, Flag.NOT_FOUND]

    poll_due(kind="service", client=client_upstream, clock=stopped_at(sent_order.next_poll_at))

    sent_order.refresh_from_db()
    assert flags_of(sent_order) == [Flag.NO_REMAINS]
    assert said_of(sent_order) == "Partial, but upstream does not say how much remains"


def test_poll_when_staff_has_reviewed_the_flag_raises_it_again_a_day_later_at_the_earliest(sent_order, forget, sam):
    forget(9)
    clear_attention(sent_order.pk, actor=sam, now=timezone.now())
    forget(1)
    assert flags_of(sent_order) == []

    forget(24)

    assert flags_of(sent_order) == [Flag.NOT_FOUND]
    assert sent_order.events.filter(code=Code.ATTENTION, evidence__code=Flag.NOT_FOUND).count() == 2


def test_poll_when_upstream_forgets_a_finished_order_is_quiet_and_ends(sent_order, client_upstream, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="Completed")
    now = sent_order.next_poll_at
    poll_due(kind="service", client=client_upstream, clock=stopped_at(now))
    sandbox.fail_rate("refuse", 1.0, action="status", text="Order not found")

    for hours, pause in [(12, 12), (24, 24), (7 * 24, None)]:
        later = now + timedelta(hours=hours)
        assert poll_due(kind="service", client=client_upstream, clock=stopped_at(later)) == 1
        sent_order.refresh_from_db()
        assert sent_order.next_poll_at == (later + timedelta(hours=pause) if pause else None)
        assert (sent_order.status, flags_of(sent_order)) == (Status.COMPLETED, [])


def test_refund_forgotten_gives_all_money_back_and_the_books_add_up(sent_order, forget, client_upstream, sam, ann):
    forget(3)

    refund_forgotten(sent_order.pk, actor=sam, now=timezone.now())

    sent_order.refresh_from_db()
    assert (sent_order.status, flags_of(sent_order), sent_order.next_poll_at) == (Status.CANCELED, [], None)
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    resolved = sent_order.events.get(code=Code.RESOLVED)
    assert (resolved.actor, resolved.evidence["upstream_id"]) == (sam, sent_order.upstream_id)
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    with pytest.raises(WrongStatus):
        refund_forgotten(sent_order.pk, actor=sam, now=timezone.now())


def test_refund_forgotten_when_upstream_knows_it_again_is_refused(sent_order, forget, client_upstream, sam):
    forget(3)
    poll_due(kind="service", client=client_upstream, clock=stopped_at(sent_order.next_poll_at))

    with pytest.raises(WrongStatus):
        refund_forgotten(sent_order.pk, actor=sam, now=timezone.now())

    sent_order.refresh_from_db()
    assert (sent_order.status, sent_order.refunded_micros) == (Status.PENDING, 0)


def test_order_page_when_upstream_has_forgotten_it_says_so_and_offers_the_refund(
    sent_order, forget, sam, client: Client
):
    client.force_login(sam)
    page = reverse("admin:orders_order_change", args=[sent_order.pk])
    assert "Order not found" not in client.get(page).content.decode()
    forget(3)

    answer = client.get(page)

    assert "“Order not found” for its order" in answer.content.decode()
    assert "3 times in a row" in answer.content.decode()
    assert [button["path"].split("/")[-3:-1] for button in answer.context["actions_detail"]] == [
        ["doubt", "refund"],
        ["settle", "clear"],
        ["hand", "refund"],
        ["hand", "counts"],
        ["act", "ask"],
        ["act", "note"],
    ]
    pressed = client.post(
        reverse("admin:orders_order_refund_lost", args=[sent_order.pk]), {"_form_submitted": "True"}, follow=True
    )
    assert [str(message) for message in pressed.context["messages"]] == ["The order has been refunded."]
    sent_order.refresh_from_db()
    assert sent_order.status == Status.CANCELED
    assert timezone.now() - sent_order.finished_at < timedelta(minutes=1)
