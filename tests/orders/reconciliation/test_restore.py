"""After a restore: nothing is sent before a human has looked."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.models import ForwardingPause, Order, Status
from orders.reconciliation.restore import declare_restored

pytestmark = pytest.mark.sqlite


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_after_a_restore_every_unsent_order_is_unknown_and_forwarding_stands_still(send, place, client_upstream):
    send()
    waiting = place()

    assert declare_restored(known_until=None, now=timezone.now()) == 1

    order = fresh(waiting)
    assert (order.status, order.last_upstream_id_before) == (
        Status.UNKNOWN,
        Order.objects.get(status=Status.PENDING).upstream_id,
    )
    assert not forward_order(waiting.pk, client=client_upstream, clock=timezone.now)


def test_a_second_restore_has_a_moment_of_its_own_though_the_first_pause_is_still_open(db: None) -> None:
    first, second = timezone.now(), timezone.now() + timedelta(hours=1)

    declare_restored(known_until=None, now=first)
    declare_restored(known_until=None, now=second)

    restored = ForwardingPause.objects.filter(reason=ForwardingPause.Reason.RESTORED).order_by("started_at")
    assert list(restored.values_list("started_at", "ended_at")) == [(first, second), (second, None)]
