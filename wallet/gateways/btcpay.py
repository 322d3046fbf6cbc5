"""Bitcoin and Lightning through a BTCPay Server of the shop's own, over its Greenfield API.

A webhook only says which invoice to look at: the invoice is fetched before anything is trusted, so a webhook that is
late, repeated or out of order does no harm. Amounts are decimal texts in the invoice's currency. Refunds: see
`btcpay_refunds`.

Source: https://docs.btcpayserver.org/API/Greenfield/v1/ (Invoices_CreateInvoice, Invoices_GetInvoice,
Invoices_GetInvoicePaymentMethods, Webhooks); its OpenAPI files `swagger.template.invoices.json` and
`swagger.template.webhooks.json` in the repository btcpayserver/btcpayserver; read in November 2026.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy

from upstream.money import MICROS, text_from_micros
from upstream.reading.amounts import amount
from upstream.reading.bodies import without_mark
from upstream.reading.times import expiry, instant
from wallet.gateways.base import Gateway, InvalidCallback, PaymentUpdate, Started, State, Unreachable, rows_in, text_in
from wallet.gateways.btcpay_refunds import Forbidden, refunded_invoice, refunds_of
from wallet.models import TopUp

CONNECT_SECONDS, READ_SECONDS = 5, 20
LIFETIME = timedelta(hours=1)
LONGEST_LIFETIME = timedelta(days=30)


class BtcpayGateway(Gateway):
    """A store on a BTCPay Server; the key needs to create and view invoices of that store."""

    name = "btcpay"
    title = gettext_lazy("Bitcoin")
    hint = gettext_lazy("Bitcoin or Lightning. Credited once the network has confirmed it.")

    def start(self, top_up: TopUp, return_url: str) -> Started:
        invoice = self._call(
            "POST",
            "",
            json={
                "amount": text_from_micros(top_up.pay_micros),
                "currency": top_up.currency,
                "metadata": {"orderId": top_up.reference, "orderUrl": return_url},
                "checkout": {
                    "redirectURL": return_url,
                    "redirectAutomatically": True,
                    "expirationMinutes": int(LIFETIME.total_seconds() // 60),
                },
            },
        )
        if not isinstance(invoice, dict):
            raise Unreachable("BTCPay: not an invoice")
        pay_url, invoice_id = text_in(invoice, "checkoutLink"), text_in(invoice, "id")
        if not pay_url.startswith(("http://", "https://")) or not invoice_id:
            raise Unreachable("BTCPay named no page to pay on")
        now = timezone.now()
        return Started(pay_url, invoice_id, _moment(invoice.get("expirationTime"), now) or now + LIFETIME)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> list[PaymentUpdate]:
        secret = settings.BTCPAY_WEBHOOK_SECRET.encode()
        signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature.encode(), headers.get("BTCPay-Sig", "").encode(errors="replace")):
            raise InvalidCallback("forged: the signature does not fit")
        try:
            event = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InvalidCallback(f"unreadable: {type(error).__name__}") from error
        if text_in(event, "storeId") != settings.BTCPAY_STORE_ID:
            raise InvalidCallback("foreign: the event is of another store")
        kind, invoice_id = text_in(event, "type"), text_in(event, "invoiceId")
        # A redelivery has an id of its own, but tells the same news.
        event_id = text_in(event, "originalDeliveryId") or text_in(event, "deliveryId")
        if kind.startswith("Payout"):
            return [self._refund(text_in(event, "pullPaymentId"), event_id, kind)]
        if not kind.startswith("Invoice") or not invoice_id:
            return [PaymentUpdate(event_id, kind, "", "", State.NOTHING)]
        return [self._update(self._call("GET", f"/{quote(invoice_id, safe='')}"), event_id, kind)]

    def ask(self, top_up: TopUp) -> PaymentUpdate:
        if top_up.gateway_id:
            return self._update(self._call("GET", f"/{quote(top_up.gateway_id, safe='')}"), "", "asked")
        # The answer to our request was lost: the invoice may exist.
        found = self._call("GET", f"?orderId={quote(top_up.reference, safe='')}")
        invoices = [
            invoice for invoice in rows_in(found) if text_in(invoice, "metadata", "orderId") == top_up.reference
        ]
        if len(invoices) != 1:
            return PaymentUpdate("", "asked", "", top_up.reference, State.NOTHING)
        return self._update(invoices[0], "", "asked")

    def _refund(self, pull_payment_id: str, event_id: str, kind: str) -> PaymentUpdate:
        """Say of the invoice that a pull payment refunds what each of its refunds comes to now."""
        asked_at = timezone.now()
        invoice_id = refunded_invoice(self._read, pull_payment_id) if pull_payment_id else ""
        if not invoice_id:
            return PaymentUpdate(event_id, kind, "", "", State.NOTHING)
        invoice = self._call("GET", f"/{quote(invoice_id, safe='')}")
        found = refunds_of(self._read, settings.BTCPAY_STORE_ID, invoice_id, pull_payment_id, _decimal)
        own = text_in(invoice, "currency").upper()
        # In coins nobody tells at what rate. One currency that is not the payment's lets a human look.
        currency = next((other for other in found.currencies() if other != own), own)
        shares = {pull_id: _floor(sums.get(currency, Decimal(0))) for pull_id, sums in found.by_id.items()}
        return PaymentUpdate(
            event_id=event_id,
            kind=kind,
            gateway_id=text_in(invoice, "id"),
            reference=text_in(invoice, "metadata", "orderId"),
            state=State.REFUNDED,
            amount_micros=sum(shares.values()),
            currency=currency,
            asked_at=asked_at,
            shares=shares,
            every_share=found.are_all,
        )

    def _update(self, invoice: dict[str, Any], event_id: str, kind: str) -> PaymentUpdate:
        if not isinstance(invoice, dict):
            raise Unreachable("BTCPay: not an invoice")
        state, amount_micros = self._state(invoice)
        return PaymentUpdate(
            event_id=event_id,
            kind=kind,
            gateway_id=text_in(invoice, "id"),
            reference=text_in(invoice, "metadata", "orderId"),
            state=state,
            amount_micros=amount_micros,
            currency=text_in(invoice, "currency").upper(),
        )

    def _state(self, invoice: dict[str, Any]) -> tuple[State, int]:
        """Return what an invoice's status means, and what has been received where something has.

        An expired invoice may hold money all the same: a part of it in time, or all of it too late.
        """
        status, detail = text_in(invoice, "status"), text_in(invoice, "additionalStatus")
        if status == "Settled":
            asked = _micros(invoice.get("amount"))
            if detail == "Marked":  # the shop's own staff has marked it as paid, at the gateway
                return State.PAID, asked
            # Older servers do not state the sum.
            paid = _micros(invoice["paidAmount"]) if "paidAmount" in invoice else self._received(invoice)[0]
            # The exact price in bitcoin, turned back at the invoice's rate, may be a hair above the price.
            return State.PAID, min(paid, asked) if detail in ("", "None") else paid
        if status == "Expired" and detail in ("PaidPartial", "PaidLate", "PaidOver"):
            received_micros, all_confirmed = self._received(invoice)
            return (State.PAID, received_micros) if all_confirmed and received_micros else (State.PENDING, 0)
        states = {"Processing": State.PENDING, "Expired": State.EXPIRED, "Invalid": State.DECLINED}
        return states.get(status, State.NOTHING), 0

    def _received(self, invoice: dict[str, Any]) -> tuple[int, bool]:
        """Return what confirmed payments were worth at the invoice's rates, and whether no payment waits any more."""
        methods = self._call("GET", f"/{quote(text_in(invoice, 'id'), safe='')}/payment-methods")
        received, all_confirmed = Decimal(0), True
        for method in rows_in(methods):
            for payment in rows_in(method.get("payments") or []):
                if payment.get("status") == "Settled":
                    received += _decimal(payment.get("value")) * _decimal(method.get("rate"))
                elif payment.get("status") != "Invalid":
                    all_confirmed = False
        return _floor(received), all_confirmed

    def _read(self, path: str) -> Any:
        return self._call("GET", "", address=path)

    def _call(self, method: str, path: str, *, address: str = "", **options: Any) -> Any:
        """Call the store's invoices, or any `address` below /api/v1/, and return the decoded answer.

        Raises Unreachable.
        """
        store = quote(settings.BTCPAY_STORE_ID, safe="")
        below = address or f"stores/{store}/invoices{path}"
        try:
            answer = requests.request(
                method,
                f"{settings.BTCPAY_URL.rstrip('/')}/api/v1/{below}",
                headers={"Authorization": f"token {settings.BTCPAY_API_KEY}"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,  # the key must not travel elsewhere
                **options,
            )
            decoded = json.loads(without_mark(answer.content), parse_float=str) if answer.status_code == 200 else None
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise Unreachable(f"BTCPay: {type(error).__name__}") from error
        if answer.status_code == 403:
            raise Forbidden("BTCPay: HTTP 403")
        if not isinstance(decoded, dict | list):
            raise Unreachable(f"BTCPay: HTTP {answer.status_code}")
        return decoded


def _decimal(value: Any) -> Decimal:
    """Return an amount. Raises Unreachable for what is none: as nothing it would be missing from the wallet."""
    found = amount(value)
    if found is None or found < 0:
        raise Unreachable("BTCPay: not an amount")
    return found


def _micros(value: Any) -> int:
    """Return an amount as micros, rounded down: no more is credited than was received."""
    return _floor(_decimal(value))


def _floor(value: Decimal) -> int:
    return int((value * MICROS).to_integral_value(rounding=ROUND_FLOOR))


def _moment(told: Any, now: datetime) -> datetime | None:
    """Return when an invoice expires, where that is ahead and not beyond all use."""
    return expiry(instant(told), after=now, longest=LONGEST_LIFETIME)
