"""Rules about what looks into lost answers, and what staff decides, for the state machine of orders."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from catalog.models import Service
from orders.attempts.assumptions import probe_foreign_ids
from orders.fulfilment.margin import review_held_orders, send_held_anyway
from orders.fulfilment.pauses import end_pause, pause_forwarding, resume_forwarding
from orders.lifecycle.transitions import WrongStatus
from orders.models import ForwardingPause, Order, Status
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import (
    book_loss,
    close_question,
    is_in_question,
    resolve_as_not_placed,
    resolve_as_placed,
    resolve_by_refund,
)
from tests.orders.shop_model import ModelOrder
from tests.orders.shop_parts import booked_losses


class StaffRules:
    """For a state machine that has staff, a sandbox, a clock and a model of orders."""

    staff: Any
    client: Any
    service: Service
    model: dict[int, ModelOrder]
    now: Any
    _with_status: Any

    @rule()
    def reconcile(self) -> None:
        """What it settles is settled right: taken only as its own, sent again only what upstream does not have.

        A paid order that staff had called not placed may turn out to exist before it is sent again.
        """
        watched = [*self._with_status(Status.UNKNOWN), *self._with_status(Status.PAID)]
        probe_foreign_ids(client=self.client, now=self.now)
        reconcile_orders(client=self.client, now=self.now)
        for order in Order.objects.filter(pk__in=watched):
            model = self.model[order.pk]
            if order.status == model.status:
                continue
            assert (order.status, order.upstream_id in model.placed) in (
                (Status.PENDING, True),
                (Status.PAID, False),
            ), f"{order.status} {order.upstream_id}, upstream has {model.placed}"
            # The attempts of before that staff called not placed are still looked for.
            assert order.status == Status.PENDING or not model.placed or is_in_question(order)
            model.status = order.status

    @rule(pk=st.integers(0, 50), verdict=st.sampled_from(["right", "refund", "rash"]))
    def staff_decides(self, pk: int, verdict: str) -> None:
        """About an unknown order; the rash one calls what upstream has not placed, and it is bought twice."""
        unknown = self._with_status(Status.UNKNOWN)
        if not unknown:
            for other in list(self.model)[:1]:
                with pytest.raises(WrongStatus):
                    resolve_by_refund(other, actor=self.staff, now=self.now)
            return
        order = self.model[unknown[pk % len(unknown)]]
        if verdict == "refund":
            resolve_by_refund(order.pk, actor=self.staff, now=self.now)
            order.fail()
        elif verdict == "right" and (own := self._its_own(order)):
            decided = {"upstream_id": own, "actor": self.staff, "client": self.client, "now": self.now}
            resolve_as_placed(order.pk, **decided)
            order.status = Status.PENDING
        else:
            resolve_as_not_placed(order.pk, actor=self.staff, now=self.now)
            order.status = Status.PAID

    @rule(pk=st.integers(0, 50))
    def staff_settles_the_books(self, pk: int) -> None:
        """About an order that was refunded or sent again without an answer: what upstream has is booked, or nothing."""
        questions = [order for order in Order.objects.order_by("pk") if is_in_question(order)]
        if not questions:
            return
        order = self.model[questions[pk % len(questions)].pk]
        decided = {"note": "their list", "actor": self.staff, "now": self.now}
        if own := self._its_own(order):
            book_loss(order.pk, upstream_id=own, client=self.client, force=True, **decided)
        else:
            close_question(order.pk, **decided)

    def _its_own(self, order: ModelOrder) -> str:
        """Return the newest id that upstream has of this order and that nobody here knows, as its list would show."""
        own = Order.objects.values_list("upstream_id", flat=True).get(pk=order.pk)
        unknown = [number for number in order.placed if number not in {own, *booked_losses(order.pk)}]
        return unknown[-1] if unknown else ""

    @rule(pause=st.booleans())
    def forwarding_pauses_or_resumes(self, pause: bool) -> None:
        if pause:
            pause_forwarding(reason=ForwardingPause.Reason.ADMIN, now=self.now)
            return
        for open_one in ForwardingPause.objects.filter(ended_at=None, reason=ForwardingPause.Reason.ADMIN):
            end_pause(open_one.pk, now=self.now, actor=self.staff)
        resume_forwarding(client=self.client, now=self.now)

    @rule(what=st.sampled_from(["pause", "resume", "resume", "send anyway"]))
    def staff_looks_at_the_service(self, what: str) -> None:
        """A paused service holds its paid orders; they go on when it does, or are refunded after a while."""
        if what == "pause":
            Service.objects.filter(pk=self.service.pk).update(paused_because="Staff has learned of trouble")
        elif what == "resume":
            Service.objects.filter(pk=self.service.pk).update(paused_because="")
        held = list(Order.objects.filter(status=Status.PAID).exclude(held_because=""))
        if what == "send anyway" and held:
            send_held_anyway(held.pop().pk, actor=self.staff, now=self.now)
        self.service.refresh_from_db()
        review_held_orders(now=self.now)
        for order in held:
            assert order.held_until is not None
            if self.service.paused_because and order.held_until <= self.now:
                self.model[order.pk].fail()
