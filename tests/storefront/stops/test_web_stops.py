"""A deploy stops the web while it buys: what was begun is finished, written down, and answered."""

import time
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from api.actions.sms import ANSWER_WITHIN_SECONDS
from orders.accounting.audit import audit
from orders.fulfilment.forward import RECORD_AGAIN_SECONDS
from orders.models import Order, OrderEvent, Status
from sms.models import Number
from tests.storefront.settings_source import ROOT
from tests.storefront.stops.servers import asked
from tests.workers import wait_for
from upstream.client import LONGEST_WAIT_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]

SLOW_SECONDS = 3.0


def test_web_when_it_is_stopped_during_add_sms_then_the_number_is_bought_once_and_its_buyer_has_it(
    web, sandbox, key, project, books_add_up
):
    sandbox.fail_next("slow", action="add_sms", seconds=SLOW_SECONDS)
    process = web.start().process
    answer = web.call(key=key, action="add_sms", project_id=project.pk, quantity=1)
    wait_for(asked(sandbox, "add_sms"), "the purchase has reached the supplier")

    process.terminate()

    [bought] = answer.result(30).json()["orders"]
    assert process.wait(30) == 0
    [order] = Order.objects.all()
    assert (order.status, order.refunded_micros) == (Status.PENDING, 0)
    assert bought["phone"] == Number.objects.get(order=order).phone != ""
    books_add_up(sandbox)
    web.start()
    again = web.call(key=key, action="sms_status", order=order.pk).result(30).json()
    assert again["phone"] == bought["phone"]


@pytest.mark.long
def test_web_when_it_is_stopped_after_the_answer_and_before_the_supplier_s_then_that_one_is_recorded(
    web, sandbox, key, project, books_add_up
):
    """The program has been told "pending" after twenty seconds; the thread that buys goes on without its request."""
    sandbox.fail_next("slow", action="add_sms", seconds=26)
    process = web.start().process
    answer = web.call(key=key, action="add_sms", project_id=project.pk, quantity=1).result(40).json()
    assert answer["orders"][0]["phone"] == ""
    assert Order.objects.get().status == Status.SENDING

    process.terminate()

    assert process.wait(40) == 0
    assert Order.objects.get().status == Status.PENDING
    books_add_up(sandbox)


@pytest.mark.long
def test_web_when_it_is_killed_after_its_grace_then_the_buyer_is_refunded_and_the_loss_is_found_and_booked(
    web, workers, sandbox, key, project, buy, client_upstream
):
    times = {"UPSTREAM_TIMEOUT_SECONDS": "5", "ORDERS_CLAIM_SECONDS": "11", "SETTLE_SECONDS": "12"}
    process = web.start("--graceful-timeout", "1", **times).process
    purchase = {"key": key, "action": "add_sms", "project_id": project.pk, "quantity": 1}
    assert web.call(**purchase).result(30).json()["orders"][0]["phone"]  # the lost one's id comes after its
    sandbox.fail_next("slow", action="add_sms", seconds=4)
    web.call(**purchase)
    wait_for(lambda: asked(sandbox, "add_sms")() == 2, "the purchase has reached the supplier")

    process.terminate()

    assert process.wait(10) == 0
    lost = Order.objects.latest("pk")
    assert lost.status == Status.SENDING
    workers.environment |= {**times, "RECONCILE_EVERY_SECONDS": "1", "MAX_CLOCK_SKEW_SECONDS": "1"}
    workers.worker()
    workers.beat()
    refunded = Order.objects.filter(pk=lost.pk, refunded_micros=lost.price_micros)
    wait_for(refunded.exists, "the buyer has the money back", seconds=60)
    time.sleep(max(12 - (timezone.now() - lost.sent_at).total_seconds(), 0))
    [_later] = buy()  # and before the id of one that is sent a settling time later
    loss = OrderEvent.objects.filter(code=OrderEvent.Code.LOSS)
    wait_for(loss.exists, "what the supplier took for it is booked", seconds=90)
    assert loss.get().evidence["upstream_id"] == str(sandbox.orders[1]["id"])
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert len(sandbox.orders) == Order.objects.count() == 3


def test_gunicorn_waits_longer_than_the_longest_purchase_takes():
    configured: dict[str, Any] = {}
    exec((ROOT / "gunicorn.conf.py").read_text(), configured)  # noqa: S102 - as gunicorn reads it

    longest = LONGEST_WAIT_SECONDS + settings.UPSTREAM_TIMEOUT_SECONDS + sum(RECORD_AGAIN_SECONDS)
    assert configured["graceful_timeout"] > max(longest, ANSWER_WITHIN_SECONDS)
