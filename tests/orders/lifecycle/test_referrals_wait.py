"""A referral is credited only when nothing about its order can change any more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.referrals import credit_referrals
from orders.models import LostAttempt, Order, ServiceRequest
from tests.clock import stopped_at
from tests.orders.lifecycle.test_referrals import State, ann, earned, finish, on, rita
from wallet.operations import wallet_of

__all__ = ["ann", "on", "rita"]  # fixtures
pytestmark = pytest.mark.sqlite


def test_credit_referrals_before_the_last_late_look_credits_nothing_that_a_refund_could_take(
    place, rita, client_upstream, sandbox, settings
):
    order = place()
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="Completed")
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(minutes=1)))
    finished_at = Order.objects.get(pk=order.pk).finished_at
    final_at, looks = finished_at + timedelta(days=settings.LATE_CHANGE_DAYS), 0
    # As beat would; once the supplier, or our workers, were away for six hours.
    while (due := Order.objects.get(pk=order.pk).next_poll_at) is not None and due < final_at:
        looks += 1
        away = timedelta(hours=6 if looks == 3 else 0)
        poll_due(kind="service", client=client_upstream, clock=stopped_at(due + away))

    assert credit_referrals(now=final_at + timedelta(seconds=1)) == 0
    sandbox.set_order(order.upstream_id, status="Partial", remains=1000)
    poll_due(kind="service", client=client_upstream, clock=stopped_at(due))
    order.refresh_from_db()

    assert order.refunded_micros == order.price_micros
    # What changed late is flagged: nothing is settled before somebody has looked.
    assert credit_referrals(now=due + timedelta(days=2)) == 0
    assert wallet_of(rita).balance_micros == 0


@pytest.mark.parametrize("change", ["look", "attempt", "cancel"])
def test_credit_referrals_of_what_a_look_an_attempt_or_a_request_may_still_change_waits(place, rita, change):
    order, now = finish(place()), timezone.now()
    if change == "look":
        Order.objects.filter(pk=order.pk).update(next_poll_at=now + timedelta(hours=3))
    elif change == "attempt":
        LostAttempt.objects.create(
            order=order, kind="service", number=1, sent_at=now, cause="no_answer", state=LostAttempt.State.ABANDONED
        )
    else:
        ServiceRequest.objects.create(order=order, kind=ServiceRequest.Kind.CANCEL)

    assert credit_referrals(now=now) == 0
    assert earned(order)[0] == State.WAITING

    Order.objects.filter(pk=order.pk).update(next_poll_at=None)
    LostAttempt.objects.update(state=LostAttempt.State.ABSENT)
    ServiceRequest.objects.update(state=ServiceRequest.State.DECLINED)
    assert credit_referrals(now=now + timedelta(days=2)) == 1
