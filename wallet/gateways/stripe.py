"""Card payments through Stripe Checkout: the customer pays on a page of Stripe's, a signed webhook tells us.

Amounts are integers of the currency's smallest unit. Our reference travels as `client_reference_id` and as metadata.
What happens to the charge later (refunds, disputes) does not name our session, so Stripe is asked which one it was.

Source: https://docs.stripe.com/checkout/fulfillment, https://docs.stripe.com/api/checkout/sessions/object,
https://docs.stripe.com/api/disputes/object, https://docs.stripe.com/webhooks#verify-events,
https://docs.stripe.com/currencies (smallest units); read in November 2026.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import stripe
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wallet.gateways.base import (
    Gateway,
    InvalidCallback,
    PaymentUpdate,
    Started,
    State,
    Unreachable,
    object_in,
    text_in,
)
from wallet.models import TopUp

TOLERANCE_SECONDS = 300
TIMEOUT_SECONDS = 20
LIFETIME = timedelta(hours=1)  # Stripe takes 30 minutes to 24 hours

# Currencies whose amounts have no decimals, and those with three. All others have two, ISK and UGX included: Stripe
# keeps two for them "for backwards compatibility", whatever the currencies themselves do.
NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

# A dispute in these states holds the money; in RELEASED ones it is ours again. Others are questions that hold nothing.
HOLDING = frozenset({"needs_response", "under_review", "lost"})
RELEASED = frozenset({"won", "warning_closed"})


def minor_micros(currency: str) -> int:
    """Return how many micros one unit of Stripe's integer amounts is."""
    code = currency.upper()
    return 1_000_000 if code in NO_DECIMALS else 1_000 if code in THREE_DECIMALS else 10_000


def minor_amount(micros: int, currency: str) -> int:
    """Return micros as Stripe's integer amount, rounded up; of three decimals Stripe wants the last to be 0."""
    step = minor_micros(currency) * (10 if currency.upper() in THREE_DECIMALS else 1)
    return -(-micros // step) * step // minor_micros(currency)


class StripeGateway(Gateway):
    """Stripe Checkout over the vendor's own SDK, in the API version that the SDK was made for."""

    name = "stripe"
    title = gettext_lazy("Card")
    hint = gettext_lazy("Visa, Mastercard, Apple Pay, Google Pay. Credited at once.")

    def _client(self) -> stripe.StripeClient:
        return stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses={"api": settings.STRIPE_API_URL},
            max_network_retries=1,  # every write carries an idempotency key
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    def start(self, top_up: TopUp, return_url: str) -> Started:
        metadata = {"reference": top_up.reference}
        expires_at = top_up.created_at + LIFETIME
        product = _("Balance top-up at %(store)s") % {"store": settings.STORE_NAME}
        try:
            session = self._client().v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": top_up.reference,
                    "metadata": metadata,
                    "payment_intent_data": {"metadata": metadata},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": top_up.currency.lower(),
                                "unit_amount": minor_amount(top_up.pay_micros, top_up.currency),
                                "product_data": {"name": product},
                            },
                        }
                    ],
                    "customer_email": top_up.user.email,
                    "success_url": return_url,
                    "cancel_url": return_url,
                    "expires_at": int(expires_at.timestamp()),
                    # Otherwise the customer could pay in another currency than the one we ask for.
                    "adaptive_pricing": {"enabled": False},
                },
                options={"idempotency_key": f"top-up-{top_up.reference}"},
            )
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        if not session.url:
            raise Unreachable("Stripe named no page to pay on")
        return Started(session.url, session.id, expires_at)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> list[PaymentUpdate]:
        event = _signed_event(headers.get("Stripe-Signature", ""), body)
        if event.get("livemode") is not _is_live(settings.STRIPE_SECRET_KEY):
            raise InvalidCallback("foreign: the event is of the other mode (test or live) than our key")
        kind, about = text_in(event, "type"), object_in(event, "data", "object")
        event_id = text_in(event, "id")
        if kind.startswith("checkout.session."):
            return [_session(about, kind=kind, event_id=event_id)]
        if kind == "charge.refunded":
            amount, currency = _amount(about, "amount_refunded"), text_in(about, "currency")
            return [self._charge(about, event_id, kind, State.REFUNDED, amount, currency)]
        if kind.startswith("charge.dispute."):
            return [self._dispute(text_in(about, "id"), event_id, kind)]
        return [PaymentUpdate(event_id, kind, "", "", State.NOTHING)]

    def ask(self, top_up: TopUp) -> PaymentUpdate:
        if not top_up.gateway_id:  # nobody was ever told where to pay
            return PaymentUpdate("", "asked", "", top_up.reference, State.NOTHING)
        try:
            session = (
                self._client()
                .v1.checkout.sessions.retrieve(top_up.gateway_id, {"expand": ["payment_intent"]})
                .to_dict()
            )
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        return _session(session, kind="asked", event_id="")

    def _dispute(self, dispute_id: str, event_id: str, kind: str) -> PaymentUpdate:
        """A dispute's events may arrive in any order: how it stands now is what counts."""
        try:
            dispute = self._client().v1.disputes.retrieve(dispute_id).to_dict()
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        status = text_in(dispute, "status")
        state = State.NOTHING
        if status in HOLDING:
            state = State.DISPUTED
        elif status in RELEASED:
            state = State.DISPUTE_WON
        amount, currency = _amount(dispute, "amount"), text_in(dispute, "currency")
        return self._charge(dispute, event_id, kind, state, amount, currency)

    def _charge(
        self, about: dict[str, Any], event_id: str, kind: str, state: State, amount: int, currency: str
    ) -> PaymentUpdate:
        """Say it of the session that a charge or a dispute belongs to; of nothing when no session of ours led to it."""
        intent = text_in(about, "payment_intent")
        try:
            sessions = self._client().v1.checkout.sessions.list({"payment_intent": intent}).data if intent else []
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        session = sessions[0].to_dict() if sessions else {}
        return PaymentUpdate(
            event_id=event_id,
            kind=kind,
            gateway_id=text_in(session, "id"),
            reference=text_in(session, "client_reference_id"),
            state=state,
            amount_micros=amount * minor_micros(currency),
            currency=currency.upper(),
        )


def _signed_event(signature: str, body: bytes) -> dict[str, Any]:
    try:
        # The SDK compares ASCII only; a real signature never has anything else.
        stripe.Webhook.construct_event(
            body, signature if signature.isascii() else "", settings.STRIPE_WEBHOOK_SECRET, TOLERANCE_SECONDS
        )
        event = json.loads(body)
    except stripe.SignatureVerificationError as error:
        stale = "tolerance" in str(error)
        raise InvalidCallback(
            "stale: signed too long ago" if stale else "forged: the signature does not fit"
        ) from error
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise InvalidCallback(f"unreadable: {type(error).__name__}") from error
    if not isinstance(event, dict):
        raise InvalidCallback("unreadable: not an event")
    return event


def _session(session: dict[str, Any], *, kind: str, event_id: str) -> PaymentUpdate:
    currency = text_in(session, "currency")
    return PaymentUpdate(
        event_id=event_id,
        kind=kind,
        gateway_id=text_in(session, "id"),
        reference=text_in(session, "client_reference_id"),
        state=_session_state(session, kind),
        amount_micros=_amount(session, "amount_total") * minor_micros(currency),
        currency=currency.upper(),
    )


def _session_state(session: dict[str, Any], kind: str) -> State:
    """A finished session need not be paid: some banks take days, and then say no."""
    status, paid = text_in(session, "status"), text_in(session, "payment_status") == "paid"
    if paid and status == "complete":
        return State.PAID
    if kind == "checkout.session.async_payment_failed":
        return State.DECLINED
    if status == "expired":
        return State.EXPIRED
    if status == "complete":
        failed = text_in(session, "payment_intent", "status") in ("requires_payment_method", "canceled")
        return State.DECLINED if failed else State.PENDING
    return State.NOTHING


def _amount(source: dict[str, Any], name: str) -> int:
    amount = source.get(name)
    return amount if isinstance(amount, int) and not isinstance(amount, bool) and 0 <= amount < 10**12 else 0


def _is_live(key: str) -> bool:
    return key.startswith(("sk_live_", "rk_live_"))


def _said(error: stripe.StripeError) -> str:
    return f"Stripe: {type(error).__name__} {error.http_status or ''} {error.code or ''}".strip()
