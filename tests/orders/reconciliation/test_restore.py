"""After a restore: nothing is sent before a human has looked."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.models import ForwardingPause, Order, Status
from orders.placing.pay_first import close_pending
from orders.reconciliation.restore import declare_restored, end_restore_pause, known_until_now, restore_under_way
from tests.orders.placing.paying_first import pay
from tests.wallet.paying import balance, demo_says
from wallet.gateways import State

__all__ = ["pay"]  # a fixture
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


def test_an_order_that_waited_for_its_payment_is_not_placed_again_when_the_money_is_found(pay, kim) -> None:
    pending = pay()

    declare_restored(known_until=None, now=timezone.now())
    demo_says(pending.top_up, State.PAID)
    close_pending(now=timezone.now())

    pending.refresh_from_db()
    assert (pending.state, pending.order, Order.objects.count()) == ("dropped", None, 0)
    assert "restore our records" in pending.reason
    assert balance(kim) == 500_000 + pending.top_up.pay_micros


def test_going_on_with_a_restore_remembers_when_the_backup_was_taken(send) -> None:
    send()
    backed_up = known_until_now()
    assert backed_up is not None

    declare_restored(known_until=backed_up, now=timezone.now() + timedelta(hours=1))

    assert known_until_now() == backed_up
    end_restore_pause(now=timezone.now() + timedelta(hours=2))
    assert restore_under_way() is None
