"""How often the API may be called, and how many calls may be under way at once.

Calls a minute are counted in Redis: those with a key for the key, those with a wrong one for the address they came
from. The minute begins with the first call. What is left is announced with every answer:

    X-RateLimit-Limit      calls in a minute
    X-RateLimit-Remaining  of these left
    X-RateLimit-Reset      seconds until there are all of them again (seconds from now, not a moment)
    Retry-After            the same, where a call was refused

Calls under way are counted in this process: what they hold is one of its threads. Without Redis calls go on uncounted.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.addresses import counted_as
from accounts.models import ApiKey
from api.actions.params import ApiError
from api.preferences import CALLS_PER_MINUTE
from upstream.errors import Withheld
from upstream.limits.threads import waiting_threads

MINUTE = 60
TOO_OFTEN = "Too many requests, rate limit exceeded"
TOO_MANY_AT_ONCE = "Too many requests at once, rate limit exceeded"
THROTTLED = 429
# Where the database is away, or was busy for too long.
BACK_SOON = "Temporarily unavailable, try again in a moment; after an order, look first whether it was placed"
AGAIN_SECONDS = 10
REDIS_TIMEOUT_SECONDS = 0.25
REDIS_AGAIN_SECONDS = 5.0

logger = logging.getLogger(__name__)

# KEYS: counters. ARGV: their limits, then the milliseconds they last. A refused call is not counted.
COUNT = """
local refused = false
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i]) then refused = true end
end
local answer = {}
for i, key in ipairs(KEYS) do
  local used
  if refused then
    used = tonumber(redis.call('GET', key) or '0')
  else
    used = redis.call('INCR', key)
    if used == 1 then redis.call('PEXPIRE', key, ARGV[#ARGV]) end
  end
  answer[#answer + 1] = used
  answer[#answer + 1] = math.max(redis.call('PTTL', key), 0)
end
answer[#answer + 1] = refused and 1 or 0
return answer
"""


@dataclass(frozen=True)
class Allowance:
    """What is left of a minute's calls; `refused` when this one was too many."""

    limit: int
    left: int
    seconds: int
    refused: bool

    @property
    def headers(self) -> dict[str, str]:
        """The headers that announce it."""
        told = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.left),
            "X-RateLimit-Reset": str(self.seconds),
        }
        return {**told, "Retry-After": str(max(self.seconds, 1))} if self.refused else told


class _Counters:
    """The counters in Redis, and whether it is there."""

    def __init__(self) -> None:
        self._url = ""
        self._again_at = 0.0
        self._lock = threading.Lock()

    def count(self, limits: dict[str, int]) -> Allowance | None:
        """Count a call against these limits, a counter's name each; None where Redis does not answer."""
        now = time.monotonic()
        if now < self._again_at:
            return None
        try:
            answer = self._script()(keys=list(limits), args=[*limits.values(), MINUTE * 1000])
        except (redis.RedisError, OSError) as error:
            self._lost(error, now)
            return None
        if self._again_at:
            self._again_at = 0.0
            logger.info("Redis is back: calls of the API are counted again")
        *counted, refused = answer
        of_each = [
            Allowance(limit, max(limit - used, 0), -(-lasts // 1000), bool(refused))
            for limit, used, lasts in zip(limits.values(), counted[::2], counted[1::2], strict=True)
        ]
        return min(of_each, key=lambda allowance: (allowance.left, -allowance.seconds))

    def _lost(self, error: Exception, now: float) -> None:
        with self._lock:
            news = self._again_at == 0.0
            self._again_at = now + REDIS_AGAIN_SECONDS
        if news:
            logger.warning("Redis does not answer: calls of the API are not counted (%s)", error)

    def _script(self) -> "redis.commands.core.Script":
        if self._url != settings.REDIS_URL:
            with self._lock:
                server = redis.Redis.from_url(
                    settings.REDIS_URL,
                    socket_timeout=REDIS_TIMEOUT_SECONDS,
                    socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
                    retry=Retry(NoBackoff(), 1),  # a connection that had gone stale
                )
                self._count = server.register_script(COUNT)
                self._url = settings.REDIS_URL
                self._again_at = 0.0
        return self._count


class _UnderWay:
    """The calls this process is answering, by whose they are."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, limits: dict[str, int]) -> Iterator[None]:
        with self._lock:
            if any(self._calls[name] >= maximum for name, maximum in limits.items()):
                raise ApiError(TOO_MANY_AT_ONCE, THROTTLED)
            self._calls.update(limits.keys())
        try:
            yield
        finally:
            with self._lock:
                self._calls.subtract(limits.keys())
                for name in limits:
                    if not self._calls[name]:
                        del self._calls[name]


_counters = _Counters()
_under_way = _UnderWay()


def count_call(key: ApiKey | None, address: str | None) -> Allowance | None:
    """Count a call: for its key, or for its address where the key is wrong; None when there is nothing to announce.

    A known key is counted by itself: whoever guesses keys from the same address, or behind the same proxy, must not
    silence its owner.
    """
    limits = {}
    if key is not None:
        if maximum := key.calls_per_minute or CALLS_PER_MINUTE.value:
            limits[f"api:calls:key:{key.pk}"] = maximum
    elif maximum := settings.API_CALLS_PER_MINUTE_PER_ADDRESS:
        limits[f"api:calls:from:{counted_as(address)}"] = maximum
    return _counters.count(limits) if limits else None


@contextmanager
def place_for(key: ApiKey, *, waits: bool) -> Iterator[None]:
    """Hold a place for a call under way with this key. Raises ApiError when they are all taken.

    For calls that wait for upstream there are API_CALLS_AT_ONCE, for all together twice that; the keys of one customer
    together get one more. So there is always a thread left for the others; and of all threads, whoever calls, as many
    may wait for upstream as `upstream/limits/threads.py` lets them.
    """
    maximum = 2 * settings.API_CALLS_AT_ONCE
    limits = {f"key:{key.pk}": maximum, f"user:{key.user_id}": maximum + 1}
    if waits:
        maximum = settings.API_CALLS_AT_ONCE
        limits |= {f"waiting:key:{key.pk}": maximum, f"waiting:user:{key.user_id}": maximum + 1}
    with ExitStack() as held:
        held.enter_context(_under_way.place(limits))
        if waits:
            try:
                held.enter_context(waiting_threads.place())
            except Withheld:
                raise ApiError(TOO_MANY_AT_ONCE, THROTTLED) from None
        yield
