"""A past in the making: what happened is told in the order of time, kept in memory, and written at once.

The rows are those that the shop's own operations write for the same things: see `orders.placing.sale`,
`orders.lifecycle.refunds`, `wallet.operations.apply_payment_update`. `manage.py audit` compares them.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.db.models import Model

from accounts.models import User
from orders.models import Checkout, Coupon, CouponUse, Order, OrderEvent, ReferralEarning
from sms.models import Number
from upstream.money import MICROS
from wallet.gateways import State
from wallet.gateways.demo import LIFETIME, demo_event, demo_headers
from wallet.models import GatewayEvent, LedgerEntry, Receipt, TopUp, Wallet
from wallet.preferences import SELLER, TAX
from wallet.receipts import tax_in

Kind = LedgerEntry.Kind
TOP_UPS_MICROS = tuple(dollars * MICROS for dollars in (10, 25, 50, 100, 200))
FIRST_UPSTREAM_ID = 11_042  # the sandbox's own begin far above


@dataclass
class _Booked:
    """A row of the ledger, and the order it names, whose number is not known yet."""

    user: User
    entry: LedgerEntry
    order: Order | None
    tail: str


@dataclass
class Past:
    """What has happened so far, up to `clock`; amounts are in micros."""

    dice: random.Random
    clock: datetime
    until: datetime
    balances: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    orders: list[Order] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    delivered: list[tuple[Order, list[str]]] = field(default_factory=list)
    earnings: list[ReferralEarning] = field(default_factory=list)
    uses: list[CouponUse] = field(default_factory=list)
    _checkouts: list[Checkout] = field(default_factory=list)
    _events: list[OrderEvent] = field(default_factory=list)
    _booked: list[_Booked] = field(default_factory=list)
    _top_ups: list[TopUp] = field(default_factory=list)
    _told: list[GatewayEvent] = field(default_factory=list)
    _receipts: list[Receipt] = field(default_factory=list)
    _to_come: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    _turn: count = field(default_factory=count)
    _upstream_ids: count = field(default_factory=lambda: count(FIRST_UPSTREAM_ID))

    # --- Time ------------------------------------------------------------------------------------------------------
    def at(self, moment: datetime, happens: Callable[[datetime], None]) -> None:
        """Let something happen at a moment; what is beyond the end of the past does not."""
        heapq.heappush(self._to_come, (moment, next(self._turn), happens))

    def live_through(self) -> None:
        """Let everything happen, in the order of time."""
        while self._to_come:
            moment, _turn, happens = heapq.heappop(self._to_come)
            if moment > self.until:
                return
            self.clock = max(self.clock, moment)
            happens(self.clock)

    # --- What operations write -------------------------------------------------------------------------------------
    def next_upstream_id(self) -> str:
        """Return the id upstream gives to the order that is sent now; they ascend."""
        return str(next(self._upstream_ids))

    def book(
        self, user: User, micros: int, kind: str, *, reference: str = "", order: Order | None = None, tail: str = "",
        note: str = "",
    ) -> None:  # fmt: skip
        """Move money now; `order` and `tail` make the reference where an order is what it is about."""
        self.balances[user.pk] += micros
        entry = LedgerEntry(kind=kind, amount_micros=micros, reference=reference, note=note, created_at=self.clock)
        self._booked.append(_Booked(user, entry, order, tail))

    def tell(self, order: Order, code: str, data: dict[str, Any] | None = None, **evidence: Any) -> None:
        """Add what happens now to the timeline of an order, which is in its new status already."""
        event = OrderEvent(order=order, code=code, status=order.status, data=data or {}, evidence=evidence)
        event.created_at = self.clock
        self._events.append(event)

    def afford(self, user: User, micros: int) -> bool:
        """Say whether the customer can pay so much now; one who cannot tops up now, and can in a moment."""
        missing = micros - self.balances[user.pk]
        if missing <= 0:
            return True
        enough = [amount for amount in TOP_UPS_MICROS if amount >= missing]
        self.top_up(user, self.dice.choice(enough[:3]) if enough else -(-missing // (50 * MICROS)) * 50 * MICROS)
        return False

    def top_up(self, user: User, micros: int) -> None:
        """Let the customer pay so much into the wallet, through the demo's gateway, with a receipt."""
        now, began = self.clock, self.clock - timedelta(seconds=self.dice.randint(40, 300))
        top_up = TopUp(
            user=user, gateway="demo", status=TopUp.Status.PAID, currency=settings.STORE_CURRENCY, amount_micros=micros,
            pay_micros=micros, received_micros=micros, credited_micros=micros, created_at=began, paid_at=now,
            expires_at=began + LIFETIME,
        )  # fmt: skip
        top_up.gateway_id = f"demo-{top_up.reference}"
        self._top_ups.append(top_up)
        body = demo_event(top_up, State.PAID, id=f"{top_up.gateway_id}-paid")
        told = GatewayEvent(
            gateway="demo", event_id=f"{top_up.gateway_id}-paid", kind=State.PAID, top_up=top_up, body=body.decode(),
            outcome=GatewayEvent.Outcome.APPLIED, headers=demo_headers(body, signed_at=int(now.timestamp())),
            address="127.0.0.1", created_at=now,
        )  # fmt: skip
        self._told.append(told)
        percent = TAX.value
        receipt = Receipt(
            number=len(self._receipts) + 1, user=user, top_up=top_up, seller=SELLER.value,
            currency=top_up.currency, total_micros=micros, tax_percent=percent,
            tax_micros=tax_in(micros, percent, top_up.currency), created_at=now,
        )  # fmt: skip
        self._receipts.append(receipt)
        name = top_up.reference
        self.book(user, micros, Kind.TOP_UP, reference=f"top_up:{name}", note=f"Payment {name}")

    def sell(self, order: Order, *, coupon: Coupon | None = None, discount_micros: int = 0) -> None:
        """Take the price of a drafted order now, its coupon's discount given before."""
        order.created_at = self.clock
        checkout = order.checkout
        if checkout is not None:
            checkout.created_at = self.clock
            self._checkouts.append(checkout)
        self.orders.append(order)
        data: dict[str, Any] = {"price_micros": order.price_micros, "quantity": order.quantity}
        if coupon is not None:
            self.book(order.user, discount_micros, Kind.DISCOUNT, order=order, tail=":coupon", note=coupon.code)
            use = CouponUse(coupon=coupon, user=order.user, order=order, discount_micros=discount_micros)
            use.created_at = self.clock
            self.uses.append(use)
            data |= {"coupon": coupon.code, "discount_micros": discount_micros}
        self.book(order.user, -order.price_micros - discount_micros, Kind.CHARGE, order=order, note=order.title[:300])
        self.tell(order, OrderEvent.Code.PLACED, data)

    def refund(self, order: Order, micros: int, *, why: str, remains: int | None = None) -> None:
        """Give so much of an order back now; it was not given anything back before."""
        if micros <= 0:
            return
        order.refunded_micros = micros
        tail = f":refund:{micros}"
        self.book(order.user, micros, Kind.REFUND, order=order, tail=tail, note=order.title[:300])
        data = {"why": str(why), "refund_micros": micros, "price_micros": order.price_micros}
        self.tell(order, OrderEvent.Code.REFUNDED, {**data, "quantity": order.quantity, "remains": remains})

    # --- The end ---------------------------------------------------------------------------------------------------
    def write(self) -> None:
        """Write everything down; part of the caller's transaction."""
        _insert(self._checkouts)
        _insert(self.orders)
        _insert(self._events)
        _insert(self._top_ups)
        _insert(self._told)
        _insert(self._receipts)
        self._write_ledger()
        _insert(self.earnings)
        _insert(self.uses)
        for number in self.numbers:  # a number names the one it replaces, which has to be there before
            number.order_id = number.order.pk
        _insert([number for number in self.numbers if number.replaces is None])
        _insert([number for number in self.numbers if number.replaces is not None])

    def _write_ledger(self) -> None:
        users = {booked.user.pk: booked.user for booked in self._booked}
        wallets = {wallet.user_id: wallet for wallet in Wallet.objects.filter(user__in=users)}
        missing = [Wallet(user=user, created_at=user.date_joined) for pk, user in users.items() if pk not in wallets]
        _insert(missing)
        wallets |= {wallet.user_id: wallet for wallet in missing}
        for booked in self._booked:
            booked.entry.wallet = wallets[booked.user.pk]
            if booked.order is not None:
                booked.entry.reference = f"order:{booked.order.pk}{booked.tail}"
        _insert([booked.entry for booked in self._booked])
        for pk, wallet in wallets.items():
            wallet.balance_micros = self.balances[pk]
        Wallet.objects.bulk_update(wallets.values(), ["balance_micros"])


def _insert(rows: list[Any]) -> None:
    if rows:
        model: type[Model] = type(rows[0])
        model._default_manager.bulk_create(rows, batch_size=500)
