"""The cache: Redis, done without while it is away."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import redis
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted

# What sign-in counts its tries under (allauth's rate limits), and the codes of apps that have been used: these must
# not be lost with Redis.
COUNTERS = ("allauth:rl:", "allauth.mfa.totp.used")
AGAIN_SECONDS = 5.0
QUESTIONS = frozenset({"get", "set", "add", "delete", "get_many", "set_many", "delete_many", "incr", "decr", "has_key"})
# Until when a server is not asked, by its address: one for all threads, each of which has a cache of its own.
_away_until: dict[str, float] = {}
_of_this_process = LocMemCache("limits while Redis is away", {"OPTIONS": {"MAX_ENTRIES": 20_000}})


class ForgivingRedisCache(RedisCache):
    """A cache that is empty while Redis is away (with IGNORE_EXCEPTIONS), and whose `add` still succeeds then.

    `add` is how sign-in takes its rate limit's lock: refused, nobody could sign in until Redis is back. The limits
    themselves go on in the memory of each process meanwhile: looser by the number of processes, but limits.
    """

    @property
    def client(self) -> Any:
        """The client of the library, which is not asked while its server is known not to answer."""
        return _Guarded(super().client, str(self._server))

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """Return whether the key was new; True as well when Redis could not be asked."""
        if _counts(args, kwargs):
            return bool(self._counting("add", args, kwargs))
        added = super().add(*args, **kwargs)
        return True if added is None else bool(added)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is kept under the key, or the default."""
        return self._counting("get", args, kwargs) if _counts(args, kwargs) else super().get(*args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        """Keep a value."""
        return self._counting("set", args, kwargs) if _counts(args, kwargs) else super().set(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Forget a key."""
        return self._counting("delete", args, kwargs) if _counts(args, kwargs) else super().delete(*args, **kwargs)

    def _counting(self, what: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Ask Redis, or the memory of this process while Redis is away."""
        try:
            return getattr(self.client, what)(*args, **kwargs)
        except ConnectionInterrupted:
            return getattr(_of_this_process, what)(*args, **kwargs)


class _Guarded:
    """A client that asks a silent server once in some seconds: else every question of a page would wait for it."""

    def __init__(self, client: Any, server: str) -> None:
        self._client, self._server = client, server

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return partial(self._ask, method) if name in QUESTIONS else method

    def _ask(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        until, now = _away_until.get(self._server, 0.0), time.monotonic()
        if now < until:
            raise ConnectionInterrupted(None) from redis.ConnectionError("not asked again yet")
        if until:  # this question tries, the others go on without
            _away_until[self._server] = now + AGAIN_SECONDS
        try:
            answer = method(*args, **kwargs)
        except ConnectionInterrupted as error:
            if isinstance(error.__cause__, redis.ConnectionError | redis.TimeoutError):  # not for a refusal
                _away_until[self._server] = time.monotonic() + AGAIN_SECONDS
            raise
        _away_until.pop(self._server, None)
        return answer


def _counts(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return str(args[0] if args else kwargs.get("key", "")).startswith(COUNTERS)
