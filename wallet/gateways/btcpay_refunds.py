"""Refunds of BTCPay invoices. Staff refunds an invoice at the server: a pull payment, which the customer claims in
payouts. Nothing but its name, "Refund" and the invoice's id, says what a pull payment is for.

A payout counts from its claim on, so that the money is not spent meanwhile, until it is canceled. That is for good: a
list that does not say so yet, or that lacks a payout of which an event has told, is older than the event.

Source: `swagger.template.pull-payments.json` in the repository btcpayserver/btcpayserver (PullPayments_GetPullPayments,
PullPayments_GetPayouts, PayoutState), webhooks PayoutCreated, PayoutApproved, PayoutUpdated; read in November 2026.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from wallet.gateways.base import Unreachable, rows_in, text_in

REFUND = re.compile(r"Refund (\S+)")

Call = Callable[[str], Any]  # takes an address below /api/v1/ and returns decoded JSON


class Forbidden(Unreachable):
    """The key lacks a permission that this question needs."""


class NotThere(Unreachable):
    """The server has nothing of that id."""


@dataclass(frozen=True)
class Claims:
    """What events told of payouts: those that are in the way or paid, by pull payment, and those that were canceled.

    `newest` is the one that the last event told of.
    """

    alive: dict[str, set[str]]
    canceled: set[str]
    newest: str

    @classmethod
    def told(cls, events: list[dict[str, Any]]) -> "Claims":
        """Return what events told, in whatever order they came."""
        told = [event for event in events if text_in(event, "payoutId")]
        canceled = {text_in(event, "payoutId") for event in told if text_in(event, "payoutState") == "Cancelled"}
        alive: dict[str, set[str]] = {}
        for event in told:
            if text_in(event, "payoutId") not in canceled:
                alive.setdefault(text_in(event, "pullPaymentId"), set()).add(text_in(event, "payoutId"))
        return cls(alive, canceled, text_in(events[-1], "payoutId"))


@dataclass(frozen=True)
class Refunds:
    """What refunds of an invoice come to, by pull payment and currency, and whether these are all there are.

    Of those that are `outdated` the server did not tell all that was told before: they come to no less than was known.
    """

    by_id: dict[str, dict[str, Decimal]]
    are_all: bool
    outdated: list[str]

    def currencies(self) -> list[str]:
        return sorted({currency for sums in self.by_id.values() for currency in sums})


def refunded_invoice(call: Call, pull_payment_id: str) -> str:
    """Return the id of the invoice that a pull payment refunds, or "" for any other. Raises Unreachable."""
    return _invoice_named(call(f"pull-payments/{quote(pull_payment_id, safe='')}"))


def refunds_of(
    call: Call, store: str, invoice_id: str, pull_payment_id: str, claims: Claims, amount_of: Callable[[Any], Decimal]
) -> Refunds:
    """Return what the refunds of an invoice come to; canceled claims count nothing.

    A key that may not list the store's pull payments learns of `pull_payment_id` alone. Raises Unreachable, also where
    the claim that is told of cannot be seen yet.
    """
    try:
        listed, are_all = rows_in(call(f"stores/{quote(store, safe='')}/pull-payments?includeArchived=true")), True
    except Forbidden:
        listed, are_all = [], False
    ids = [text_in(pull, "id") for pull in listed if _invoice_named(pull) == invoice_id]
    by_id: dict[str, dict[str, Decimal]] = {}
    outdated = []
    for pull_id in dict.fromkeys([pull_payment_id, *ids]):
        payouts = rows_in(call(f"pull-payments/{quote(pull_id, safe='')}/payouts?includeCancelled=true"))
        unseen = claims.alive.get(pull_id, set()) - {text_in(payout, "id") for payout in payouts}
        if claims.newest in unseen:
            raise Unreachable("BTCPay: the payout that was told of is not there yet")
        if unseen:
            outdated.append(pull_id)
        still = [payout for payout in payouts if text_in(payout, "id") not in claims.canceled]
        by_id[pull_id] = _claimed(call, pull_id, still, amount_of)
    return Refunds(by_id, are_all, outdated)


def _claimed(
    call: Call, pull_id: str, payouts: Iterable[dict[str, Any]], amount_of: Callable[[Any], Decimal]
) -> dict[str, Decimal]:
    """Return what the claims of one pull payment come to, by currency."""
    pull = call(f"pull-payments/{quote(pull_id, safe='')}")
    sums: dict[str, Decimal] = {}
    for payout in payouts:
        if text_in(payout, "state") != "Cancelled":
            currency = (text_in(payout, "originalCurrency") or text_in(pull, "currency")).upper()
            sums[currency] = sums.get(currency, Decimal(0)) + amount_of(
                payout.get("originalAmount", payout.get("amount"))
            )
    return {currency: amount for currency, amount in sums.items() if amount}


def _invoice_named(pull: Any) -> str:
    found = REFUND.fullmatch(text_in(pull, "name"))
    return found[1] if found else ""
