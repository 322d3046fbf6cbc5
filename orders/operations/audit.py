"""The books, proved: every balance, every order's charge and refunds, and the money on the upstream account."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders.models import OPEN, Order, OrderEvent, Status, UpstreamEntry
from orders.operations.losses import IN_QUESTION
from orders.operations.windows import ABANDONED
from upstream.client import Client
from upstream.errors import UpstreamError
from upstream.money import micros_from_decimal
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, Wallet

Kind = LedgerEntry.Kind
SHOWN_PROBLEMS = 50
ORDER_COLUMNS = ("pk", "user_id", "status", "price_micros", "refunded_micros")


@dataclass
class Books:
    """What the audit found: `figures` to print, `problems` that must not be."""

    figures: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, micros: int, currency: str) -> None:
        self.figures.append((name, f"{_text(micros)} {currency}"))


def audit(*, client: Client | None) -> Books:
    """Check every invariant of the books and return what was found. `client` None leaves out upstream's own balance.

    Amounts are compared to the micro; only the upstream balance has a tolerance (AUDIT_TOLERANCE).
    """
    books = Books()
    _check_wallets(books)
    _check_orders(books)
    _check_upstream(books, client)
    return books


def _sum(rows: QuerySet[Any], column: str) -> int:
    return rows.aggregate(total=Sum(column))["total"] or 0


def _check_wallets(books: Books) -> None:
    currency = settings.STORE_CURRENCY
    entries = LedgerEntry.objects.filter(wallet=OuterRef("pk")).order_by().values("wallet")
    booked = Coalesce(Subquery(entries.annotate(total=Sum("amount_micros")).values("total")), 0)
    wrong = Wallet.objects.annotate(booked=booked).exclude(balance_micros=F("booked")).select_related("user")
    for wallet in wrong[:SHOWN_PROBLEMS]:
        books.problems.append(
            f"wallet of {wallet.user}: balance {_text(wallet.balance_micros)},"
            f" but its ledger adds up to {_text(wallet.booked)}"
        )
    for kind in Kind:
        books.add(
            f"ledger: {kind.label.lower()}", _sum(LedgerEntry.objects.filter(kind=kind), "amount_micros"), currency
        )
    books.add("wallets, all together", _sum(Wallet.objects.all(), "balance_micros"), currency)


def _check_orders(books: Books) -> None:
    currency = settings.STORE_CURRENCY
    books.problems.extend(islice(_order_problems(), SHOWN_PROBLEMS))
    books.add("orders: sold", _sum(Order.objects.all(), "price_micros"), currency)
    books.add("orders: given back", _sum(Order.objects.all(), "refunded_micros"), currency)
    books.figures.append(("orders", str(Order.objects.count())))
    books.figures.append(("orders: open", str(Order.objects.open().count())))
    books.figures.append(("orders: needing a human", str(Order.objects.needing_attention().count())))


def _order_problems() -> Iterator[str]:
    """Each order has one charge of its price, and refunds of what it says, in its own customer's wallet."""
    charged: dict[str, int] = defaultdict(int)
    returned: dict[str, int] = defaultdict(int)
    rows = LedgerEntry.objects.filter(kind__in=(Kind.CHARGE, Kind.REFUND)).order_by()
    for user_id, reference, amount in rows.values_list("wallet__user", "reference", "amount_micros").iterator():
        order, refund = _order_of(reference)
        (returned if refund else charged)[f"{user_id}:{order}"] += amount
    orders: Iterator[tuple[Any, ...]] = Order.objects.order_by("pk").values_list(*ORDER_COLUMNS).iterator()
    for row in orders:
        key = f"{row[1]}:{row[0]}"
        # The shop goes on selling between the two readings: what does not fit is read again, at one moment.
        booked = (-charged.pop(key, 0), returned.pop(key, 0))
        if _misfits(*(row + booked)):
            yield from _misfits(*_order_at_one_moment(row[0]))
    for key, amount in [*charged.items(), *returned.items()]:
        owner, _, order = key.partition(":")
        yield f"the ledger moved {_text(amount)} for order {order} of customer {owner}, which does not exist"


def _order_of(reference: str) -> tuple[str, bool]:
    """Return the order a ledger row names, and whether the row is a refund; the whole reference where it names none."""
    first, _, rest = reference.partition(":")
    order, _, refund = rest.partition(":")
    return (order, bool(refund)) if first == "order" and order.isdecimal() else (reference, False)


def _order_at_one_moment(order_id: int) -> tuple[Any, ...]:
    """Return an order's columns, what it was charged and what was given back, read by a single statement."""
    mine = LedgerEntry.objects.filter(wallet__user=OuterRef("user")).order_by()
    charges = mine.filter(kind=Kind.CHARGE, reference=f"order:{order_id}").values("wallet")
    refunds = mine.filter(kind=Kind.REFUND, reference__startswith=f"order:{order_id}:").values("wallet")
    orders = Order.objects.annotate(
        charged=Coalesce(-Subquery(charges.annotate(total=Sum("amount_micros")).values("total")), 0),
        returned=Coalesce(Subquery(refunds.annotate(total=Sum("amount_micros")).values("total")), 0),
    )
    found: tuple[Any, ...] = orders.values_list(*ORDER_COLUMNS, "charged", "returned").get(pk=order_id)
    return found


def _misfits(
    order_id: int, user_id: int, status: str, price: int, refunded: int, charged: int, returned: int
) -> list[str]:
    problems = []
    if charged != price:
        problems.append(f"order {order_id}: price {_text(price)}, but the ledger charged {_text(charged)}")
    if returned != refunded:
        problems.append(f"order {order_id}: refunded {_text(refunded)}, but the ledger gave back {_text(returned)}")
    if status in (Status.FAILED, Status.CANCELED) and refunded != price:
        problems.append(f"order {order_id} is {status}, but only {_text(refunded)} of {_text(price)} was given back")
    return problems


def _check_upstream(books: Books, client: Client | None) -> None:
    """Upstream money = opening + paid in − charges (net of what upstream gave back), within the tolerance."""
    currency = settings.UPSTREAM_CURRENCY
    opening = UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.OPENING).first()
    if opening is None:
        books.figures.append(("upstream: balance", "not compared: no order has been sent yet"))
        return
    if earlier := _sum(UpstreamEntry.objects.filter(pk__lt=opening.pk), "amount_upstream_micros"):
        books.add("upstream: entered before the opening, which holds it", earlier, currency)
    began = timezone.now()
    before = _explained(began)
    books.add("upstream: opening and paid in", before.paid_in, currency)
    books.add("upstream: charged for our orders", before.charged, currency)
    books.add("upstream: balance expected", before.expected, currency)
    if client is None:
        books.figures.append(("upstream: balance", "not compared: no upstream is configured"))
        return
    try:
        balance = micros_from_decimal(client.balance().balance)
    except UpstreamError as error:
        books.problems.append(f"upstream's balance could not be read: {error}")
        return
    after = _explained(began)  # the shop has gone on sending: the balance belongs somewhere between the two
    tolerance = micros_from_decimal(settings.AUDIT_TOLERANCE)
    books.add("upstream: balance", balance, currency)
    books.add("upstream: unexplained", balance - before.expected, currency)
    least, most = min(before.least, after.least), max(before.most, after.most)
    if not least - tolerance <= balance <= most + tolerance:
        books.problems.append(
            f"upstream's balance is {_text(balance)} {currency}, but our orders explain {_text(before.expected)}"
        )


@dataclass(frozen=True)
class Explained:
    """What our rows say about the upstream account, in micros of its currency."""

    paid_in: int
    charged: int
    maybe_charged: int
    maybe_back: int

    @property
    def expected(self) -> int:
        return self.paid_in - self.charged

    @property
    def least(self) -> int:
        return self.expected - self.maybe_charged

    @property
    def most(self) -> int:
        return self.expected + self.maybe_back


def _explained(audit_began: datetime) -> Explained:
    """Add up what was paid in and charged, and by how much the balance may honestly differ from that.

    What is still open, or was given back to the customer, upstream may have given back without our having asked since;
    an order whose answer never came may or may not have been charged, refunded or not; and one that was sent since the
    audit began may have been charged for when the balance was read, and given back by now.
    """
    placed = Q(upstream_id__isnull=False)
    in_doubt = Q(status__in=(Status.SENDING, Status.UNKNOWN)) | Q(sent_at__gte=audit_began) | IN_QUESTION
    given_up = placed & Q(status__in=(*OPEN, Status.CANCELED, Status.FAILED))
    charge = Coalesce("charge_upstream_micros", "cost_upstream_micros")
    perhaps_twice = _perhaps_twice()  # before those that are: what moves on meanwhile may be in both, never in none
    # One statement: an order that moves on meanwhile is in exactly one of the sums.
    sums = Order.objects.aggregate(
        charged=Sum(charge, filter=placed),
        maybe_charged=Sum("cost_upstream_micros", filter=in_doubt),
        maybe_back=Sum(charge, filter=given_up),
    )
    twice = _twice()
    return Explained(
        paid_in=_sum(UpstreamEntry.objects.counted(), "amount_upstream_micros"),
        charged=(sums["charged"] or 0) + twice,
        maybe_charged=(sums["maybe_charged"] or 0) + perhaps_twice,
        maybe_back=(sums["maybe_back"] or 0) + twice,  # nobody asks about them any more
    )


def _perhaps_twice() -> int:
    """Return the cost of the attempts that staff called not placed, should upstream have them all the same."""
    again = Order.objects.filter(reconciliation__isnull=False, reconciliation__has_key=ABANDONED)
    rows = again.values_list("cost_upstream_micros", "reconciliation")
    return sum(cost * len((found or {})[ABANDONED]) for cost, found in rows)


def _twice() -> int:
    """Return what upstream charged for orders beside the one that is followed: it was sent again, then both came."""
    losses = OrderEvent.objects.filter(code=OrderEvent.Code.LOSS).exclude(
        order__upstream_id=KT("evidence__upstream_id"), order__upstream_id__isnull=False
    )
    rows = losses.values_list("evidence", "order__cost_upstream_micros")
    return sum(cost if evidence.get("charge") is None else evidence["charge"] for evidence, cost in rows)
