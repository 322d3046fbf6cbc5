"""Every order was charged its price and given back what it says, in its own customer's wallet, and nothing else was."""

from collections.abc import Iterator

from django.conf import settings

from orders.accounting.audit.findings import (
    AuditFindings,
    names,
    rows_of,
    total,
    word_after,
)
from orders.models import CouponUse, Order, Status
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, Wallet

Kind = LedgerEntry.Kind
_OF_ORDERS = f"""
    FROM {LedgerEntry._meta.db_table} entry JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
    WHERE entry.kind IN ('{Kind.CHARGE}', '{Kind.REFUND}', '{Kind.DISCOUNT}')"""


def check_sales(findings: AuditFindings) -> None:
    """Compare each order with the charges, discounts and refunds that name it."""
    currency = settings.STORE_CURRENCY
    findings.problems.extend(_misfits())
    findings.problems.extend(_without_an_order())
    findings.add("orders: sold", total(Order.objects.all(), "price_micros"), currency)
    findings.add("orders: given back", total(Order.objects.all(), "refunded_micros"), currency)
    findings.figures.append(("orders", str(Order.objects.count())))
    findings.figures.append(("orders: open", str(Order.objects.open().count())))
    findings.figures.append(("orders: needing a human", str(Order.objects.needing_attention().count())))


def _misfits() -> Iterator[str]:
    """An order's price is what was charged less its coupon's discount; what failed was given back as a whole."""
    for owner, order, status, price, refunded, coupon, charged, returned, discounted in rows_of(_compared()):
        if status is None:
            moved = returned + discounted - charged
            yield f"the ledger moved {_text(moved)} for order {order} of customer {owner}, which does not exist"
            continue
        if charged - discounted != price:
            taken = _text(charged) + (f" less a coupon's {_text(discounted)}" if discounted else "")
            yield f"order {order}: price {_text(price)}, but the ledger charged {taken}"
        if discounted != coupon:
            yield f"order {order}: its coupon takes off {_text(coupon)}, but the ledger {_text(discounted)}"
        if returned != refunded:
            yield f"order {order}: refunded {_text(refunded)}, but the ledger gave back {_text(returned)}"
        if status in (Status.FAILED, Status.CANCELED) and refunded != price:
            yield f"order {order} is {status}, but only {_text(refunded)} of {_text(price)} was given back"


def _without_an_order() -> Iterator[str]:
    # Our own names and words, as below.
    stray = f"""
        SELECT entry.amount_micros, wallet.user_id, entry.reference {_OF_ORDERS} AND NOT {names("order:")}
        ORDER BY entry.id"""
    for amount, owner, reference in rows_of(stray):
        yield f"the ledger moved {_text(amount)} for customer {owner} as {reference}, which names no order"


def _compared() -> str:
    """Return the statement that puts orders beside their ledger rows and leaves those that do not fit.

    Both sides are added up under customer and order number, so that a row in the wrong wallet fits nowhere.
    """
    # Our own names and words: nothing in it comes from outside.
    return f"""
        SELECT owner, number, MAX(status), SUM(price), SUM(refunded), SUM(coupon),
               SUM(charged), SUM(returned), SUM(discounted)
        FROM (
            SELECT sale.user_id AS owner, CAST(sale.id AS text) AS number, sale.status, sale.price_micros AS price,
                   sale.refunded_micros AS refunded, COALESCE(coupon.discount_micros, 0) AS coupon,
                   0 AS charged, 0 AS returned, 0 AS discounted
            FROM {Order._meta.db_table} sale LEFT JOIN {CouponUse._meta.db_table} coupon ON coupon.order_id = sale.id
            UNION ALL
            SELECT wallet.user_id, {word_after("order:")}, NULL, 0, 0, 0,
                   CASE WHEN entry.kind = '{Kind.CHARGE}' THEN -entry.amount_micros ELSE 0 END,
                   CASE WHEN entry.kind = '{Kind.REFUND}' THEN entry.amount_micros ELSE 0 END,
                   CASE WHEN entry.kind = '{Kind.DISCOUNT}' THEN entry.amount_micros ELSE 0 END
            {_OF_ORDERS} AND {names("order:")}
        ) AS booked
        GROUP BY owner, number
        HAVING COUNT(status) = 0 OR SUM(charged) - SUM(discounted) <> SUM(price)
            OR SUM(discounted) <> SUM(coupon) OR SUM(returned) <> SUM(refunded)
            OR (MAX(status) IN ('{Status.FAILED}', '{Status.CANCELED}') AND SUM(refunded) <> SUM(price))
        ORDER BY length(number), number, owner"""  # noqa: S608 - our own names
