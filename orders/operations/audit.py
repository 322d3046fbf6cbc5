"""The books, proved: every balance, every order's charge and refunds, and the money on the upstream account."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from orders.models import OPEN, Order, Status, UpstreamEntry
from upstream.client import Client
from upstream.errors import UpstreamError
from upstream.money import micros_from_decimal
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, Wallet

Kind = LedgerEntry.Kind
SHOWN_PROBLEMS = 50


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
        _, order_id, *refund = reference.split(":")
        (returned if refund else charged)[f"{user_id}:{order_id}"] += amount
    columns = ("pk", "user_id", "status", "price_micros", "refunded_micros")
    for order_id, user_id, status, price, refunded in Order.objects.order_by("pk").values_list(*columns).iterator():
        key = f"{user_id}:{order_id}"
        booked_charge, booked_refunds = -charged.pop(key, 0), returned.pop(key, 0)
        if booked_charge != price:
            yield f"order {order_id}: price {_text(price)}, but the ledger charged {_text(booked_charge)}"
        if booked_refunds != refunded:
            yield f"order {order_id}: refunded {_text(refunded)}, but the ledger gave back {_text(booked_refunds)}"
        if status in (Status.FAILED, Status.CANCELED) and refunded != price:
            yield f"order {order_id} is {status}, but only {_text(refunded)} of {_text(price)} was given back"
    for key, amount in [*charged.items(), *returned.items()]:
        owner, _, order = key.partition(":")
        yield f"the ledger moved {_text(amount)} for order {order} of customer {owner}, which does not exist"


def _check_upstream(books: Books, client: Client | None) -> None:
    """Upstream money = opening + paid in − charges (net of what upstream gave back), within the tolerance.

    Orders that are still open may have been given back without our having asked since, and unknown ones may or may not
    have been charged: both widen the span in which the balance is explained.
    """
    currency = settings.UPSTREAM_CURRENCY
    placed = Order.objects.filter(upstream_id__isnull=False)
    charged = placed.aggregate(total=Sum(Coalesce("charge_upstream_micros", "cost_upstream_micros")))["total"] or 0
    entries = UpstreamEntry.objects.all()
    expected = _sum(entries, "amount_upstream_micros") - charged
    books.add("upstream: opening and paid in", _sum(entries, "amount_upstream_micros"), currency)
    books.add("upstream: charged for our orders", charged, currency)
    books.add("upstream: balance expected", expected, currency)
    if not entries.filter(kind=UpstreamEntry.Kind.OPENING).exists():
        books.figures.append(("upstream: balance", "not compared: no order has been sent yet"))
        return
    if client is None:
        books.figures.append(("upstream: balance", "not compared: no upstream is configured"))
        return
    try:
        balance = micros_from_decimal(client.balance().balance)
    except UpstreamError as error:
        books.problems.append(f"upstream's balance could not be read: {error}")
        return
    tolerance = micros_from_decimal(settings.AUDIT_TOLERANCE)
    maybe_back = _sum(placed.filter(status__in=OPEN), "cost_upstream_micros")
    maybe_charged = _sum(Order.objects.filter(status__in=(Status.SENDING, Status.UNKNOWN)), "cost_upstream_micros")
    books.add("upstream: balance", balance, currency)
    books.add("upstream: unexplained", balance - expected, currency)
    if not expected - maybe_charged - tolerance <= balance <= expected + maybe_back + tolerance:
        books.problems.append(
            f"upstream's balance is {_text(balance)} {currency}, but our orders explain {_text(expected)}"
        )
