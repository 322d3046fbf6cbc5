"""Who of several may do something: whoever holds the lease in Redis, for as long as it is renewed."""

import os
import secrets
import socket
from contextlib import suppress

from django_redis import get_redis_connection
from redis.exceptions import LockError


class Lease:
    """A key that one process has at a time, redis-py's lock; it ends by itself where that process dies.

    Where Redis is emptied, two may hold it until the one that was faster is seen by the other at its next renewal.
    """

    def __init__(self, key: str, seconds: float) -> None:
        # Read by whoever wonders which process it is.
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._lock = get_redis_connection("default").lock(key, timeout=seconds, blocking=False, thread_local=False)

    def take(self) -> bool:
        """Take the lease or renew it, and return whether it is ours now. Raises what Redis raises."""
        self._lock.local.token = self.holder.encode()  # it may be ours without our having heard so
        try:
            return bool(self._lock.reacquire())
        except LockError:  # it is not ours yet, or no longer
            return bool(self._lock.acquire(token=self.holder))

    def release(self) -> None:
        """Let another one have it at once, if it is ours. Raises what Redis raises."""
        with suppress(LockError):
            self._lock.release()
