"""Refunds of BTCPay invoices. Staff refunds an invoice at the server: a pull payment, which the customer claims in
payouts. Nothing but its name, "Refund" and the invoice's id, says what a pull payment is for.

A payout counts from its claim on, so that the money is not spent meanwhile, until it is canceled.

Source: `swagger.template.pull-payments.json` in the repository btcpayserver/btcpayserver (PullPayments_GetPullPayments,
PullPayments_GetPayouts, PayoutState), webhooks PayoutCreated, PayoutApproved, PayoutUpdated; read in November 2026.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from wallet.gateways.base import Unreachable, rows_in, text_in

REFUND = re.compile(r"Refund (\S+)")

Call = Callable[[str], Any]  # takes an address below /api/v1/ and returns decoded JSON


class Forbidden(Unreachable):
    """The key lacks a permission that this question needs."""


@dataclass(frozen=True)
class Refunds:
    """What refunds of an invoice come to, by pull payment and currency, and whether these are all there are."""

    by_id: dict[str, dict[str, Decimal]]
    are_all: bool

    def currencies(self) -> list[str]:
        return sorted({currency for sums in self.by_id.values() for currency in sums})


def refunded_invoice(call: Call, pull_payment_id: str) -> str:
    """Return the id of the invoice that a pull payment refunds, or "" for any other. Raises Unreachable."""
    return _invoice_named(call(f"pull-payments/{quote(pull_payment_id, safe='')}"))


def refunds_of(
    call: Call, store: str, invoice_id: str, pull_payment_id: str, amount_of: Callable[[Any], Decimal]
) -> Refunds:
    """Return what the refunds of an invoice come to; canceled claims count nothing. Raises Unreachable.

    A key that may not list the store's pull payments learns of `pull_payment_id` alone.
    """
    try:
        listed = rows_in(call(f"stores/{quote(store, safe='')}/pull-payments?includeArchived=true"))
    except Forbidden:
        return Refunds({pull_payment_id: _claimed(call, pull_payment_id, amount_of)}, are_all=False)
    ids = [text_in(pull, "id") for pull in listed if _invoice_named(pull) == invoice_id]
    every_id = dict.fromkeys([pull_payment_id, *ids])
    return Refunds({pull_id: _claimed(call, pull_id, amount_of) for pull_id in every_id}, are_all=True)


def _claimed(call: Call, pull_id: str, amount_of: Callable[[Any], Decimal]) -> dict[str, Decimal]:
    """Return what the claims of one pull payment come to, by currency."""
    pull = call(f"pull-payments/{quote(pull_id, safe='')}")
    sums: dict[str, Decimal] = {}
    for payout in rows_in(call(f"pull-payments/{quote(pull_id, safe='')}/payouts")):
        if text_in(payout, "state") != "Cancelled":
            currency = (text_in(payout, "originalCurrency") or text_in(pull, "currency")).upper()
            sums[currency] = sums.get(currency, Decimal(0)) + amount_of(
                payout.get("originalAmount", payout.get("amount"))
            )
    return {currency: amount for currency, amount in sums.items() if amount}


def _invoice_named(pull: Any) -> str:
    found = REFUND.fullmatch(text_in(pull, "name"))
    return found[1] if found else ""
