"""Orders through any sequence of answers, lost answers, polls, wishes and decisions, beside a simple model."""

import os
import uuid
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
from orders.models import MOVES, UPSTREAM_OPEN, ForwardingPause, Order, OrderEvent, Status
from orders.operations import (
    audit,
    cancel_unsent,
    end_pause,
    forward_order,
    pause_forwarding,
    place_order,
    poll_due,
    probe_foreign_ids,
    reconcile_orders,
    release_stale_claims,
    resolve_as_not_placed,
    resolve_as_placed,
    resolve_by_refund,
    resume_forwarding,
)
from orders.operations import forwarding as engine
from orders.operations.moves import WrongStatus
from orders.supply import Placed, supply_of
from tests.conftest import customer
from tests.orders.shop_model import ModelOrder, price_micros
from upstream.client import Client
from wallet.models import LedgerEntry, Wallet
from wallet.operations import InsufficientFunds

MONEY = 10_000_000
PLACED_AND_LOST = ["lose_reply", "500_after", "garbage", "half_body"]
LOST_BEFORE = ["lose_request", "500_before"]
PLACED, UNLISTED = "placed", "We are closed"
REFUSALS = ["Invalid link", UNLISTED, "Insufficient balance", "Invalid API key"]
ANSWERS = [PLACED, PLACED, *PLACED_AND_LOST, *LOST_BEFORE, "429", *REFUSALS]
WORDS = st.sampled_from(["Pending", "In progress", "Completed", "Partial", "Partial", "Canceled", "Juggling"])
LEFT = st.integers(-10, 110)  # a percentage, and not always a sane one
ASKED = st.sampled_from(["half a day later", "at once", "later", "in vain"])


class PowerCut(BaseException):
    """The worker is gone at this line; nothing that comes after it is carried out."""


class DyingClient(Client):
    """A client whose worker dies while it buys: before the request has left, or before the answer is read."""

    def __init__(self, *args: Any, request_leaves: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request_leaves = request_leaves

    def add(self, **asked: Any) -> Any:
        if self.request_leaves:
            super().add(**asked)
        raise PowerCut


class Shop(RuleBasedStateMachine):
    """One customer, one service, one staff member, the sandbox, and a clock that only these rules move."""

    sandbox: Any  # set by the test

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
        self.sandbox.heal()
        self.now += timedelta(hours=13)
        release_stale_claims(now=self.now)
        poll_due(kind="service", client=self.client, now=self.now)
        assert audit(client=self.client).problems == []

    def _new_upstream(self) -> list[str]:
        """Return the ids that upstream has given since this was asked last."""
        fresh = [row["id"] for row in self.sandbox.orders if row["id"] not in self.known_upstream]
        self.known_upstream.update(fresh)
        return [str(number) for number in fresh]

    @initialize(target=orders, quantities=st.lists(st.integers(10, 1500), min_size=2, max_size=2))
    def sell(self, quantities: list[int]) -> Any:
        """A shop in which something has been sold: later attempts know an upstream id from before."""
        sold = [self.place(quantity=quantity, pressed=1) for quantity in quantities]
        for pk in sold:
            self.send(pk=pk, answer=PLACED)
        return multiple(*sold)

    # --- The customer ------------------------------------------------------------------------------------------------
    @rule(target=orders, quantity=st.integers(10, 1500), pressed=st.integers(1, 2))
    def place(self, quantity: int, pressed: int) -> Any:
        """One press of the button, or two."""
        asked = {"user": self.user, "service": self.service, "quantity": quantity, "link": "https://example.com/a"}
        request_id, price = str(uuid.uuid4()), price_micros(quantity)
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
        """Forward an order, which may put it off; what is tried has to be waiting."""
        was = self.model[pk].status
        tried = forward_order(pk, client=client, clock=lambda: self.now)
        assert not tried or was == Status.PAID
        return tried

    @rule(pk=orders, answer=st.sampled_from(ANSWERS))
    def send(self, pk: int, answer: str) -> None:
        """A worker sends the order, and this is what comes back."""
        order, row = self.model[pk], Order.objects.get(pk=pk)
        due = row.not_before is None or row.not_before <= self.now
        must = order.status == Status.PAID and due and engine.gate() is engine.Gate.OPEN
        if answer in REFUSALS:
            self.sandbox.fail_next("refuse", action="add", text=answer)
        elif answer != PLACED:
            self.sandbox.fail_next(answer, action="add")

        tried = self._forward(pk, self.client)

        self.sandbox.heal()
        new = self._new_upstream()
        assert tried or not must
        assert bool(new) == (tried and answer in (PLACED, *PLACED_AND_LOST))
        order.placed += new
        if tried and answer == PLACED:
            order.status = Status.PENDING
        elif tried and answer == "Invalid link":
            order.fail()
        elif tried and answer in (*PLACED_AND_LOST, *LOST_BEFORE, UNLISTED):
            order.status = Status.UNKNOWN

    @rule(target=asleep, pk=orders, request_leaves=st.booleans())
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
        order, new = Order.objects.select_related("user", "service__category").get(pk=pk), self._new_upstream()
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
        waited_for = order.status in (Status.SENDING, Status.UNKNOWN) and row.claim_token == claim.token

        engine._record_placed(claim, supply_of(claim.order), Placed(upstream_id), now=self.now)

        if waited_for:
            order.status = Status.PENDING
        elif is_news:
            order.losses += 1
            assert Order.objects.get(pk=order.pk).attention

    @rule()
    def release(self) -> None:
        """Claims past their deadline are unknown."""
        stale = set(Order.objects.stale(self.now).values_list("pk", flat=True))
        assert release_stale_claims(now=self.now) == len(stale)
        for pk in stale:
            self.model[pk].status = Status.UNKNOWN

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

    def _followed(self) -> list[ModelOrder]:
        """Return the orders that are asked about; what upstream does to canceled ones is nobody's business any more."""
        asked_about = (*UPSTREAM_OPEN, Status.COMPLETED, Status.PARTIAL)
        return [order for order in self.model.values() if order.status in asked_about and order.word != "Canceled"]

    @rule(in_vain=st.booleans())
    def poll(self, in_vain: bool) -> None:
        """Everything due is asked about; a question that fails changes nothing."""
        due = set(Order.objects.filter(kind="service").due(self.now).values_list("pk", flat=True))
        if in_vain:
            self.sandbox.fail_next("500_before", action="status", times=3 * len(due) + 1)
        poll_due(kind="service", client=self.client, now=self.now)
        self.sandbox.heal()
        for pk in () if in_vain else due:
            self.model[pk].hears()

    # --- The machine that looks into lost answers, and staff ---------------------------------------------------------
    @rule()
    def reconcile(self) -> None:
        """What it settles is settled right: adopted only as its own, sent again only what upstream does not have."""
        probe_foreign_ids(client=self.client, now=self.now)
        reconcile_orders(client=self.client, now=self.now)
        for order in Order.objects.filter(pk__in=self._with_status(Status.UNKNOWN)).exclude(status=Status.UNKNOWN):
            model = self.model[order.pk]
            assert (order.status, [order.upstream_id]) in (
                (Status.PENDING, model.placed),
                (Status.PAID, [None]),
            ), f"{order.status} {order.upstream_id}, upstream has {model.placed}"
            assert order.status == Status.PENDING or not model.placed
            model.status = order.status

    @rule(pk=orders, verdict=st.sampled_from(["right", "refund"]))
    def staff_decides(self, pk: int, verdict: str) -> None:
        order = self.model[pk]
        if order.status != Status.UNKNOWN:
            with pytest.raises(WrongStatus):
                resolve_by_refund(pk, actor=self.staff, now=self.now)
        elif verdict == "refund":
            resolve_by_refund(pk, actor=self.staff, now=self.now)
            order.fail()
        elif order.placed:
            resolve_as_placed(pk, upstream_id=order.placed[-1], actor=self.staff, client=self.client, now=self.now)
            order.status = Status.PENDING
        else:
            resolve_as_not_placed(pk, actor=self.staff, now=self.now)
            order.status = Status.PAID

    @rule(pause=st.booleans())
    def forwarding_pauses_or_resumes(self, pause: bool) -> None:
        if pause:
            pause_forwarding(reason=ForwardingPause.Reason.ADMIN, now=self.now)
            return
        for open_one in ForwardingPause.objects.filter(ended_at=None, reason=ForwardingPause.Reason.ADMIN):
            end_pause(open_one.pk, now=self.now, actor=self.staff)
        resume_forwarding(client=self.client, now=self.now)

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
    def upstream_has_nothing_twice_that_is_not_booked_as_a_loss(self) -> None:
        for order in self.model.values():
            assert len(order.placed) <= 1 + order.losses
        rows = dict(Order.objects.filter(upstream_id__isnull=False).values_list("pk", "upstream_id"))
        assert all(upstream_id in self.model[pk].placed for pk, upstream_id in rows.items())

    @invariant()
    def every_order_that_nobody_follows_is_in_the_queue(self) -> None:
        assert not Order.objects.filter(status=Status.UNKNOWN, attention="").exists()

    @invariant()
    def statuses_moved_along_the_table(self) -> None:
        told: dict[int, str] = {}
        for pk, status in OrderEvent.objects.order_by("id").values_list("order_id", "status"):
            before = told.setdefault(pk, status)
            assert status == before or status in MOVES[Status(before)], f"{before} → {status}"
            told[pk] = status

    @invariant()
    def the_books_add_up(self) -> None:
        assert audit(client=None).problems == []


# Enough to walk every rule several times; STATE_MACHINE_EXAMPLES=500 looks deeper.
EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "12"))


@pytest.mark.django_db
def test_orders_when_anything_happens_in_any_order_are_as_the_model_says(sandbox):
    Shop.sandbox = sandbox
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
