"""The cache: Redis, done without while it is away."""

from typing import Any

from django_redis.cache import RedisCache


class ForgivingRedisCache(RedisCache):
    """A cache that is empty while Redis is away (with IGNORE_EXCEPTIONS), and whose `add` still succeeds then.

    `add` is how sign-in takes its rate limit's lock: refused, nobody could sign in until Redis is back. Without Redis
    there is no rate limit, which is the smaller harm.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """Return whether the key was new; True as well when Redis could not be asked."""
        added = super().add(*args, **kwargs)
        return True if added is None else bool(added)
