"""A lost number was refunded at once; what is left to find out is whether the shop has to pay for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.reconciliation.reconcile import reconcile_orders
from sms.models import Number
from tests.clock import stopped_at
from tests.orders.attention import attempt_of, flags_of

pytestmark = pytest.mark.sqlite

Code = OrderEvent.Code
State = LostAttempt.State


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


class TestNumbers:
    """A lost number was refunded at once; what is left to find out is whether the shop has to pay for it."""

    @pytest.fixture
    def send_number(self, ann, client_upstream, sandbox, db):
        import uuid

        from sms.models import Country, Project
        from sms.operations import buy_numbers

        row = next(row for row in client_upstream.sms_projects(country="us") if row.name == "OpenAI / ChatGPT")
        country = Country.objects.create(code="us", name="United States")
        project = Project.objects.create(
            upstream_id=row.project_id, country=country, name=row.name, price_upstream_micros=500_000
        )

        def send_one(*, minutes: float = 0, fault: str = "") -> Order:
            [order] = buy_numbers(user=ann, project=project, request_id=str(uuid.uuid4()))
            if fault:
                sandbox.fail_next(fault, action="add_sms")
            at = timezone.now() + timedelta(minutes=minutes)
            Order.objects.filter(pk=order.pk).update(created_at=at)
            forward_order(order.pk, client=client_upstream, clock=stopped_at(at))
            return fresh(order)

        return send_one

    def test_a_refunded_number_that_exists_is_booked_as_the_shops_loss(self, send_number, client_upstream, sandbox):
        send_number()
        lost = send_number(fault="lose_reply")
        send_number(minutes=11)

        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

        order = fresh(lost)
        assert (order.status, order.upstream_id) == (Status.FAILED, str(sandbox.orders[1]["id"]))
        assert (order.charge_upstream_micros, flags_of(order)) == (500_000, [])
        assert attempt_of(order).state == State.LOSS
        assert order.events.last().code == Code.LOSS
        assert order.refunded_micros == order.price_micros

    def test_a_refunded_number_that_does_not_exist_leaves_nothing_open(self, send_number, client_upstream):
        send_number()
        lost = send_number(fault="lose_request")
        send_number(minutes=11)

        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

        order = fresh(lost)
        assert (order.status, flags_of(order), order.upstream_id) == (Status.FAILED, [], None)
        assert attempt_of(order).state == State.ABSENT
        assert Number.objects.get(order=order).state == Number.State.CANCELED
