"""Rules about numbers for the state machine of orders: bought, asked about, their code, their end."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule

from orders.fulfilment.poll import poll_due
from orders.models import ForwardingPause, Kind, Order, Status
from orders.placing.refusals import OrderRefused
from sms.models import Country, Number, Project
from sms.operations import buy_numbers
from tests.clock import stopped_at
from tests.orders.shop_model import NUMBER_PRICE, ModelOrder
from wallet.operations import InsufficientFunds


class NumberRules:
    """For a state machine that has a customer, a sandbox, a clock and a model of orders."""

    user: Any
    client: Any
    sandbox: Any
    project: Project
    model: dict[int, ModelOrder]
    balance: int
    now: Any

    numbers = Bundle("numbers")

    def _project(self) -> Project:
        row = next(row for row in self.client.sms_projects(country="us") if row.name == "OpenAI / ChatGPT")
        country = Country.objects.create(code=row.country_id, name="United States")
        return Project.objects.create(
            upstream_id=row.project_id, country=country, name=row.name, price_upstream_micros=500_000
        )

    @rule(target=numbers)
    def buy_a_number(self) -> Any:
        """Sold only while it can be sent at once."""
        asked = {"user": self.user, "project": self.project, "request_id": str(uuid.uuid4())}
        if ForwardingPause.objects.filter(ended_at=None).exists():
            with pytest.raises(OrderRefused):
                buy_numbers(**asked)
            return multiple()
        if self.balance < NUMBER_PRICE:
            with pytest.raises(InsufficientFunds):
                buy_numbers(**asked)
            return multiple()
        [order] = buy_numbers(**asked)
        Order.objects.filter(pk=order.pk).update(created_at=self.now)
        Number.objects.filter(order=order).update(created_at=self.now)
        self.model[order.pk] = ModelOrder(order.pk, NUMBER_PRICE, 1, is_number=True)
        return order.pk

    @rule(pk=numbers, what=st.sampled_from(["code", "code", "expired", "canceled", "charge"]))
    def number_moves(self, pk: int, what: str) -> None:
        """Upstream has the code for a number that waits, or ends it, or charges something else for a booked loss."""
        order, upstream_id = self.model[pk], Order.objects.values_list("upstream_id", flat=True).get(pk=pk)
        if order.status == Status.PENDING and not order.has_code and order.word == "Pending":
            if what == "code":
                self.sandbox.deliver_code(upstream_id, "482913", "Your code is 482913")
                order.has_code = True
            elif what != "charge":
                self.sandbox.set_number(upstream_id, status=what)
                order.word = "expired"
        elif order.status == Status.FAILED and Order.objects.filter(pk=pk, next_poll_at__isnull=False).exists():
            ends = {"code": "code_received", "charge": "active"}.get(what, what)
            self.sandbox.set_number(
                upstream_id, status=ends, charge="0.6000" if what in ("code", "charge") else "0.0000"
            )

    @rule(in_vain=st.booleans())
    def poll_numbers(self, in_vain: bool) -> None:
        """Everything due is asked about; a question that fails changes nothing."""
        due = list(Order.objects.filter(kind=Kind.NUMBER).due(self.now).values_list("pk", flat=True))
        if in_vain:
            self.sandbox.fail_next("500_before", times=6 * len(due) + 1)
        poll_due(kind=Kind.NUMBER, client=self.client, clock=stopped_at(self.now))
        self.sandbox.clear_faults()
        grace = timedelta(seconds=settings.SMS_GRACE_SECONDS)
        for pk in () if in_vain else due:
            expires_at = Number.objects.values_list("expires_at", flat=True).get(order=pk)
            self.model[pk].number_hears(late=expires_at is not None and self.now >= expires_at + grace)
