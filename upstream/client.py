"""The HstockPlus API: eleven actions as methods, typed answers, errors that say what may be done next.

Reads are repeated a little when upstream does not answer, and slow down when it says that they come too fast.
Purchases (`add`, `add_sms`) are sent once and never again: repeating one without proof buys twice, and proof is not to
be had here.
"""

import functools
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar
from urllib.parse import quote, quote_plus, urlsplit

from upstream.errors import (
    NotPlaced,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
    UpstreamError,
    UpstreamNotConfigured,
    Withheld,
)
from upstream.limits.limiter import Limiter, Outcome, Slot
from upstream.limits.pace import Pace
from upstream.limits.time_left import check_time, is_over
from upstream.observed import seen, take_slot
from upstream.protocol import parsing
from upstream.protocol.answers import purchase_answer, read_answer
from upstream.protocol.wire import (
    Balance,
    CategoryRow,
    Inventory,
    OrderStatus,
    PlacedOrder,
    Rows,
    ServicePage,
    SmsCode,
    SmsCountry,
    SmsNumber,
    SmsProject,
    SmsStatus,
)
from upstream.reading.bodies import looks_like_json
from upstream.transport import Answer, NothingSent, PerhapsSent, Transport

T = TypeVar("T")

PURCHASES = frozenset({"add", "add_sms"})
READ_ATTEMPTS = 3
BACK_OFF_SECONDS = 0.2
LONGEST_RETRY_AFTER_SECONDS = 5.0
LONG_CALL_SECONDS = 15.0
MAX_BODY_BYTES = 64 * 1024 * 1024
LONGEST_TEXT = 500
LONGEST_WAIT_SECONDS = 10.0  # for a place, before a purchase is put off
SHORTEST_SECRET = 6  # a shorter key would be found inside ordinary words when texts are scrubbed

_random = random.SystemRandom()


class Usage(NamedTuple):
    """What a client has spent since it was made; `bytes` counts bodies received, decompressed."""

    requests: int
    bytes: int


class Client:
    """A connection to upstream. Threads may share one, processes may not.

    `timeout_seconds` bounds each call as a whole: connecting, sending, every attempt of a read and the last byte of the
    answer. Only the system's name resolver can outlast it, and then nothing is sent any more.
    `limiter` bounds the calls of all processes together; None bounds nothing.
    Raises UpstreamNotConfigured when the URL is not http(s) or the key is empty.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        timeout_seconds: float,
        *,
        pool_size: int = 16,
        max_body_bytes: int = MAX_BODY_BYTES,
        limiter: Limiter | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UpstreamNotConfigured("UPSTREAM_URL is empty or not an http(s) address")
        if not key:
            raise UpstreamNotConfigured("UPSTREAM_KEY is empty")
        if timeout_seconds <= 0:
            raise ValueError("timeout_seconds should be above zero")
        self._host = parts.hostname
        self._key = key
        self.timeout_seconds = timeout_seconds
        self._transport = Transport(base_url, pool_size=pool_size, max_body_bytes=max_body_bytes)
        self.limiter = limiter
        self._purchase_slot = threading.local()
        self._pace = Pace()

    def __repr__(self) -> str:
        return f"<Client {self._host}>"

    @property
    def usage(self) -> Usage:
        """How many requests were sent and bytes received so far, by all threads together."""
        return Usage(*self._transport.usage())

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    # --- Reads. Each raises Refused, Throttled or Unavailable ---------------------------------------------------------
    # Names come in the language `lang`, a code of `upstream.reading.languages`, else in English; filters take English.
    def categories(self, *, lang: str | None = None) -> Rows[CategoryRow]:
        """Return every category with its subcategories; `set_aside` names what cannot be read, as in all lists."""
        return self._read("categories", _given({"lang": lang}), parsing.parse_categories)

    def services(
        self,
        *,
        page: int | None = None,
        limit: int | None = None,
        category: str | None = None,
        subcategory: str | None = None,
        lang: str | None = None,
    ) -> ServicePage:
        """Return services, all of them without a `limit`; rows that cannot be read are named in `set_aside`."""
        asked = {"page": page, "limit": limit, "category": category, "subcategory": subcategory, "lang": lang}
        parse = functools.partial(parsing.parse_services, page=page or 1, limit=limit or 0)
        return self._read("services", _given(asked), parse)

    def inventory(self, *, service_id: int) -> Inventory:
        """Return what is left of one service."""
        parse = functools.partial(parsing.parse_inventory, service_id=service_id)
        return self._read("inventory", {"service": str(service_id)}, parse)

    def status(self, *, order_id: str) -> OrderStatus:
        """Return how an order is going."""
        return self._read("status", {"order": order_id}, parsing.parse_order_status)

    def balance(self) -> Balance:
        """Return the shop's money upstream."""
        return self._read("balance", {}, parsing.parse_balance)

    def sms_projects(self, *, country: str | None = None, lang: str | None = None) -> Rows[SmsProject]:
        """Return the projects numbers can be bought for, of one country or of all."""
        return self._read("sms_projects", _given({"country": country, "lang": lang}), parsing.parse_sms_projects)

    def sms_countries(self, *, lang: str | None = None) -> Rows[SmsCountry]:
        """Return the countries that have numbers."""
        return self._read("sms_countries", _given({"lang": lang}), parsing.parse_sms_countries)

    def sms_code(self, *, order_id: str) -> SmsCode:
        """Return the code that came to a number, if it did."""
        return self._read("sms_code", {"order": order_id}, parsing.parse_sms_code)

    def sms_status(self, *, order_id: str) -> SmsStatus:
        """Return how a number is going, when it expires and what it cost."""
        return self._read("sms_status", {"order": order_id}, parsing.parse_sms_status)

    # --- Purchases. Each raises Refused, NotPlaced, Throttled or OutcomeUnknown ---------------------------------------
    def add(self, *, service_id: int, link: str, quantity: int, comments: str = "") -> PlacedOrder:
        """Place an order, once. `comments`, one a line, is sent only where there are some.

        An empty `link` is for products only: their status then brings the goods. It is sent, for upstream to see that
        it is meant; what upstream mails goes to the address of the shop's own account.
        """
        form = {"service": str(service_id), "link": link, "quantity": str(quantity)}
        if comments:
            form["comments"] = comments
        return self._purchase("add", form, parsing.parse_placed_order)

    def add_sms(self, *, project_id: str, quantity: int = 1, country: str = "", phone: str = "") -> list[SmsNumber]:
        """Buy numbers, once; there may be fewer than asked for. `phone` names one to use again."""
        form = {"project_id": project_id, "quantity": str(quantity)}
        form |= {name: value for name, value in (("country", country), ("phone", phone)) if value}
        return self._purchase("add_sms", form, parsing.parse_sms_numbers)

    # --- Limits -------------------------------------------------------------------------------------------------------
    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a place among the calls under way; this thread's next purchase takes it and gives it back.

        So what has a deadline, like the claim of an order, can begin after the waiting.
        Raises Withheld when upstream is down, no place came free in ten seconds, or nothing new should begin here;
        nothing was sent then.
        """
        check_time()
        if self.limiter is None:
            yield
            return
        seconds = self.timeout_seconds
        # Twice, because the call begins only when the caller has made up its mind.
        patience = min(seconds, LONGEST_WAIT_SECONDS)
        slot = take_slot(self.limiter, purchase=True, lease_seconds=2 * seconds, patience_seconds=patience)
        self._purchase_slot.held = slot
        try:
            yield
        finally:
            if self._held_slot() is not None:
                self.limiter.release(slot, Outcome.NOT_MADE)

    def answers(self) -> bool:
        """Whether calls are of use now. While upstream is down this asks for the balance whenever a try is due."""
        if is_over():
            return False
        if self.limiter is None or self.limiter.down() is None:
            return True
        with suppress(UpstreamError):
            self.balance()
        return self.limiter.down() is None

    def _held_slot(self) -> Slot | None:
        """Return this thread's slot for a purchase, once."""
        slot: Slot | None = getattr(self._purchase_slot, "held", None)
        self._purchase_slot.held = None
        return slot

    # --- Calls --------------------------------------------------------------------------------------------------------
    def _purchase(self, action: str, form: dict[str, str], parse: Callable[[bytes], T]) -> T:
        failure: UpstreamError
        try:
            ends_at = time.monotonic() + self.timeout_seconds
            slot = self._held_slot() or self._take_slot(self.timeout_seconds, purchase=True)
            return self._exchange(action, form, ends_at, slot, functools.partial(purchase_answer, parse=parse))
        except Withheld as error:
            failure = NotPlaced(error.text)
        except NothingSent as error:
            failure = NotPlaced(str(error))
        except PerhapsSent as error:
            failure = OutcomeUnknown(str(error))
        except UpstreamError as error:
            failure = error
        raise self._scrubbed(failure)

    def _read(self, action: str, form: dict[str, str], parse: Callable[[bytes], T]) -> T:
        ends_at = time.monotonic() + self.timeout_seconds
        attempt = 1
        complaint: Throttled | None = None
        while True:
            failure: UpstreamError
            try:
                check_time()
                self._wait_for_turn(ends_at)
                slot = self._take_slot(ends_at - time.monotonic(), purchase=False)
                value = self._exchange(action, form, ends_at, slot, functools.partial(read_answer, parse=parse))
                self._pace.answered()
                return value
            except (NothingSent, PerhapsSent) as error:
                failure = Unavailable(str(error))
            except Withheld as error:
                failure = complaint or error
                break
            except Throttled as error:
                failure = complaint = error
            except UpstreamError as error:
                failure = error
            pause = _pause_seconds(failure, attempt, self.timeout_seconds)
            if pause is not None and failure is complaint:
                self._pace.slower()  # how often complaints are put up with, the gap and the time of the call decide
                attempt -= 1
            if pause is None or attempt == READ_ATTEMPTS or time.monotonic() + pause >= ends_at:
                break
            attempt += 1
            time.sleep(pause)
        raise self._scrubbed(failure)

    def _wait_for_turn(self, ends_at: float) -> None:
        """Wait as long as upstream has asked reads to. Raises Withheld where the call has no time for that."""
        seconds = self._pace.turn(ends_at - time.monotonic())
        if seconds is None:
            raise Withheld("upstream asks for fewer requests")
        if seconds:
            time.sleep(seconds)

    def _take_slot(self, seconds: float, *, purchase: bool) -> Slot | None:
        """Wait for a place, half of the call's `seconds` at most. Raises Withheld."""
        if self.limiter is None:
            return None
        return take_slot(self.limiter, purchase=purchase, lease_seconds=seconds, patience_seconds=seconds / 2)

    def _exchange(
        self,
        action: str,
        form: dict[str, str],
        ends_at: float,
        slot: Slot | None,
        judge: Callable[[int, bytes], T],
    ) -> T:
        """Make one call on this slot, give it back and tell the breaker. Raises what `judge` and `_call` raise."""
        outcome = Outcome.FAILED
        try:
            with seen(action, purchase=action in PURCHASES) as call:
                answer = self._call(action, form, ends_at - time.monotonic())
                call.status, call.bytes = answer.status, len(answer.body)
                # An answer we cannot make sense of is a riddle, but one from a server that works.
                if answer.status < 500 and looks_like_json(answer.body):
                    outcome = Outcome.ANSWERED
                try:
                    return judge(answer.status, answer.body)
                except (Refused, Throttled) as error:
                    outcome = Outcome.ANSWERED
                    if isinstance(error, Throttled):
                        error.retry_after_seconds = _retry_after_seconds(answer.retry_after)
                    raise
        finally:
            if self.limiter is not None and slot is not None:
                self.limiter.release(slot, outcome)

    def _call(self, action: str, form: dict[str, str], seconds: float) -> Answer:
        """Post one action. Raises NothingSent or PerhapsSent."""
        answer = self._transport.post(self._signed(action, form), max(seconds, 0.001))
        # An answer that quotes the key back must not carry it into errors, kept payloads or pages.
        return answer._replace(body=self._without_key(answer.body))

    def _signed(self, action: str, form: dict[str, str]) -> dict[str, str]:
        return {"key": self._key, "action": action, **form}

    def _without_key(self, body: bytes) -> bytes:
        return body.replace(self._key.encode(), b"***") if len(self._key) >= SHORTEST_SECRET else body

    def _scrubbed(self, failure: UpstreamError) -> UpstreamError:
        """The same error without the key in its text, nor what it was made from."""
        if len(self._key) >= SHORTEST_SECRET:
            for secret in {self._key, quote(self._key), quote_plus(self._key), quote(self._key, safe="")}:
                failure.text = failure.text.replace(secret, "***")
        failure.text = failure.text[:LONGEST_TEXT]  # cut last: half a key is a leak too
        failure.args = (failure.text, *failure.args[1:])
        failure.__cause__ = failure.__context__ = failure.__traceback__ = None
        return failure


def default_client(*, timeout_seconds: float | None = None) -> Client:
    """Return this process's client for UPSTREAM_URL and UPSTREAM_KEY; by default with UPSTREAM_TIMEOUT_SECONDS.

    Its calls count towards UPSTREAM_MAX_PER_SECOND and UPSTREAM_MAX_IN_FLIGHT, which all processes share by REDIS_URL.
    Raises UpstreamNotConfigured when either is empty.
    """
    from django.conf import settings  # the only line of this package that needs Django

    seconds = timeout_seconds or settings.UPSTREAM_TIMEOUT_SECONDS
    limits = settings.REDIS_URL, settings.UPSTREAM_MAX_PER_SECOND, settings.UPSTREAM_MAX_IN_FLIGHT
    # By process: a worker that was forked must not write into its parent's connections.
    return _client(os.getpid(), settings.UPSTREAM_URL, settings.UPSTREAM_KEY, seconds, *limits)


@functools.lru_cache(maxsize=8)
def _client(
    process: int, url: str, key: str, timeout_seconds: float, redis_url: str, per_second: int, in_flight: int
) -> Client:
    limiter = _limiter(process, redis_url, per_second, in_flight)
    return Client(url, key, timeout_seconds, pool_size=in_flight, limiter=limiter)


@functools.lru_cache(maxsize=8)
def _limiter(_process: int, redis_url: str, per_second: int, in_flight: int) -> Limiter:
    return Limiter(redis_url, per_second=per_second, in_flight=in_flight)


def _given(parameters: dict[str, int | None] | dict[str, str | None] | dict[str, int | str | None]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items() if value is not None}


def _pause_seconds(failure: UpstreamError, attempt: int, call_seconds: float) -> float | None:
    """How long to wait before reading again; None when asking again is of no use."""
    if isinstance(failure, Withheld):
        return None
    if isinstance(failure, Throttled):
        wait = failure.retry_after_seconds
        if wait is None:  # the pace of all reads decides; in a short call somebody is waiting
            return 0.0 if failure.http_status != 429 or call_seconds >= LONG_CALL_SECONDS else None
        return wait if wait <= LONGEST_RETRY_AFTER_SECONDS else None
    if isinstance(failure, Unavailable):
        return BACK_OFF_SECONDS * attempt * _random.uniform(0.5, 1.5)
    return None


def _retry_after_seconds(header: str) -> float | None:
    """Read the header's seconds or date. Source: RFC 9110, section 10.2.3."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    with suppress(ValueError, TypeError, OverflowError):
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
    return None
