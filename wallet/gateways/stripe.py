"""Card payments through Stripe Checkout: the customer pays on a page of Stripe's, a signed webhook tells us.

Amounts are integers of the currency's smallest unit. Our reference travels as `client_reference_id` and as metadata.
What happens to the charge later (refunds, disputes) does not name our session, so Stripe is asked which one it was; and
since such events may arrive in any order and undo each other, it is asked how all refunds or disputes stand now (what
follows from the answer: `stripe_standing`).

Source: https://docs.stripe.com/checkout/fulfillment, https://docs.stripe.com/api/checkout/sessions/object,
https://docs.stripe.com/api/radar/early_fraud_warnings/object, https://docs.stripe.com/api/events/types,
https://docs.stripe.com/webhooks#verify-events,
https://docs.stripe.com/currencies (smallest units); read in November 2026.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import stripe
import structlog
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.deny_list.known import known
from preferences.face import STORE_NAME
from wallet.gateways.base import (
    TRIED_SECONDS,
    Gateway,
    InvalidCallback,
    PaymentUpdate,
    Started,
    State,
    Unreachable,
    object_in,
    taken_events,
    text_in,
)
from wallet.gateways.stripe_standing import amount_in, bank_took_back, disputed, is_warned, refunded
from wallet.models import TopUp, can_be_held

log = structlog.get_logger(__name__)
TOLERANCE_SECONDS = 300
TIMEOUT_SECONDS = 20
LIFETIME = timedelta(hours=1)  # Stripe takes 30 minutes to 24 hours

# Currencies whose amounts have no decimals, and those with three. All others have two, ISK and UGX included: Stripe
# keeps two for them "for backwards compatibility", whatever the currencies themselves do.
NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


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
    variables = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
    can_list = True
    title = gettext_lazy("Card")
    hint = gettext_lazy("Visa, Mastercard, Apple Pay, Google Pay. Credited at once.")

    def _client(self, *, timeout_seconds: int = TIMEOUT_SECONDS, retries: int = 1) -> stripe.StripeClient:
        return stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses={"api": settings.STRIPE_API_URL},
            max_network_retries=retries,  # every write carries an idempotency key
            http_client=stripe.RequestsClient(timeout=timeout_seconds),
        )

    def start(self, top_up: TopUp, return_url: str) -> Started:
        metadata = {"reference": top_up.reference}
        expires_at = top_up.created_at + LIFETIME
        product = _("Balance top-up at %(store)s") % {"store": STORE_NAME.value}
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
        named = session.to_dict()
        pay_url, session_id = text_in(named, "url"), text_in(named, "id")
        if not pay_url.startswith("https://") or not session_id:
            raise Unreachable("Stripe named no page to pay on")
        return Started(pay_url, session_id, expires_at)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> list[PaymentUpdate]:
        event = _signed_event(headers.get("Stripe-Signature", ""), body)
        if event.get("livemode") is not _is_live(settings.STRIPE_SECRET_KEY):
            raise InvalidCallback("foreign: the event is of the other mode (test or live) than our key")
        kind, about = text_in(event, "type"), object_in(event, "data", "object")
        if event.get("account"):  # of an account that is connected to ours: nobody pays us there
            return [PaymentUpdate.of_nobody(kind)]
        if kind.startswith("checkout.session.") and self.knows(*_names(about)):
            return [self._told_of_payer(_session(about, kind=kind, event_id=text_in(event, "id")), about)]
        if kind == "charge.refunded" or kind.startswith(("refund.", "charge.refund.")):
            return [self._aftermath(event, self._refunds)]
        if kind.startswith("charge.dispute."):
            return [self._aftermath(event, self._disputes)]
        if kind == "charge.failed" and bank_took_back(about):
            return [self._aftermath(event, self._refunds)]
        if kind.startswith("radar.early_fraud_warning."):
            return [self._aftermath(event, self._warnings)]
        return [PaymentUpdate.of_nobody(kind)]

    def ask(self, top_up: TopUp) -> PaymentUpdate:
        if not top_up.gateway_id:  # nobody was ever told where to pay
            return PaymentUpdate("", "asked", "", top_up.reference, State.NOTHING)
        taken = taken_events(top_up)
        try:
            session = (
                self._client()
                .v1.checkout.sessions.retrieve(top_up.gateway_id, {"expand": ["payment_intent"]})
                .to_dict()
            )
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        return self._told_of_payer(_session(session, kind="asked", event_id="", after_event=taken.last), session)

    def _told_of_payer(self, update: PaymentUpdate, session: dict[str, Any]) -> PaymentUpdate:
        """Add who paid: the address, and the card where the deny list names any, for that is one question more."""
        if update.state != State.PAID:
            return update
        payers = [text_in(session, "customer_details", "email")]
        if known().names_cards:
            payers += self._cards(text_in(session, "payment_intent") or text_in(session, "payment_intent", "id"))
        return replace(update, payers=tuple(filter(None, payers)))

    def _cards(self, intent: str) -> list[str]:
        """Return the fingerprints of the cards that a payment was tried with; none where we may not ask."""
        if not intent or not can_be_held(intent):
            return []
        try:
            charges = self._list("charges", intent)
        except stripe.PermissionError:  # a restricted key that was made before charges were asked about
            log.warning("stripe_card_not_told")
            return []
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        return [text_in(charge, "payment_method_details", "card", "fingerprint") for charge in charges]

    def paid_since(self, moment: datetime) -> list[PaymentUpdate]:
        since: Any = {"created": {"gte": int(moment.timestamp())}, "status": "complete", "limit": 100}
        try:
            listed = [row.to_dict() for row in self._client().v1.checkout.sessions.list(since).auto_paging_iter()]
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        # Others may sell through the same account: ours carry a reference of ours.
        updates = [_session(session, kind="listed", event_id="") for session in listed if _names(session)[1]]
        return [update for update in updates if update.state == State.PAID]

    def try_out(self) -> str:
        client = self._client(timeout_seconds=TRIED_SECONDS, retries=0)
        try:
            client.v1.checkout.sessions.list({"limit": 1})  # what a key that makes them may do as well
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        return _("the live key is accepted") if _is_live(settings.STRIPE_SECRET_KEY) else _("the test key is accepted")

    def _aftermath(self, event: dict[str, Any], stands: "Stands") -> PaymentUpdate:
        """Say how it stands of the session of ours that led to a charge; of nothing when none of ours did."""
        kind, intent = text_in(event, "type"), text_in(event, "data", "object", "payment_intent")
        try:
            session, top_up = self._behind(intent) if intent and can_be_held(intent) else ({}, None)
            if top_up is None:
                return PaymentUpdate.of_nobody(kind)
            taken = taken_events(top_up)
            state, amount, currency, is_all = stands(intent, [*taken.events, event])
        except stripe.StripeError as error:
            raise Unreachable(_said(error)) from error
        session_id, reference = _names(session)
        return PaymentUpdate(
            event_id=text_in(event, "id"),
            kind=kind,
            gateway_id=session_id,
            reference=reference,
            state=state,
            amount_micros=amount * minor_micros(currency),
            currency=currency.upper(),
            after_event=taken.last if is_all else None,
        )

    def _behind(self, intent: str) -> tuple[dict[str, Any], TopUp | None]:
        """Return the session that a payment was made in and what it is to us; an empty one where none is ours."""
        for listed in self._client().v1.checkout.sessions.list({"payment_intent": intent}).data:
            session = listed.to_dict()
            top_up = self.find(*_names(session))
            if top_up is not None:
                return session, top_up
        return {}, None

    def _refunds(self, intent: str, events: list[dict[str, Any]]) -> "Standing":
        try:
            charges, refunds = self._list("charges", intent), self._list("refunds", intent)
        except stripe.PermissionError:
            # A restricted key that was made before refunds were asked about: what the charge says only ever grows.
            about = object_in(events[-1], "data", "object")
            if "amount_refunded" not in about:
                raise
            said = amount_in(about, "amount" if bank_took_back(about) else "amount_refunded")
            return State.REFUNDED, said, text_in(about, "currency"), False
        return State.REFUNDED, *refunded(charges, refunds, events, intent), True

    def _disputes(self, intent: str, events: list[dict[str, Any]]) -> "Standing":
        holding = disputed(self._list("disputes", intent), events, intent)
        return (State.DISPUTED, *holding, True) if holding else (State.DISPUTE_WON, 0, "", True)

    def _warnings(self, intent: str, events: list[dict[str, Any]]) -> "Standing":
        return State.WARNED if is_warned(events, intent) else State.NOTHING, 0, "", True

    def _list(self, what: str, intent: str) -> list[dict[str, Any]]:
        """Return all charges, refunds or disputes of a payment."""
        listed = getattr(self._client().v1, what).list({"payment_intent": intent, "limit": 100})
        return [row.to_dict() for row in listed.auto_paging_iter()]


Standing = tuple[State, int, str, bool]  # state, Stripe's integer amount, its currency, whether that is all there is
Stands = Callable[[str, list[dict[str, Any]]], Standing]


def _signed_event(signature: str, body: bytes) -> dict[str, Any]:
    try:
        # The SDK compares ASCII only; a real signature never has anything else.
        stripe.Webhook.construct_event(
            body, signature if signature.isascii() else "", settings.STRIPE_WEBHOOK_SECRET, TOLERANCE_SECONDS
        )
        event = json.loads(body)
        signed_at = max(int(part.partition("=")[2]) for part in signature.split(",") if part.startswith("t="))
    except stripe.SignatureVerificationError as error:
        stale = "tolerance" in str(error)
        raise InvalidCallback(
            "stale: signed too long ago" if stale else "forged: the signature does not fit"
        ) from error
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise InvalidCallback(f"unreadable: {type(error).__name__}") from error
    # The SDK looks for old ones alone; one signed for next year could be kept and sent again until then.
    if signed_at > time.time() + TOLERANCE_SECONDS:
        raise InvalidCallback("early: signed in the future")
    if not isinstance(event, dict):
        raise InvalidCallback("unreadable: not an event")
    return event


def _session(session: dict[str, Any], *, kind: str, event_id: str, after_event: int | None = None) -> PaymentUpdate:
    currency, (session_id, reference) = text_in(session, "currency"), _names(session)
    return PaymentUpdate(
        event_id=event_id,
        kind=kind,
        gateway_id=session_id,
        reference=reference,
        state=_session_state(session, kind),
        amount_micros=amount_in(session, "amount_total") * minor_micros(currency),
        currency=currency.upper(),
        after_event=after_event,
    )


def _names(session: dict[str, Any]) -> tuple[str, str]:
    """Return what Stripe calls a session, and what whoever began it calls it."""
    return text_in(session, "id"), text_in(session, "client_reference_id")


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


def _is_live(key: str) -> bool:
    return key.startswith(("sk_live_", "rk_live_"))


def _said(error: stripe.StripeError) -> str:
    return f"Stripe: {type(error).__name__} {error.http_status or ''} {error.code or ''}".strip()
