"""A stand-in for a BTCPay Server: creating and showing invoices, and webhooks signed as BTCPay signs them.

Source: https://docs.btcpayserver.org/API/Greenfield/v1/, the OpenAPI files of btcpayserver/btcpayserver.
"""

import copy
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tests.wallet.fake_server import FakeServer

KEY = "btcpay-key"
SECRET = "btcpay-secret"
STORE = "STORE1"
RATE = "50000.00"  # of one bitcoin in the invoice's currency


class FakeBtcpay(FakeServer):
    """Invoices by id; tests change them and take webhooks from `event`."""

    def __init__(self) -> None:
        super().__init__()
        self.invoices: dict[str, dict[str, Any]] = {}
        self.payments: dict[str, list[dict[str, Any]]] = {}
        self._deliveries = 0
        self.old = False  # servers before 2.0 do not say what has been paid
        self.forget_answer = False  # the invoice is made, its answer lost
        self.pulls: dict[str, dict[str, Any]] = {}
        self.payouts: dict[str, dict[str, Any]] = {}
        self.listed: dict[str, dict[str, Any]] | None = None  # payouts as they are listed, while that lags behind
        self.lists_refunds = True  # the key may look at pull payments
        self.odd_payouts: Any = ...  # an answer instead of the list of payouts
        self.after_payouts: Callable[[], Any] | None = None  # runs once, when payouts have been looked up

    # --- What the shop calls ----------------------------------------------------------------------------------------
    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> tuple[int, Any]:
        if headers.get("Authorization") != f"token {KEY}":
            return 401, {"code": "unauthenticated", "message": "Authentication is required"}
        if path == f"/api/v1/stores/{STORE}/pull-payments":
            if not self.lists_refunds:
                return 403, {"code": "missing-permission", "message": "Insufficient API Permissions"}
            return 200, list(self.pulls.values())
        if path.startswith("/api/v1/pull-payments/"):
            return self._pull_payment(_parts(path.removeprefix("/api/v1/pull-payments/")), query)
        begins = f"/api/v1/stores/{STORE}/invoices"
        if not path.startswith(begins):
            return 404, {"code": "store-not-found"}
        rest = _parts(path.removeprefix(begins).strip("/"))
        if method == "POST" and rest == [""]:
            return self._create(json.loads(body))
        if rest == [""]:
            if "startDate" in query:
                return 200, list(self.invoices.values())[int(query["skip"][0]) :][: int(query["take"][0])]
            wanted = query.get("orderId", [])
            return 200, [invoice for invoice in self.invoices.values() if invoice["metadata"]["orderId"] in wanted]
        invoice = self.invoices.get(rest[0])
        if invoice is None:
            return 404, {"code": "invoice-not-found"}
        if rest[1:] == ["payment-methods"]:
            method_row = {"paymentMethodId": "BTC-CHAIN", "currency": "BTC", "rate": RATE}
            return 200, [{**method_row, "payments": self.payments.get(rest[0], [])}]
        return 200, {name: value for name, value in invoice.items() if not (self.old and name == "paidAmount")}

    def _pull_payment(self, rest: list[str], query: dict[str, list[str]]) -> tuple[int, Any]:
        pull = self.pulls.get(rest[0])
        if pull is None:
            return 404, {"code": "pullpayment-not-found"}
        if rest[1:] != ["payouts"]:
            return 200, pull
        if self.odd_payouts is not ...:
            return 200, self.odd_payouts
        canceled_too = query.get("includeCancelled") == ["true"]
        payouts = self.payouts if self.listed is None else self.listed
        rows = [dict(row) for row in payouts.values() if row["pullPaymentId"] == rest[0]]
        hook, self.after_payouts = self.after_payouts, None
        if hook:
            hook()
        return 200, [row for row in rows if canceled_too or row["state"] != "Cancelled"]

    def _create(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        number = len(self.invoices) + 1
        now = int(time.time())
        invoice = {
            "id": f"Inv{number}",
            "storeId": STORE,
            "amount": wanted["amount"],
            "paidAmount": "0.0",
            "currency": wanted["currency"],
            "type": "Standard",
            "checkoutLink": f"{self.url}/i/Inv{number}",
            "createdTime": now,
            "expirationTime": now + 60 * wanted["checkout"]["expirationMinutes"],
            "status": "New",
            "additionalStatus": "None",
            "metadata": wanted["metadata"],
            "checkout": wanted["checkout"],
            "archived": False,
        }
        self.invoices[invoice["id"]] = invoice
        return (500, {}) if self.forget_answer else (200, invoice)

    # --- What happens at the server ---------------------------------------------------------------------------------
    def invoice_of(self, reference: str) -> dict[str, Any]:
        return next(one for one in self.invoices.values() if one["metadata"]["orderId"] == reference)

    def becomes(self, reference: str, status: str, detail: str = "None", paid: str | None = None) -> dict[str, Any]:
        """The invoice reaches a status; `paid` is what has been paid, in its own currency."""
        invoice = self.invoice_of(reference)
        paid = paid if paid is not None else (invoice["amount"] if status == "Settled" else "0.0")
        invoice |= {"status": status, "additionalStatus": detail, "paidAmount": paid}
        return invoice

    def refund(self, invoice_id: str, *, currency: str = "USD", name: str | None = None) -> dict[str, Any]:
        """Staff refunds an invoice: a pull payment is made, which the customer may claim."""
        number = len(self.pulls) + 1
        pull = {
            "id": f"Pull{number}",
            "name": f"Refund {invoice_id}" if name is None else name,
            "description": "",
            "currency": currency,
            "amount": "10.00",
            "archived": False,
            "viewLink": f"{self.url}/pull-payments/Pull{number}",
        }
        self.pulls[pull["id"]] = pull
        return pull

    def payout(self, pull: dict[str, Any], amount: str, state: str = "AwaitingPayment") -> dict[str, Any]:
        """A claim of a pull payment; tests change its state."""
        number = len(self.payouts) + 1
        payout = {
            "id": f"Payout{number}",
            "revision": 0,
            "pullPaymentId": pull["id"],
            "date": int(time.time()),
            "destination": "bc1qexample",
            "originalCurrency": pull["currency"],
            "originalAmount": amount,
            "payoutCurrency": "BTC",
            "payoutAmount": None,
            "payoutMethodId": "BTC-CHAIN",
            "state": state,
        }
        self.payouts[payout["id"]] = payout
        return payout

    def lag(self) -> None:
        """From now on payouts are listed as they are now, whatever happens, until they `catch_up`."""
        self.listed = copy.deepcopy(self.payouts)

    def catch_up(self) -> None:
        self.listed = None

    def payout_event(self, kind: str, payout: dict[str, Any], **changes: Any) -> bytes:
        """The body of a webhook about a payout."""
        about = {"payoutId": payout["id"], "pullPaymentId": payout["pullPaymentId"], "payoutState": payout["state"]}
        return self.event(kind, "", **about, **changes)

    def transfer(self, reference: str, bitcoin: str, status: str = "Settled") -> None:
        """A payment in bitcoin arrives at the invoice."""
        payment = {"id": f"tx{len(self.payments)}", "value": bitcoin, "fee": "0.0", "status": status}
        self.payments.setdefault(self.invoice_of(reference)["id"], []).append(payment)

    def event(self, kind: str, invoice_id: str, **changes: Any) -> bytes:
        """The body of a webhook."""
        self._deliveries += 1
        event = {
            "deliveryId": f"delivery{self._deliveries}",
            "webhookId": "hook1",
            "originalDeliveryId": f"delivery{self._deliveries}",
            "isRedelivery": False,
            "type": kind,
            "timestamp": int(time.time()),
            "storeId": STORE,
            "invoiceId": invoice_id,
        }
        return json.dumps({**event, **changes}).encode()


def _parts(path: str) -> list[str]:
    return [unquote(part) for part in path.split("/")]


def signature(body: bytes, *, secret: str = SECRET) -> str:
    """The BTCPay-Sig header."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
