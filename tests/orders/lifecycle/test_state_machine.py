"""Orders through any sequence of answers, lost answers, polls, requests and decisions, beside a simple model."""

import os
import uuid
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalog.models import Category, Service, Subcategory
from orders.accounting.audit import audit
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, give_up_waiting, release_stale_claims
from orders.fulfilment.poll import poll_due
from orders.fulfilment.rate_units import CENT_MICROS
from orders.lifecycle.service_requests import cancel_unsent
from orders.lifecycle.supply import Placed, related_rows, supply_of
from orders.lifecycle.transitions import WrongStatus
from orders.models import MOVES, UPSTREAM_OPEN, Kind, LostAttempt, Order, OrderEvent, Status
from orders.placing.place import place_order
from orders.placing.refusals import OrderRefused
from tests.clock import stopped_at
from tests.conftest import customer
from tests.orders.attention import Flag, flags_of
from tests.orders.shop_model import ModelOrder, price_micros
from tests.orders.shop_numbers import NumberRules
from tests.orders.shop_parts import DyingClient, PowerCut, booked_losses
from tests.orders.shop_staff import StaffRules
from upstream.client import Client
from upstream.money import text_from_micros
from wallet.models import LedgerEntry, Wallet
from wallet.operations import InsufficientFunds

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]

MONEY = 10_000_000
PLACED_AND_LOST = ["lose_reply", "500_after", "garbage", "half_body"]
LOST_BEFORE = ["lose_request", "500_before"]
PLACED, UNLISTED = "placed", "We are closed"
REFUSALS = ["Invalid link", UNLISTED, "Insufficient balance", "Invalid API key"]
ANSWERS = [PLACED, PLACED, *PLACED_AND_LOST, *LOST_BEFORE, "429", *REFUSALS]
WORDS = st.sampled_from(["Pending", "In progress", "Completed", "Partial", "Partial", "Canceled", "Juggling"])
LEFT = st.integers(-10, 110)  # a percentage, and not always a sane one
ASKED = st.sampled_from(["half a day later", "at once", "later", "in vain"])
PATIENCE = timedelta(seconds=30)  # of who waits for a number


class Shop(NumberRules, StaffRules, RuleBasedStateMachine):
    """One customer, one service, numbers of one kind, one member of staff, the sandbox; only rules move the clock."""

    sandbox: Any  # set by the test
    audited_every, steps = 1, 0  # most of the time of this test is the audit's

    orders = Bundle("orders")
    asleep = Bundle("asleep")  # workers that made the call and were frozen before they could record the answer

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block._from_testcase = True  # as TestCase does: claims insist on a transaction of their own
        self.block.__enter__()
        self.now = timezone.now() + timedelta(seconds=1)
        self.sandbox.reset(services=5, seed=1, balance="1000.00", speed=0)
        self.client = self.sandbox.client()
        self.user = customer("ann@example.com", money="10.00")
        self.staff = customer("sam@example.com", is_staff=True)
        self.service = self._service()
        self.project = self._project()
        self.model: dict[int, ModelOrder] = {}
        self.known_upstream: set[int] = set()

    def _service(self) -> Service:
        upstream_id = self.sandbox.add_service(
            name="Followers", type="Default", category="Instagram", rate="1.50", min=10, max=10_000
        )
        category = Category.objects.create(name="Instagram", rate_per=1000, rate_confirmed_at=self.now)
        return Service.objects.create(
            upstream_id=upstream_id,
            category=category,
            subcategory=Subcategory.objects.create(category=category, name="Followers"),
            name="Followers",
            type="Default",
            rate_upstream_micros=1_500_000,
            min_quantity=10,
            max_quantity=10_000,
        )

    def teardown(self) -> None:
        try:
            self._settle_books()
        finally:
            self.client.close()
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def _settle_books(self) -> None:
        """Half a day later everything has been asked about once more, and upstream's own money is explained."""
        self.sandbox.clear_faults()
        self.now += timedelta(hours=13)
        release_stale_claims(now=self.now)
        for kind in Kind:
            poll_due(kind=kind, client=self.client, clock=stopped_at(self.now))
        assert audit(client=self.client, now=timezone.now()).problems == []

    def _new_upstream(self) -> list[str]:
        """Return the ids that upstream has given since this was asked last."""
        fresh = [row["id"] for row in self.sandbox.orders if row["id"] not in self.known_upstream]
        self.known_upstream.update(fresh)
        return [str(number) for number in fresh]

    @initialize(
        target=orders, fates=st.lists(st.sampled_from([PLACED, *PLACED_AND_LOST, *LOST_BEFORE]), min_size=2, max_size=2)
    )
    def sell(self, fates: list[str]) -> Any:
        """A shop in which something has been sold, and something may be lost: its window has a beginning."""
        sold = []
        for number, fate in enumerate([PLACED, *fates]):
            sold.append(self.place(quantity=100 + 10 * number, pressed=1))
            self.send(pk=sold[-1], answer=fate)
        return multiple(*sold)

    # --- The customer ------------------------------------------------------------------------------------------------
    @rule(target=orders, quantity=st.integers(10, 1500), pressed=st.integers(1, 2))
    def place(self, quantity: int, pressed: int) -> Any:
        """One press of the button, or two."""
        asked = {"user": self.user, "service": self.service, "quantity": quantity, "link": "https://example.com/a"}
        asked["now"] = timezone.now()
        request_id, price = str(uuid.uuid4()), price_micros(quantity)
        self.service.refresh_from_db()
        if self.service.paused_because:
            with pytest.raises(OrderRefused, match="paused"):
                place_order(**asked, request_id=request_id)
            return multiple()
        if price > self.balance:
            with pytest.raises(InsufficientFunds):
                place_order(**asked, request_id=request_id)
            return multiple()
        placed = {place_order(**asked, request_id=request_id).pk for _press in range(pressed)}
        assert len(placed) == 1
        [pk] = placed
        self.model[pk] = ModelOrder(pk, price, quantity)
        return pk

    @rule(pk=orders)
    def cancel(self, pk: int) -> None:
        order = self.model[pk]
        if order.status != Status.PAID:
            with pytest.raises(WrongStatus):
                cancel_unsent(pk, user=self.user, now=self.now)
            return
        cancel_unsent(pk, user=self.user, now=self.now)
        order.status = Status.CANCELED
        order.refund_up_to(order.price)

    # --- The workers -------------------------------------------------------------------------------------------------
    def _forward(self, pk: int, client: Client) -> bool:
        """Forward an order, which may put it off, or hold it; what is tried has to be waiting."""
        was, row = self.model[pk].status, Order.objects.get(pk=pk)
        self.service.refresh_from_db()
        held = row.held_because or (row.kind == Kind.SERVICE and self.service.paused_because and not row.hold_waived_at)
        due = row.not_before is None or row.not_before <= self.now
        must = was == Status.PAID and due and not held and engine.gate() is engine.Gate.OPEN
        tried = forward_order(pk, client=client, clock=stopped_at(self.now))
        assert not tried or (was == Status.PAID and not held)
        assert tried or not must
        return tried

    @rule(pk=st.one_of(orders, NumberRules.numbers), answer=st.sampled_from(ANSWERS))
    def send(self, pk: int, answer: str) -> None:
        """A worker sends the order, and this is what comes back."""
        order = self.model[pk]
        if answer in REFUSALS:
            self.sandbox.fail_next("refuse", text=answer)
        elif answer != PLACED:
            self.sandbox.fail_next(answer, action="add_sms" if order.is_number else "add")

        tried = self._forward(pk, self.client)

        self.sandbox.clear_faults()
        new = self._new_upstream()
        assert bool(new) == (tried and answer in (PLACED, *PLACED_AND_LOST))
        order.placed += new
        if tried and answer == PLACED:
            order.status = Status.PENDING
        elif tried and (answer == "Invalid link" or (answer in REFUSALS and answer != UNLISTED and order.is_number)):
            order.fail()
        elif tried and answer in (*PLACED_AND_LOST, *LOST_BEFORE, UNLISTED):
            order.lose()
        elif tried and answer == "429" and order.is_number and self._waited_too_long(pk):
            order.fail()

    @rule(target=asleep, pk=st.one_of(orders, NumberRules.numbers), request_leaves=st.booleans())
    def worker_dies(self, pk: int, request_leaves: bool) -> Any:
        """The order stays as it was claimed; a worker that was only frozen may still bring the answer."""
        dying = DyingClient(self.sandbox.url, self.sandbox.key, 10, request_leaves=request_leaves)
        try:
            tried = self._forward(pk, dying)
        except PowerCut:
            tried = True
        finally:
            dying.close()
        if not tried:
            return multiple()
        order, new = Order.objects.select_related(*related_rows()).get(pk=pk), self._new_upstream()
        self.model[pk].status = Status.SENDING
        self.model[pk].placed += new
        assert bool(new) == request_leaves
        claim = engine.Claim(order, order.claim_token, order.claim_deadline)
        return (claim, new[0]) if new else multiple()

    @rule(sleeper=consumes(asleep))
    def frozen_worker_wakes(self, sleeper: tuple[Any, str]) -> None:
        """Whatever happened meanwhile, what it knows is recorded: as the order's id, or as the shop's loss."""
        claim, upstream_id = sleeper
        order = self.model[claim.order.pk]
        row = Order.objects.get(pk=order.pk)
        is_news = row.upstream_id != upstream_id
        # Paid: staff had called it not placed, and it has not been sent again yet.
        waiting = (Status.SENDING, Status.UNKNOWN, Status.PAID)
        waited_for = order.status in waiting and row.claim_token == claim.token

        engine._record_placed(claim, supply_of(claim.order), Placed(upstream_id), now=self.now)

        if waited_for:
            order.status = Status.PENDING
        elif is_news:
            assert Flag.LATE_ANSWER in flags_of(order)
            assert upstream_id in booked_losses(order.pk)

    @rule()
    def release(self) -> None:
        """Claims past their deadline are unknown."""
        stale = set(Order.objects.stale(self.now).values_list("pk", flat=True))
        assert release_stale_claims(now=self.now) == len(stale)
        for pk in stale:
            self.model[pk].lose()

    def _waited_too_long(self, pk: int) -> bool:
        return Order.objects.filter(pk=pk, kind=Kind.NUMBER, created_at__lte=self.now - PATIENCE).exists()

    @rule()
    def give_up(self) -> None:
        """A number that could not be sent within half a minute is refunded."""
        too_late = [pk for pk in self._with_status(Status.PAID) if self._waited_too_long(pk)]
        assert give_up_waiting(now=self.now) == len(too_late)
        for pk in too_late:
            self.model[pk].fail()

    # --- Time and upstream -------------------------------------------------------------------------------------------
    @rule(seconds=st.sampled_from([3, 95, 660]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self._followed())
    @rule(which=st.integers(0, 20), moves=st.lists(st.tuples(WORDS, LEFT, ASKED), min_size=1, max_size=3))
    def upstream_moves(self, which: int, moves: list[tuple[str, int, str]]) -> None:
        """Upstream changes its mind about an order we follow, some times in a row."""
        order = self._followed()[which % len(self._followed())]
        for word, left, asked in moves:
            if order not in self._followed():
                return
            order.word, order.remains = word, order.quantity * left // 100
            upstream_id = Order.objects.values_list("upstream_id", flat=True).get(pk=order.pk)
            self.sandbox.set_order(upstream_id, status=word, remains=order.remains)
            if asked == "half a day later":
                self.now += timedelta(hours=13)
            if asked != "later":
                self.poll(in_vain=asked == "in vain")

    @precondition(lambda self: self._followed())
    @rule(which=st.integers(0, 20), percent=st.sampled_from([0, 40, 101, 120, 130]))
    def upstream_charges(self, which: int, percent: int) -> None:
        """Upstream charges something else than expected; what it tells of that pauses the service, or is kept."""
        order = self._followed()[which % len(self._followed())]
        row = Order.objects.get(pk=order.pk)
        charge = row.cost_upstream_micros * percent // 100
        self.sandbox.set_order(row.upstream_id, charge=text_from_micros(charge))
        self.now += timedelta(hours=13)
        self.poll(in_vain=False)
        assert Order.objects.get(pk=order.pk).charge_upstream_micros == charge
        self.service.refresh_from_db()
        # A cent is noted and lets the service be. A charge that was seen before, and that staff let pass, is no news.
        much = charge - order.price > CENT_MICROS
        assert self.service.paused_because or not much or charge == row.charge_upstream_micros

    def _followed(self) -> list[ModelOrder]:
        """Return the orders that are asked about; what upstream does to others is nobody's business any more."""
        asked_about = Order.objects.filter(kind=Kind.SERVICE, next_poll_at__isnull=False).values_list("pk", flat=True)
        followed = (*UPSTREAM_OPEN, Status.COMPLETED, Status.PARTIAL)
        return [
            self.model[pk]
            for pk in asked_about.order_by("pk")
            if self.model[pk].status in followed and self.model[pk].word != "Canceled"
        ]

    @rule(in_vain=st.booleans())
    def poll(self, in_vain: bool) -> None:
        """Everything due is asked about; a question that fails changes nothing."""
        due = set(Order.objects.filter(kind="service").due(self.now).values_list("pk", flat=True))
        if in_vain:
            self.sandbox.fail_next("500_before", action="status", times=3 * len(due) + 1)
        poll_due(kind="service", client=self.client, clock=stopped_at(self.now))
        self.sandbox.clear_faults()
        for pk in () if in_vain else due:
            self.model[pk].hears()

    # --- What always holds -------------------------------------------------------------------------------------------
    def _with_status(self, status: str) -> list[int]:
        return [order.pk for order in self.model.values() if order.status == status]

    @property
    def balance(self) -> int:
        return MONEY - sum(order.price - order.refunded for order in self.model.values())

    @invariant()
    def orders_are_as_the_model_says(self) -> None:
        rows = dict(Order.objects.values_list("pk", "status"))
        assert rows == {order.pk: order.status for order in self.model.values()}
        refunds = dict(Order.objects.values_list("pk", "refunded_micros"))
        assert refunds == {order.pk: order.refunded for order in self.model.values()}

    @invariant()
    def the_wallet_is_its_ledger_and_the_model(self) -> None:
        booked = LedgerEntry.objects.filter(wallet__user=self.user).aggregate(total=Sum("amount_micros"))["total"]
        assert Wallet.objects.get(user=self.user).balance_micros == booked == self.balance

    @invariant()
    def everything_upstream_has_is_followed_or_booked_or_looked_for(self) -> None:
        known: dict[int, set[str]] = defaultdict(set)
        losses = OrderEvent.objects.filter(code=OrderEvent.Code.LOSS)
        for pk, evidence in losses.values_list("order", "evidence"):
            known[pk].add(evidence["upstream_id"])
        unsettled = LostAttempt.objects.unsettled().exclude(state=LostAttempt.State.LOST)
        questions = Counter(unsettled.values_list("order", flat=True))
        for pk, status, upstream_id in Order.objects.values_list("pk", "status", "upstream_id"):
            known[pk] |= {upstream_id} if upstream_id else set()
            assert known[pk] <= set(self.model[pk].placed)
            looked_for = questions[pk] + (status in (Status.SENDING, Status.UNKNOWN))
            assert len(set(self.model[pk].placed) - known[pk]) <= looked_for

    @invariant()
    def every_order_that_nobody_follows_is_in_the_queue(self) -> None:
        unknown = Order.objects.filter(status=Status.UNKNOWN)
        lost = LostAttempt.objects.filter(state=LostAttempt.State.LOST).values_list("order", flat=True)
        flagged = Order.objects.filter(flags__code=Flag.PERHAPS_PLACED, flags__cleared_at=None)
        assert set(unknown) <= set(flagged)
        assert sorted(unknown.values_list("pk", flat=True)) == sorted(lost)

    @invariant()
    def statuses_moved_along_the_table(self) -> None:
        told: dict[int, str] = {}
        for pk, status in OrderEvent.objects.order_by("id").values_list("order_id", "status"):
            before = told.setdefault(pk, status)
            assert status == before or status in MOVES[Status(before)], f"{before} → {status}"
            told[pk] = status

    @invariant()
    def the_books_add_up(self) -> None:
        self.steps += 1
        if self.steps % self.audited_every == 0:
            assert audit(client=None, now=timezone.now()).problems == []


# Enough to walk every rule several times; STATE_MACHINE_EXAMPLES=500 looks deeper.
EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "10"))
FOR_LONG = pytest.param(60, 1, marks=pytest.mark.long)


@pytest.mark.parametrize(("examples", "audited_every"), [(EXAMPLES, 4), FOR_LONG])
def test_orders_when_anything_happens_in_any_order_are_as_the_model_says(sandbox, examples, audited_every):
    Shop.sandbox, Shop.audited_every = sandbox, audited_every
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
