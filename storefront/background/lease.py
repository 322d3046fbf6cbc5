"""Who of several may do something: whoever holds the lease in Redis, for as long as it is renewed."""

import os
import secrets
import socket

from django_redis import get_redis_connection

TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""


class Lease:
    """A key that one process has at a time; it ends by itself where that process dies.

    Where Redis is emptied, two may hold it until the one that was faster is seen by the other at its next renewal.
    """

    def __init__(self, key: str, seconds: float) -> None:
        self._key, self._milliseconds = key, int(seconds * 1000)
        # Read by whoever wonders which process it is.
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def take(self) -> bool:
        """Take the lease or renew it, and return whether it is ours now. Raises what Redis raises."""
        script = get_redis_connection("default").register_script(TAKE)
        return bool(script(keys=[self._key], args=[self.holder, self._milliseconds]))

    def release(self) -> None:
        """Let another one have it at once, if it is ours. Raises what Redis raises."""
        get_redis_connection("default").register_script(RELEASE)(keys=[self._key], args=[self.holder])
