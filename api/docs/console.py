"""The console: any action as the signed-in customer, through the same code as a call with a key.

No key is typed: the session says who calls, and the customer may do all that a key of full scope may.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import translation

from accounts.models import ApiKey, User
from api.actions.calls import Call
from api.actions.orders import INSUFFICIENT_BALANCE, buy_service
from api.actions.params import ApiError
from api.docs.languages import PLACEHOLDER_KEY, as_curl
from api.limits import THROTTLED, TOO_OFTEN, count_call, place_for
from api.registry import Action
from catalog.models import Service
from catalog.operations.stock import refresh_stock
from catalog.pricing import price_book
from orders.models import Checkout
from orders.placing.check import check_amounts, check_order, check_price_was_told
from orders.placing.refusals import OrderRefused, check_door
from preferences.doors import ORDERS
from wallet.operations import wallet_of

log = structlog.get_logger(__name__)
MAX_SHOWN = 30_000  # characters of an answer


@dataclass(frozen=True)
class DryRun:
    """What an order would cost, in micros, and what would be left; nothing has been taken."""

    title: str
    quantity: int
    price_micros: int
    balance_micros: int
    bought_before: bool  # by the same request id: a real call would answer that order and take nothing

    @property
    def after_micros(self) -> int:
        """What would be left in the wallet; below zero where it does not cover the price."""
        return self.balance_micros if self.bought_before else self.balance_micros - self.price_micros


@dataclass(frozen=True)
class Outcome:
    """One call that was made: what was sent, what came back, and how long it took."""

    curl: str
    text: str
    milliseconds: int
    error: str = ""
    dry_run: DryRun | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the answer is an error object."""
        return bool(self.error)

    @property
    def shown(self) -> str:
        """The answer, or as much of it as a page can hold."""
        return self.text[:MAX_SHOWN]

    @property
    def goes_on(self) -> bool:
        """Whether there is more of the answer than is shown."""
        return len(self.text) > MAX_SHOWN


def send(
    action: Action, params: Mapping[str, str], *, user: User, address: str | None, dry_run: bool = False
) -> Outcome:
    """Carry out one action for the customer and return what it came to; `dry_run` is for `add` alone."""
    began = time.perf_counter()
    headers: dict[str, str] = {}
    tried: DryRun | None = None
    with translation.override("en"):  # as at the door
        try:
            headers.update(_count(user, address))
            call = Call(user, dict(params), address=address)
            with place_for(_stand_in(user), waits=action.waits):
                if dry_run:
                    tried = try_order(call)
                    answer = _verdict(tried)
                else:
                    answer = action.run(call)
        except _Refused as refusal:
            headers.update(refusal.headers)
            answer = {"error": str(refusal)}
        except ApiError as refusal:
            answer = {"error": str(refusal)}
        except Exception:
            log.exception("console_call_failed", action=action.name)
            answer = {"error": "Internal server error"}
    error = answer["error"] if isinstance(answer, dict) and "error" in answer else ""
    text = "" if tried and not error else pretty(answer)
    milliseconds = round((time.perf_counter() - began) * 1000)
    return Outcome(curl_of(action, params), text, milliseconds, error, tried, headers)


def curl_of(action: Action, params: Mapping[str, str]) -> str:
    """Return the same call as a program would make it."""
    return as_curl(f"{settings.SITE_URL}/api/v2", {"key": PLACEHOLDER_KEY, "action": action.name, **params})


def pretty(answer: Any) -> str:
    """Return an answer as the door would send it, with line breaks; of one that is sent in pieces the first part."""
    if isinstance(answer, StreamingHttpResponse):
        return _beginning(answer)
    return msgspec.json.format(msgspec.json.encode(answer), indent=2).decode()


def _beginning(answer: StreamingHttpResponse) -> str:
    pieces, characters = [], 0
    try:
        for piece in iter(answer):
            pieces.append(piece)
            characters += len(piece)
            if characters > 4 * MAX_SHOWN:  # at most so many bytes are one character
                break
    finally:
        answer.close()
    return b"".join(pieces).decode(errors="ignore").replace("},{", "},\n{")


def digest_of(action: Action, params: Mapping[str, str]) -> str:
    """Return a mark of a call, so that a confirmation counts for exactly what was asked about."""
    text = json.dumps([action.name, sorted(params.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def try_order(call: Call) -> DryRun:
    """Check and price what `add` would order, without ordering it. Raises ApiError as `add` does."""
    tried: list[DryRun] = []

    def weigh(_call: Call, service: Service, quantity: int, link: str) -> int:
        check_door(ORDERS)
        refresh_stock(service)
        check_price_was_told(service)
        pieces, _lines = check_order(service, quantity=quantity, link=link, comments=call.params.get("comments", ""))
        book = price_book(call.user)
        check_amounts(service, pieces, book)
        price_micros = book.price_micros(service, pieces)
        if price_micros <= 0:
            raise OrderRefused("no price")
        asked_for = call.text("request_id")
        before = bool(asked_for) and Checkout.objects.filter(user=call.user, request_id=asked_for).exists()
        balance_micros = wallet_of(call.user).balance_micros
        tried.append(DryRun(service.title, pieces, price_micros, balance_micros, before))
        return 0

    buy_service(call, weigh)
    return tried[0]


def _verdict(tried: DryRun) -> dict[str, Any]:
    return {"error": INSUFFICIENT_BALANCE} if tried.after_micros < 0 else {}


class _Refused(ApiError):
    """The call was one too many; `headers` say until when."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        super().__init__(TOO_OFTEN, THROTTLED)


def _count(user: User, address: str | None) -> dict[str, str]:
    """Count the call as one of a key of the customer's; return what its headers would announce."""
    allowance = count_call(_stand_in(user), address)
    if allowance is None:
        return {}
    if allowance.refused:
        raise _Refused(allowance.headers)
    return allowance.headers


def _stand_in(user: User) -> ApiKey:
    """A key for the limits alone, which stands in no table: no real key has a negative number."""
    return ApiKey(pk=-user.pk, user=user)
