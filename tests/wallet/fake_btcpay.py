"""A stand-in for a BTCPay Server: creating and showing invoices, and webhooks signed as BTCPay signs them.

Source: https://docs.btcpayserver.org/API/Greenfield/v1/, the OpenAPI files of btcpayserver/btcpayserver.
"""

import hashlib
import hmac
import json
import time
from typing import Any

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

    # --- What the shop calls ----------------------------------------------------------------------------------------
    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> tuple[int, Any]:
        if headers.get("Authorization") != f"token {KEY}":
            return 401, {"code": "unauthenticated", "message": "Authentication is required"}
        begins = f"/api/v1/stores/{STORE}/invoices"
        if not path.startswith(begins):
            return 404, {"code": "store-not-found"}
        rest = path.removeprefix(begins).strip("/").split("/")
        if method == "POST" and rest == [""]:
            return self._create(json.loads(body))
        if rest == [""]:
            wanted = query.get("orderId", [])
            return 200, [invoice for invoice in self.invoices.values() if invoice["metadata"]["orderId"] in wanted]
        invoice = self.invoices.get(rest[0])
        if invoice is None:
            return 404, {"code": "invoice-not-found"}
        if rest[1:] == ["payment-methods"]:
            method_row = {"paymentMethodId": "BTC-CHAIN", "currency": "BTC", "rate": RATE}
            return 200, [{**method_row, "payments": self.payments.get(rest[0], [])}]
        return 200, {name: value for name, value in invoice.items() if not (self.old and name == "paidAmount")}

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


def signature(body: bytes, *, secret: str = SECRET) -> str:
    """The BTCPay-Sig header."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
