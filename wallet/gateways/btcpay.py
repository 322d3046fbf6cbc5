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
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from upstream.money import MICROS, text_from_micros
from upstream.reading.amounts import amount
from upstream.reading.bodies import without_mark
from upstream.reading.times import expiry, instant
from wallet.gateways.base import (
    TRIED_SECONDS,
    Gateway,
    InvalidCallback,
    PaymentUpdate,
    Started,
    State,
    TakenEvents,
    Unreachable,
    rows_in,
    taken_events,
    text_in,
)
from wallet.gateways.btcpay_refunds import Claims, Forbidden, NotThere, refunded_invoice, refunds_of
from wallet.models import TopUp, can_be_held

CONNECT_SECONDS, READ_SECONDS = 5, 20
LIFETIME = timedelta(hours=1)
LONGEST_LIFETIME = timedelta(days=30)


class BtcpayGateway(Gateway):
    """A store on a BTCPay Server; the key needs to create and view invoices of that store."""

    name = "btcpay"
    variables = ("BTCPAY_URL", "BTCPAY_STORE_ID", "BTCPAY_API_KEY", "BTCPAY_WEBHOOK_SECRET")
    can_list = True
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
            return [self._refund(event, event_id, kind)]
        ours = self._ours(invoice_id) if kind.startswith("Invoice") else None
        if ours is None:
            return [PaymentUpdate.of_nobody(kind)]
        return [self._update(ours.invoice, event_id, kind, ours.taken.last)]

    def ask(self, top_up: TopUp) -> PaymentUpdate:
        taken = taken_events(top_up)
        if top_up.gateway_id:
            return self._update(self._invoice(top_up.gateway_id), "", "asked", taken.last)
        # The answer to our request was lost: the invoice may exist.
        found = self._call("GET", f"?orderId={quote(top_up.reference, safe='')}")
        invoices = [
            invoice for invoice in rows_in(found) if text_in(invoice, "metadata", "orderId") == top_up.reference
        ]
        if len(invoices) != 1:
            return PaymentUpdate("", "asked", "", top_up.reference, State.NOTHING)
        return self._update(invoices[0], "", "asked", taken.last)

    def paid_since(self, moment: datetime) -> list[PaymentUpdate]:
        found: list[dict[str, Any]] = []
        while page := rows_in(self._call("GET", f"?startDate={int(moment.timestamp())}&take=100&skip={len(found)}")):
            found += page
            if len(page) < 100:
                break
        updates = [
            self._update(invoice, "", "listed", 0) for invoice in found if text_in(invoice, "metadata", "orderId")
        ]
        return [update for update in updates if update.state == State.PAID]

    def try_out(self) -> str:
        rows_in(self._call("GET", "?take=1", seconds=TRIED_SECONDS))  # needs the store and the right to view invoices
        return _("the server lets us into the store")

    def _ours(self, invoice_id: str) -> "Ours | None":
        """Return an invoice that is ours, with what had been told of it before it was asked for; None for any other.

        One that we do not know by its id may be ours still, where the answer to our request was lost: it says so then.
        """
        top_up = self.find(invoice_id)
        if top_up is None and invoice_id and can_be_held(invoice_id):
            with suppress(NotThere):
                top_up = self.find("", text_in(self._invoice(invoice_id), "metadata", "orderId"))
        if top_up is None:
            return None
        taken = taken_events(top_up)
        return Ours(top_up, taken, self._invoice(invoice_id))

    def _invoice(self, invoice_id: str) -> dict[str, Any]:
        """Return an invoice of the store's. Raises Unreachable, NotThere where the server has none of that id."""
        invoice = self._call("GET", f"/{quote(invoice_id, safe='')}")
        if not isinstance(invoice, dict) or text_in(invoice, "id") != invoice_id:
            raise Unreachable("BTCPay: not the invoice that was asked for")
        return invoice

    def _refund(self, event: dict[str, Any], event_id: str, kind: str) -> PaymentUpdate:
        """Say of the invoice that a pull payment refunds what each of its refunds comes to now."""
        pull_payment_id = text_in(event, "pullPaymentId")
        ours = self._ours(self._refunded_invoice(pull_payment_id))
        if ours is None:
            return PaymentUpdate.of_nobody(kind)
        invoice, claims = ours.invoice, Claims.told([*ours.taken.events, event])
        ours.top_up.refresh_from_db(fields=["refund_shares"])  # as it is after what was told, or newer
        found = refunds_of(
            self._read, settings.BTCPAY_STORE_ID, text_in(invoice, "id"), pull_payment_id, claims, _decimal
        )
        own = text_in(invoice, "currency").upper()
        # In coins nobody tells at what rate. One currency that is not the payment's lets a human look.
        currency = next((other for other in found.currencies() if other != own), own)
        shares = {pull_id: _floor(sums.get(currency, Decimal(0))) for pull_id, sums in found.by_id.items()}
        for pull_id in found.outdated:
            shares[pull_id] = max(shares[pull_id], ours.top_up.refund_shares.get(pull_id, 0))
        return PaymentUpdate(
            event_id=event_id,
            kind=kind,
            gateway_id=text_in(invoice, "id"),
            reference=text_in(invoice, "metadata", "orderId"),
            state=State.REFUNDED,
            amount_micros=sum(shares.values()),
            currency=currency,
            after_event=ours.taken.last,
            shares=shares,
            every_share=found.are_all,
        )

    def _refunded_invoice(self, pull_payment_id: str) -> str:
        """Return the id of the invoice that a pull payment refunds, or "" for any other. Raises Unreachable."""
        try:
            is_id = pull_payment_id and can_be_held(pull_payment_id)
            return refunded_invoice(self._read, pull_payment_id) if is_id else ""
        except NotThere:
            if TopUp.objects.refunded_by(pull_payment_id).exists():
                raise
            return ""

    def _update(self, invoice: dict[str, Any], event_id: str, kind: str, after_event: int) -> PaymentUpdate:
        state, amount_micros = self._state(invoice)
        return PaymentUpdate(
            event_id=event_id,
            kind=kind,
            gateway_id=text_in(invoice, "id"),
            reference=text_in(invoice, "metadata", "orderId"),
            state=state,
            amount_micros=amount_micros,
            currency=text_in(invoice, "currency").upper(),
            after_event=after_event,
            payers=tuple(filter(None, [text_in(invoice, "metadata", "buyerEmail")])),
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

    def _call(self, method: str, path: str, *, address: str = "", seconds: int = READ_SECONDS, **options: Any) -> Any:
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
                timeout=(CONNECT_SECONDS, seconds),
                allow_redirects=False,  # the key must not travel elsewhere
                **options,
            )
            decoded = json.loads(without_mark(answer.content), parse_float=str) if answer.status_code == 200 else None
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise Unreachable(f"BTCPay: {type(error).__name__}") from error
        if answer.status_code == 404 and _says_not_found(answer.content):
            raise NotThere("BTCPay: HTTP 404")
        if answer.status_code == 403:
            raise Forbidden("BTCPay: HTTP 403")
        if not isinstance(decoded, dict | list):
            raise Unreachable(f"BTCPay: HTTP {answer.status_code}")
        return decoded


@dataclass(frozen=True)
class Ours:
    """An invoice of ours: its payment, what had been told of it before it was asked for, and what it is now."""

    top_up: TopUp
    taken: TakenEvents
    invoice: dict[str, Any]


def _says_not_found(body: bytes) -> bool:
    """Whether the server itself says that there is no such thing; a proxy before it may say so of everything."""
    try:
        return text_in(json.loads(without_mark(body)), "code") in ("invoice-not-found", "pullpayment-not-found")
    except (ValueError, RecursionError):
        return False


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
