"""Receipts for payments: numbered one after the other, kept as they were when they were issued."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import IntegrityError, transaction
from django.db.models import Max

from wallet.gateways.base import smallest_unit_micros
from wallet.models import Receipt, ReceiptGap, TopUp
from wallet.preferences import SELLER, TAX

TRIES = 200  # each lost one means that somebody else's receipt got the number: there is progress


def issue_receipt(top_up: TopUp, *, now: datetime) -> Receipt:
    """Give a payment its receipt over what was received, in the transaction that credits it; a repeat returns it.

    The number is the highest plus one, and its constraint decides between two that want the same: who comes second
    waits until the first has committed, and takes the next; or until it was rolled back, and takes its number. So
    there are no gaps, but for those that a restore from backup has noted.
    """
    percent, total_micros = TAX.value, top_up.received_micros
    for _try in range(TRIES):
        issued = Receipt.objects.filter(top_up=top_up).first()
        if issued is not None:
            return issued
        highest = max(
            Receipt.objects.aggregate(number=Max("number"))["number"] or 0,
            ReceiptGap.objects.aggregate(last=Max("last"))["last"] or 0,
        )
        try:
            with transaction.atomic():
                return Receipt.objects.create(
                    number=highest + 1,
                    user=top_up.user,
                    top_up=top_up,
                    seller=SELLER.value,
                    currency=top_up.currency,
                    total_micros=total_micros,
                    tax_percent=percent,
                    tax_micros=tax_in(total_micros, percent, top_up.currency),
                    created_at=now,
                )
        except IntegrityError:
            continue
    raise RuntimeError(f"no receipt number was free for {top_up.reference}")


def tax_in(total_micros: int, percent: Decimal, currency: str) -> int:
    """Return the tax contained in a total, rounded half up to the currency's smallest unit."""
    unit_micros = smallest_unit_micros(currency)
    units = Decimal(total_micros) * percent / (100 + percent) / unit_micros
    return int(units.quantize(Decimal(1), rounding=ROUND_HALF_UP)) * unit_micros
