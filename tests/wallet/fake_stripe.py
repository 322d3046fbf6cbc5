"""A stand-in for Stripe: the few calls the shop makes, and webhooks signed as Stripe signs them.

Source: https://docs.stripe.com/api/checkout/sessions, /api/disputes, /api/errors, /api/idempotent_requests,
https://docs.stripe.com/webhooks#verify-manually ("t=…,v1=HMAC-SHA256 of timestamp, a dot, and the body").
"""

import copy
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from tests.wallet.fake_server import FakeServer

KEY = "sk_test_fake"
SECRET = "whsec_fake"


class FakeStripe(FakeServer):
    """Sessions by id; tests change them and take webhooks from `event`."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.forbidden: set[str] = set()  # lists that a restricted key may not read
        self._listed: dict[str, dict[str, dict[str, Any]]] | None = None
        self.after_answer: Callable[[], Any] | None = None  # runs once, when refunds have been looked up for a list
        self._answered: dict[str, tuple[str, dict[str, Any]]] = {}
        self._events = 0

    # --- What the shop calls ----------------------------------------------------------------------------------------
    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, "Invalid API Key provided")
        parts = path.strip("/").split("/")
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return self._create(headers.get("Idempotency-Key", ""), body.decode())
        if (method, path) == ("GET", "/v1/checkout/sessions"):
            if "created[gte]" in query:
                found = [s for s in self.sessions.values() if s["status"] in query["status"]]
            else:
                found = [s for s in self.sessions.values() if s["payment_intent"] in query.get("payment_intent", [])]
            return 200, {"object": "list", "url": path, "has_more": False, "data": found}
        if method == "GET" and path in ("/v1/charges", "/v1/refunds", "/v1/disputes"):
            if parts[-1] in self.forbidden:
                return _error(403, "The provided key does not have the required permissions for this endpoint")
            return 200, self._about_intent(parts[-1], query)
        kept = {"sessions": self.sessions, "disputes": self.disputes}.get(parts[-2], {})
        if method == "GET" and parts[-1] in kept:
            return 200, kept[parts[-1]]
        return _error(404, f"No such object: {parts[-1]}")

    def _about_intent(self, what: str, query: dict[str, list[str]]) -> dict[str, Any]:
        """The newest first, in pages of `limit`, as Stripe lists everything."""
        rows = (self._listed or self._lists())[what]
        found = [dict(row) for row in rows.values() if row["payment_intent"] in query["payment_intent"]][::-1]
        begin = next((n + 1 for n, row in enumerate(found) if row["id"] in query.get("starting_after", [])), 0)
        limit = int(query.get("limit", ["10"])[0])
        page = found[begin : begin + limit]
        more = len(found) > begin + limit
        hook = None
        if what != "charges":
            hook, self.after_answer = self.after_answer, None
        if hook:
            hook()
        return {"object": "list", "url": f"/v1/{what}", "has_more": more, "data": page}

    def _create(self, idempotency_key: str, form: str) -> tuple[int, Any]:
        if idempotency_key in self._answered:
            same_form, answer = self._answered[idempotency_key]
            return (200, answer) if form == same_form else _error(400, "Keys can only be used with the same parameters")
        values = dict(parse_qsl(form))
        unit = values["line_items[0][price_data][unit_amount]"]
        expires_at = int(values["expires_at"])
        if not unit.isdecimal() or not 1800 <= expires_at - time.time() + 60 <= 86400 + 60:
            return _error(400, "Invalid request")
        number = len(self.sessions) + 1
        session = {
            "id": f"cs_test_{number}",
            "object": "checkout.session",
            "amount_total": int(unit) * int(values["line_items[0][quantity]"]),
            "currency": values["line_items[0][price_data][currency]"],
            "client_reference_id": values["client_reference_id"],
            "metadata": {"reference": values["metadata[reference]"]},
            "customer_email": values["customer_email"],
            "expires_at": expires_at,
            "livemode": False,
            "mode": values["mode"],
            "payment_intent": f"pi_{number}",
            "payment_status": "unpaid",
            "status": "open",
            "success_url": values["success_url"],
            "url": f"https://checkout.stripe.com/c/pay/cs_test_{number}",
        }
        self.sessions[session["id"]] = session
        self._answered[idempotency_key] = (form, session)
        return 200, session

    def _lists(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {"charges": self.charges, "refunds": self.refunds, "disputes": self.disputes}

    def lag(self) -> None:
        """From now on lists are as they are now, whatever happens, until they `catch_up`; events tell of it."""
        self._listed = copy.deepcopy(self._lists())

    def catch_up(self) -> None:
        self._listed = None

    # --- What happens at Stripe -------------------------------------------------------------------------------------
    def session_of(self, reference: str) -> dict[str, Any]:
        return next(one for one in self.sessions.values() if one["client_reference_id"] == reference)

    def pay(self, reference: str, **changes: Any) -> dict[str, Any]:
        """The customer finishes the page; `changes` may leave it unpaid or pay something else."""
        session = self.session_of(reference)
        session |= {"status": "complete", "payment_status": "paid", **changes}
        if session["payment_status"] == "paid":
            self.charge(reference)
        return session

    def refund(self, reference: str, amount: int, status: str = "succeeded") -> dict[str, Any]:
        """A refund of so much is made; `becomes` changes it later."""
        session = self.session_of(reference)
        number = len(self.refunds) + 1
        refund = {
            "id": f"re_{number}",
            "object": "refund",
            "amount": amount,
            "balance_transaction": f"txn_{number}",
            "charge": _charge_of(session["payment_intent"]),
            "created": int(time.time()),
            "currency": session["currency"],
            "metadata": {},
            "payment_intent": session["payment_intent"],
            "reason": None,
            "status": status,
        }
        self.refunds[refund["id"]] = refund
        return dict(refund)

    def refund_becomes(self, refund_id: str, status: str, **more: Any) -> dict[str, Any]:
        self.refunds[refund_id] |= {"status": status, **more}
        return dict(self.refunds[refund_id])

    def charge(self, reference: str, refunded: int = 0, **changes: Any) -> dict[str, Any]:
        """The charge behind a session, of which `refunded` has been paid back in all; it is kept with the changes.

        An `id` among them makes it another charge of the same payment.
        """
        session = self.session_of(reference)
        intent = session["payment_intent"]
        before = sum(row["amount"] for row in self.refunds.values() if row["payment_intent"] == intent)
        if refunded > before:
            self.refund(reference, refunded - before)
        charge = {
            "id": _charge_of(intent),
            "object": "charge",
            "amount": session["amount_total"],
            "amount_refunded": refunded,
            "currency": session["currency"],
            "disputed": False,
            "failure_balance_transaction": None,
            "payment_intent": intent,
            "refunded": refunded >= session["amount_total"],
            "metadata": session["metadata"],
            "status": "succeeded",
            **changes,
        }
        self.charges[charge["id"]] = charge
        return charge

    def bank_takes_back(self, reference: str) -> dict[str, Any]:
        """A debit that had succeeded fails after all; the whole of it leaves the account again."""
        changes = {"failure_balance_transaction": "txn_back", "failure_code": "insufficient_funds"}
        return dict(self.charge(reference, status="failed", **changes))

    def dispute(self, reference: str, amount: int, status: str = "needs_response", number: int = 1) -> dict[str, Any]:
        session = self.session_of(reference)
        dispute = {
            "id": f"du_{number}",
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "currency": session["currency"],
            "charge": _charge_of(session["payment_intent"]),
            "is_charge_refundable": False,
            "payment_intent": session["payment_intent"],
            "reason": "fraudulent",
            "status": status,
        }
        self.disputes[dispute["id"]] = dispute
        return dict(dispute)

    def fraud_warning(self, reference: str, **changes: Any) -> dict[str, Any]:
        """A bank's early warning that a payment was fraud; there may be a refund before the dispute."""
        intent = self.session_of(reference)["payment_intent"]
        warning = {
            "id": "issfr_1",
            "object": "radar.early_fraud_warning",
            "actionable": True,
            "charge": _charge_of(intent),
            "created": int(time.time()),
            "fraud_type": "made_with_stolen_card",
            "livemode": False,
            "payment_intent": intent,
        }
        return warning | changes

    def event(self, kind: str, about: dict[str, Any], **changes: Any) -> bytes:
        """The body of a webhook."""
        self._events += 1
        event = {
            "id": f"evt_{self._events}",
            "object": "event",
            "api_version": "2026-10-28",
            "created": int(time.time()),
            "type": kind,
            "livemode": False,
            "pending_webhooks": 1,
            "data": {"object": about},
        }
        return json.dumps({**event, **changes}).encode()


def signature(body: bytes, *, secret: str = SECRET, signed_at: int | None = None) -> str:
    """The Stripe-Signature header."""
    moment = int(time.time()) if signed_at is None else signed_at
    proof = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={proof},v0=ignored"


def _charge_of(intent: str) -> str:
    return f"ch_{intent.removeprefix('pi_')}"


def _error(status: int, message: str) -> tuple[int, Any]:
    return status, {"error": {"type": "invalid_request_error", "message": message}}
