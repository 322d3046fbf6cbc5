"""The cache: Redis, done without while it is away."""

import time
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted

# What sign-in counts its tries under (allauth's rate limits), and the codes of apps that have been used: these must
# not be lost with Redis.
COUNTERS = ("allauth:rl:", "allauth.mfa.totp.used")
AGAIN_SECONDS = 5.0
_of_this_process = LocMemCache("limits while Redis is away", {"OPTIONS": {"MAX_ENTRIES": 20_000}})


class ForgivingRedisCache(RedisCache):
    """A cache that is empty while Redis is away (with IGNORE_EXCEPTIONS), and whose `add` still succeeds then.

    `add` is how sign-in takes its rate limit's lock: refused, nobody could sign in until Redis is back. The limits
    themselves go on in the memory of each process meanwhile: looser by the number of processes, but limits.
    """

    _away_until = 0.0

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
        """Ask Redis, or the memory of this process while Redis is away; it is asked again after some seconds."""
        if time.monotonic() >= self._away_until:
            try:
                return getattr(self.client, what)(*args, **kwargs)
            except ConnectionInterrupted:
                self._away_until = time.monotonic() + AGAIN_SECONDS
        return getattr(_of_this_process, what)(*args, **kwargs)


def _counts(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return str(args[0] if args else kwargs.get("key", "")).startswith(COUNTERS)
