"""A gateway for trying things out: a page of ours plays the bank and says what should happen.

It really signs callbacks and they are really read, so what they do is what a real gateway's callbacks do. It makes
money out of nothing and therefore refuses to exist unless DEBUG or DEMO_PAYMENTS is on, and the shop refuses to start
with either of them where strangers could reach it (storefront/configuration/deployment.py).
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wallet.gateways.base import Gateway, InvalidCallback, PaymentUpdate, Started, State, text_in
from wallet.models import TopUp

LIFETIME = timedelta(minutes=30)
TOLERANCE_SECONDS = 300
HEADER = "Demo-Signature"


class DemoGateway(Gateway):
    """Raises ImproperlyConfigured where it is not allowed."""

    name = "demo"
    title = gettext_lazy("Demo payment")
    hint = gettext_lazy("Stands in for a bank: you choose how the payment ends. No money moves.")

    def __init__(self) -> None:
        if not self.is_allowed():
            raise ImproperlyConfigured(
                "The demo gateway makes money out of nothing; it exists only with DEBUG or DEMO_PAYMENTS on."
            )

    @staticmethod
    def is_allowed() -> bool:
        """Whether this is a developer's shop or the demo."""
        return bool(settings.DEBUG or settings.DEMO_PAYMENTS)

    def start(self, top_up: TopUp, return_url: str) -> Started:
        page = reverse("wallet:demo", args=[top_up.reference])
        return Started(page, f"demo-{top_up.reference}", timezone.now() + LIFETIME)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> list[PaymentUpdate]:
        signed_at, _comma, signature = headers.get(HEADER, "").partition(",")
        if not hmac.compare_digest(_sign(signed_at, body).encode(), signature.encode(errors="replace")):
            raise InvalidCallback("forged: the signature does not fit")
        if int(signed_at) < time.time() - TOLERANCE_SECONDS:
            raise InvalidCallback("stale: signed too long ago")
        if int(signed_at) > time.time() + TOLERANCE_SECONDS:
            raise InvalidCallback("early: signed in the future")
        event = json.loads(body)
        return [
            PaymentUpdate(
                event_id=text_in(event, "id"),
                kind=text_in(event, "state"),
                gateway_id=text_in(event, "payment"),
                reference=text_in(event, "reference"),
                state=State(text_in(event, "state")),
                amount_micros=int(event["amount_micros"]),
                currency=text_in(event, "currency"),
            )
        ]

    def ask(self, top_up: TopUp) -> PaymentUpdate:
        over = top_up.expires_at is not None and top_up.expires_at <= timezone.now()
        state = State.EXPIRED if over else State.NOTHING
        return PaymentUpdate("", "asked", top_up.gateway_id, top_up.reference, state)

    def try_out(self) -> str:
        return _("moves no money")


def demo_event(top_up: TopUp, state: State, **changes: Any) -> bytes:
    """Return the body of a callback that says `state` of a payment; `changes` make it say something wrong."""
    event = {
        "id": f"demo-{get_random_string(12)}",
        "payment": top_up.gateway_id,
        "reference": top_up.reference,
        "state": state,
        "amount_micros": top_up.pay_micros,
        "currency": top_up.currency,
    }
    return json.dumps({**event, **changes}).encode()


def demo_headers(body: bytes, *, signed_at: int | None = None, forged: bool = False) -> dict[str, str]:
    """Return the headers the demo bank sends with a body."""
    moment = str(int(time.time()) if signed_at is None else signed_at)
    return {HEADER: f"{moment},{_sign(moment, body + b'?' if forged else body)}"}


def _sign(signed_at: str, body: bytes) -> str:
    key = hashlib.sha256(b"demo gateway:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, signed_at.encode(errors="replace") + b"." + body, hashlib.sha256).hexdigest()
