"""How services are bought upstream and followed: the actions `add` and `status`."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings

from catalog.models import RateUnit, ServiceChange, SyncRun
from orders.attempts.sync_span import sync_span
from orders.fulfilment.late_checks import next_look
from orders.lifecycle.attention import Flag, clear_flags, raise_flag, tell_of
from orders.lifecycle.drift import plain
from orders.lifecycle.goods import has_news, keep_goods, without_goods
from orders.lifecycle.supply import CostRange, Placed, Report, is_foreign
from orders.lifecycle.transitions import Change, write_events
from orders.models import FINISHED, LostAttempt, Order, OrderEvent, Status
from orders.preferences import POLL_LATEST, POLL_SOONEST
from upstream.client import Client
from upstream.errors import OrderNotFound
from upstream.money import micros_from_decimal, rounding_micros, text_from_micros
from upstream.protocol.wire import OrderStatus

# The document's five words and the trade's other spellings of them.
STATUS_BY_WORD = {
    "pending": Status.PENDING,
    "in progress": Status.IN_PROGRESS,
    "inprogress": Status.IN_PROGRESS,
    "processing": Status.IN_PROGRESS,
    "completed": Status.COMPLETED,
    "complete": Status.COMPLETED,
    "partial": Status.PARTIAL,
    "partially completed": Status.PARTIAL,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
    "refunded": Status.CANCELED,
}
PACE_KNOWN_AFTER = 3  # orders of a service


@dataclass(frozen=True)
class Goods:
    """Accounts that a status brought and that we do not have yet."""

    accounts: list[str] = field(repr=False)


class ServiceSupply:
    """Supplies orders of kind "service"."""

    related: tuple[str, ...] = ("service", "service__category", "service__upstream_category", "service__pace", "goods")
    patience: timedelta | None = None
    refund_unknown = False
    counts_not_found = True
    newest_first = False

    @property
    def retry_after(self) -> timedelta:
        return timedelta(seconds=settings.ORDERS_POLL_RETRY_SECONDS)

    @property
    def poll_batch(self) -> int:
        """The more at once, the fewer statements; nobody waits for a single one of them."""
        return int(settings.ORDERS_POLL_BATCH)

    def cost_now(self, order: Order) -> int:
        service = order.service
        assert service is not None  # noqa: S101 - a database constraint holds it
        return -(-service.rate_upstream_micros * order.quantity // service.rate_per)

    def cost_range(self, attempt: LostAttempt) -> CostRange:
        """From the lowest to the highest rate between the last sync before the attempt and the first after it.

        While nobody knows how many pieces the rate buys, under both readings.
        """
        order = attempt.order
        service = order.service
        assert service is not None  # noqa: S101 - a database constraint holds it
        expected = order.cost_upstream_micros if attempt.cost_upstream_micros is None else attempt.cost_upstream_micros
        span = sync_span(SyncRun.Kind.CATALOG, attempt.sent_at)
        changes = ServiceChange.objects.filter(service=service, kind=ServiceChange.Kind.RATE, created_at__gt=span.after)
        if span.until is not None:
            changes = changes.filter(created_at__lte=span.until)
        rates = {rate for pair in changes.values_list("rate_before_micros", "rate_after_micros") for rate in pair}
        units = [service.rate_per] if service.rate_confirmed else list(RateUnit.values)
        costs = {expected, *(-(-rate * order.quantity // unit) for rate in rates if rate is not None for unit in units)}
        if not service.rate_confirmed:
            costs |= {expected * RateUnit.THOUSAND, expected // RateUnit.THOUSAND}
        return CostRange(min(costs), max(costs), settled=span.closed)

    def send(self, client: Client, order: Order) -> Placed:
        service = order.service
        assert service is not None  # noqa: S101 - a database constraint holds it
        answer = client.add(
            service_id=service.upstream_id, link=order.link, quantity=order.quantity, comments=order.comments
        )
        return Placed(answer.order_id)

    def record_placed(self, order: Order, placed: Placed, now: datetime) -> None:
        pass

    def record_closed(self, order: Order, now: datetime) -> None:
        pass

    def ask(self, client: Client, order: Order, now: datetime) -> Report:
        answer = client.status(order_id=str(order.upstream_id))
        report = self._report(answer)
        if order.status == Status.FAILED:
            return replace(report, status=order.status)  # the shop's loss: nothing but its charge is of interest
        return replace(report, details=Goods(answer.accounts)) if has_news(order, answer.accounts) else report

    def look_up(self, client: Client, upstream_id: str) -> Report | None:
        try:
            return self._report(client.status(order_id=upstream_id))
        except OrderNotFound:
            return None

    def _report(self, answer: OrderStatus) -> Report:
        charge = None if is_foreign(answer.currency) else answer.charge
        return Report(
            status=STATUS_BY_WORD.get(plain(answer.status)),
            word=answer.status,
            charge_upstream_micros=None if charge is None else micros_from_decimal(charge),
            charge_rounding_micros=0 if charge is None else rounding_micros(charge),
            currency=answer.currency,
            start_count=answer.start_count,
            remains=answer.remains,
            payload=without_goods(answer.raw),
        )

    def with_status(self, report: Report, status: str) -> Report:
        return replace(report, status=status)

    def record_report(self, order: Order, report: Report, now: datetime) -> None:
        if isinstance(report.details, Goods):
            keep_goods(order, report.details.accounts, now)
        if order.status == Status.CANCELED and report.charge_upstream_micros:
            _book_kept_charge(order, report, now)
        elif order.status == Status.CANCELED and report.charge_upstream_micros == 0:
            clear_flags([order.pk], [Flag.CHARGE_KEPT], now=now)

    def next_poll(self, order: Order, now: datetime) -> datetime | None:
        """Often while an order of its service is usually under way, ever more seldom once it takes longer.

        Nobody knows what is usual until some orders have finished: then the age alone decides. Finished ones are asked
        about ever more seldom, while upstream may still change its mind.
        """
        if order.status == Status.FAILED:
            return self._next_poll_of_loss(order, now)
        if order.status in FINISHED:
            return next_look(order.finished_at or now, now)
        return self._next_poll_by_age(order, now)

    def _next_poll_of_loss(self, order: Order, now: datetime) -> datetime | None:
        """Until it has ended upstream, which makes its charge final; for so long as other orders are asked about."""
        over = now >= (order.sent_at or order.created_at) + timedelta(days=settings.LATE_CHANGE_DAYS)
        ended = STATUS_BY_WORD.get(plain(order.upstream_word)) in FINISHED
        return None if order.upstream_id is None or over or ended else self._next_poll_by_age(order, now)

    def _next_poll_by_age(self, order: Order, now: datetime) -> datetime:
        age_seconds = (now - (order.sent_at or order.created_at)).total_seconds()
        pace = getattr(order.service, "pace", None)
        usual_seconds = pace.usual_seconds if pace and pace.finished >= PACE_KNOWN_AFTER else 0
        wait = usual_seconds / 20 + max(age_seconds - 2 * usual_seconds, 0) / 10
        wait = min(max(wait, POLL_SOONEST.value.total_seconds()), POLL_LATEST.value.total_seconds())
        return now + timedelta(seconds=wait)


def _book_kept_charge(order: Order, report: Report, now: datetime) -> None:
    """Book, once, and flag that upstream has taken money for an order whose customer has it back."""
    charge = text_from_micros(report.charge_upstream_micros or 0)
    details = {"charge": charge, "word": report.word}
    if raise_flag(order.pk, Flag.CHARGE_KEPT, now=now, **details):
        tell_of(order, Flag.CHARGE_KEPT, details, now=now)
    if not order.events.filter(code=OrderEvent.Code.LOSS, evidence__upstream_id=order.upstream_id).exists():
        evidence = {"upstream_id": order.upstream_id, "charge": report.charge_upstream_micros, "word": report.word}
        write_events([Change(order.pk, {}, evidence)], code=OrderEvent.Code.LOSS, status=order.status, now=now)
