"""One order of a service in the past: bought, sent, worked on, and ended one way or another."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils.crypto import get_random_string

from accounts.models import User
from accounts.preferences import REFERRAL_SHARE
from catalog.models import Service
from catalog.pricing import PriceBook
from orders.lifecycle.discounts import discount_of
from orders.lifecycle.final_margin import Left
from orders.lifecycle.refunds import partial_refund_micros
from orders.models import Checkout, Coupon, OrderEvent, ReferralEarning, RefundReason, Status
from orders.placing.place import draft_order
from storefront.demo.history.past import Past
from upstream.money import MICROS, decimal_from_micros
from wallet.models import LedgerEntry

Code = OrderEvent.Code
State = ReferralEarning.State
UPSTREAM_WORDS = {Status.COMPLETED: "Completed", Status.PARTIAL: "Partial", Status.CANCELED: "Canceled"}
EVENT_OF = {Status.COMPLETED: Code.COMPLETED, Status.PARTIAL: Code.PARTIAL, Status.CANCELED: Code.CANCELED}
REFUSAL = "Service is temporarily unavailable"


@dataclass(frozen=True)
class Plan:
    """What is bought, and what becomes of it: when work starts, how long it takes, how much of it is not done."""

    user: User
    at: datetime
    service: Service
    quantity: int
    link: str
    ending: Status
    starts_after: timedelta
    takes: timedelta
    remains: int = 0
    coupon: Coupon | None = None


def plan_sale(past: Past, plan: Plan, book: PriceBook) -> None:
    """Let this happen in the past."""
    _Sale(past, plan, book)


class _Sale:
    """The steps of one order, each of which plans the next."""

    def __init__(self, past: Past, plan: Plan, book: PriceBook) -> None:
        self.past, self.plan, self.book = past, plan, book
        past.at(plan.at, self.begin)

    def begin(self, now: datetime) -> None:
        plan, past = self.plan, self.past
        order = self.order = draft_order(
            Checkout(user=plan.user, request_id=get_random_string(22), fingerprint=""), plan.service, book=self.book,
            quantity=plan.quantity, link=plan.link, now=now,
        )  # fmt: skip
        if not past.afford(plan.user, order.price_micros):
            past.at(now + timedelta(minutes=2), self.begin)
            return
        discount_micros = self._use_coupon() if plan.coupon else 0
        past.sell(order, coupon=plan.coupon if discount_micros else None, discount_micros=discount_micros)
        self._open_earning(now)
        past.at(now + timedelta(seconds=2), self.send)

    def _use_coupon(self) -> int:
        plan, order = self.plan, self.order
        assert plan.coupon is not None  # noqa: S101 - asked before
        floor_micros = self.book.floor_price_micros(plan.service, plan.quantity)
        discount = discount_of(plan.coupon, price_micros=order.price_micros, floor_micros=floor_micros)
        if discount.discount_micros:
            order.price_micros = discount.net_micros
            order.pricing |= {"coupon": discount.code, "coupon_micros": discount.discount_micros}
            plan.coupon.uses += 1
        return discount.discount_micros

    def _open_earning(self, now: datetime) -> None:
        user = self.plan.user
        self.earning: ReferralEarning | None = None
        if user.referred_by is None or not REFERRAL_SHARE.value:
            return
        due_at = now + timedelta(days=settings.LATE_CHANGE_DAYS)
        self.earning = ReferralEarning(
            order=self.order, referrer=user.referred_by, percent=REFERRAL_SHARE.value, due_at=due_at,
            created_at=now,
        )  # fmt: skip
        self.past.earnings.append(self.earning)

    def send(self, now: datetime) -> None:
        order, past = self.order, self.past
        order.status, order.attempts, order.sent_at = Status.SENDING, 1, now
        past.tell(order, Code.CLAIMED)
        past.at(now + timedelta(seconds=1), self.refused if self.plan.ending == Status.FAILED else self.accepted)

    def refused(self, now: datetime) -> None:
        order, past = self.order, self.past
        order.status, order.finished_at = Status.FAILED, now
        past.tell(order, Code.REFUSED, reason=REFUSAL)
        past.refund(order, order.price_micros, why=RefundReason.FAILED)
        self._close_earning(now)

    def accepted(self, now: datetime) -> None:
        order, past = self.order, self.past
        order.status, order.answered_at, order.upstream_id = Status.PENDING, now, past.next_upstream_id()
        past.tell(order, Code.ACCEPTED, upstream_id=order.upstream_id)
        canceled = self.plan.ending == Status.CANCELED
        past.at(now + self.plan.starts_after, self.ended if canceled else self.started)

    def started(self, now: datetime) -> None:
        order, past = self.order, self.past
        order.status, order.remains = Status.IN_PROGRESS, order.quantity
        order.start_count = past.dice.randint(120, 25_000) if order.link else 0
        past.tell(order, Code.PROGRESS, self._shown(), word="In progress")
        past.at(now + self.plan.takes, self.ended)

    def ended(self, now: datetime) -> None:
        order, past, plan = self.order, self.past, self.plan
        order.status, order.finished_at, order.polled_at = plan.ending, now, now
        order.remains = order.quantity if plan.ending == Status.CANCELED else plan.remains
        done = order.quantity - order.remains
        order.charge_upstream_micros = -(-order.cost_upstream_micros * done // order.quantity)
        order.upstream_word = UPSTREAM_WORDS[plan.ending]
        order.upstream_payload = {
            "status": order.upstream_word, "start_count": order.start_count, "remains": order.remains,
            "charge": str(decimal_from_micros(order.charge_upstream_micros)), "currency": settings.UPSTREAM_CURRENCY,
        }  # fmt: skip
        past.tell(order, EVENT_OF[plan.ending], self._shown(), word=order.upstream_word)
        if plan.ending == Status.CANCELED:
            past.refund(order, order.price_micros, why=RefundReason.CANCELED)
        elif order.remains:
            due_micros = partial_refund_micros(order.price_micros, order.quantity, order.remains)
            past.refund(order, due_micros, why=RefundReason.PARTIAL, remains=order.remains)
        if not order.link and plan.ending != Status.CANCELED:
            past.delivered.append((order, self._goods()))
        self._close_earning(now)

    def _shown(self) -> dict[str, int | None]:
        order = self.order
        return {"start_count": order.start_count, "remains": order.remains, "quantity": order.quantity}

    def _goods(self) -> list[str]:
        dice, pieces = self.past.dice, self.order.quantity - (self.order.remains or 0)
        return [
            f"user{dice.randint(10**5, 10**6)}@example.com:{dice.getrandbits(48):012x}"
            f":spare{dice.randint(10**4, 10**5)}@example.net"
            for _each in range(pieces)
        ]

    def _close_earning(self, now: datetime) -> None:
        if self.earning is not None:
            final_at = now + timedelta(days=settings.LATE_CHANGE_DAYS)
            self.earning.due_at = max(self.earning.due_at, final_at)
            self.past.at(self.earning.due_at, self.earned)

    def earned(self, now: datetime) -> None:
        order, earning = self.order, self.earning
        assert earning is not None  # noqa: S101 - planned where there is one
        cost_micros = -(-(order.charge_upstream_micros or 0) * order.exchange_rate_micros // MICROS)
        micros = 0
        if order.status != Status.CANCELED and order.status != Status.FAILED:
            left = Left(order.kept_micros, cost_micros, Decimal(order.pricing["floor_percent"]))
            micros = left.share_micros(Decimal(earning.percent))
        earning.closed_at, earning.amount_micros = now, micros
        earning.state = State.CREDITED if micros else State.VOID
        if micros:
            kind = LedgerEntry.Kind.REFERRAL
            self.past.book(earning.referrer, micros, kind, order=order, tail=":referral")
