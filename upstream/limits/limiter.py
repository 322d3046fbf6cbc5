"""How fast and how many at once upstream is called, by all processes together, and when it is left alone.

Two limits and a breaker, kept in Redis so that every worker counts:
- so many calls may begin in any second, and so many may be under way at once; purchases go before reads;
- after a row of calls without an answer all of them stop, and one read at a time tries, with growing waits, until one
  is answered.

Who may call holds a lease that expires by itself, so that a killed process does not keep its place. Without Redis each
process keeps to the same limits by itself: selling never waits for Redis, and is never unlimited.
"""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from upstream.errors import Withheld
from upstream.limits.store import (
    Breaker,
    LocalStore,
    Numbers,
    RedisStore,
    Taken,
    Word,
)

T = TypeVar("T")

LEASE_SLACK_SECONDS = 5.0
SHORTEST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.2
REDIS_AGAIN_SECONDS = 5.0

logger = logging.getLogger(__name__)
_random = random.SystemRandom()


class Outcome(StrEnum):
    """What became of a call, as far as the breaker is concerned."""

    ANSWERED = "answered"
    FAILED = "failed"
    NOT_MADE = "not_made"


@dataclass(frozen=True)
class Slot:
    """The right to make one call, until it is released or its lease expires."""

    id: str
    store: RedisStore | LocalStore


@dataclass(frozen=True)
class Down:
    """Upstream does not answer: since when, and when the next call will try."""

    since: datetime
    next_try_at: datetime


class Limiter:
    """Shares `per_second` calls and `in_flight` places among all limiters of this name in this Redis.

    `breaker` says after how many failures in a row calls stop, and for how long. Threads may share one limiter.
    """

    def __init__(
        self,
        server: "redis.Redis | str",
        *,
        per_second: int,
        in_flight: int,
        name: str = "upstream",
        breaker: Breaker | None = None,
    ) -> None:
        if per_second < 1 or in_flight < 1:
            raise ValueError("a limit below one lets nothing through")
        numbers = Numbers(per_second=per_second, in_flight=in_flight, breaker=breaker or Breaker())
        self._shared = RedisStore(_connected(server), name, numbers)
        self._own = LocalStore(numbers)
        self._lock = threading.Lock()
        # By whether it is a purchase that waits: they are woken first.
        self._freed = {purchase: threading.Condition(self._lock) for purchase in (True, False)}
        self._waiting = {True: 0, False: 0}
        self._redis_again_at = 0.0  # 0: Redis is there

    def take(self, *, purchase: bool, lease_seconds: float, patience_seconds: float) -> Slot:
        """Wait for a place and for the rate, and return the right to make one call; give it back with `release`.

        `lease_seconds` is the longest the call may take; after that the place counts as free again. Only reads try
        whether an upstream that is down has come back.
        Raises Withheld when upstream is down, or when nothing came free within `patience_seconds`.
        """
        slot_id = uuid.uuid4().hex
        ends_at = time.monotonic() + patience_seconds
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            left = max(ends_at - time.monotonic(), 0.0)
            taken, store = self._take(slot_id, purchase, lease_seconds + LEASE_SLACK_SECONDS, left)
            if taken.word == Word.TAKEN:
                if taken.seconds:
                    time.sleep(taken.seconds)
                return Slot(slot_id, store)
            if taken.word == Word.DOWN:
                raise Withheld(f"upstream does not answer; the next try is in {taken.seconds:.0f} s")
            if left <= pause:
                raise Withheld("the limits on calls upstream left no room in time")
            self._wait(purchase, pause * _random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def release(self, slot: Slot, outcome: Outcome) -> None:
        """Give the place back and tell the breaker how the call went. Raises nothing."""
        change = ""
        with suppress(redis.RedisError, OSError):  # a lease that cannot be given back expires
            change = slot.store.release(slot.id, outcome)
        self._wake()
        if change == Word.DOWN:
            logger.error("upstream_down", extra={"name_of_limits": self._shared.name})  # ERROR is mailed to the admins
        elif change == Word.DOWN_AGAIN:
            logger.warning("upstream_down_again", extra={"name_of_limits": self._shared.name})
        elif change == Word.BACK:
            logger.warning("upstream_back", extra={"name_of_limits": self._shared.name})

    def _wait(self, purchase: bool, seconds: float) -> None:
        """Wait until a place of this process comes free, or so long: those of other processes are not noticed.

        The more threads wait here, the longer each: together they ask the store as often as one would.
        """
        with self._lock:
            self._waiting[purchase] += 1
            self._freed[purchase].wait(seconds * self._waiting[purchase])
            self._waiting[purchase] -= 1

    def _wake(self) -> None:
        with self._lock:
            self._freed[self._waiting[True] > 0].notify()

    def down(self) -> Down | None:
        """Return since when upstream does not answer, or None while calls are made as usual."""
        found, _store = self._either(lambda store: store.down())
        if found is None:
            return None
        since, next_try_at = (datetime.fromtimestamp(seconds, UTC) for seconds in found)
        return Down(since, next_try_at)

    def under_way(self) -> int:
        """Return how many places are taken now."""
        return self._either(lambda store: store.under_way())[0]

    def note_held_back(self) -> None:
        """Note that a purchase had to wait for these limits. Raises nothing."""
        self._either(lambda store: store.note_held_back())

    def holds_back(self) -> bool:
        """Return whether purchases had to wait for these limits within the last two minutes."""
        return self._either(lambda store: store.holds_back())[0]

    def _take(
        self, slot_id: str, purchase: bool, lease_seconds: float, patience_seconds: float
    ) -> tuple[Taken, RedisStore | LocalStore]:
        return self._either(lambda store: store.take(slot_id, purchase, lease_seconds, patience_seconds))

    def _either(self, ask: Callable[[RedisStore | LocalStore], T]) -> tuple[T, RedisStore | LocalStore]:
        """Ask Redis, or this process alone while Redis is away."""
        if time.monotonic() >= self._redis_again_at:
            try:
                answer = ask(self._shared)
            except (redis.RedisError, OSError) as error:
                self._lost(error)
            else:
                self._found()
                return answer, self._shared
        return ask(self._own), self._own

    def _lost(self, error: Exception) -> None:
        with self._lock:
            known = self._redis_again_at > 0
            self._redis_again_at = time.monotonic() + REDIS_AGAIN_SECONDS
        if not known:
            # Not the error's text: it may hold the address, and with it the password.
            logger.error("limits_without_redis", extra={"error": type(error).__name__})

    def _found(self) -> None:
        if self._redis_again_at:
            with self._lock:
                was_away, self._redis_again_at = self._redis_again_at > 0, 0.0
            if was_away:
                logger.warning("limits_with_redis_again")


def _connected(server: "redis.Redis | str") -> redis.Redis:
    if not isinstance(server, str):
        return server
    return redis.Redis.from_url(
        server,
        socket_connect_timeout=0.5,
        socket_timeout=1.0,
        # One more try, for a connection that Redis closed at its restart; more would only delay the fall-back.
        retry=Retry(NoBackoff(), 1),
    )
