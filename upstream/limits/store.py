"""Where the limits are counted: in Redis, by small scripts that run as one step, or in this process alone.

Both keep the same books: leases of the calls under way, the moments the last calls began, and the breaker.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import redis

WAITING_SECONDS = 0.5  # for so long a purchase that found no room keeps the next one from the reads
SECOND = 1_000_000  # the scripts count in microseconds of Redis's own clock
# A thread that wakes late must not push its call into the second of the next ones.
RATE_PERIOD_SECONDS = 1.05
FORGET_SECONDS = 3600
HELD_BACK_SECONDS = 120  # so long it is known that purchases had to wait for the limits
QUIET_SECONDS = 900  # an upstream that comes and goes is news once in so long


class Word(StrEnum):
    """What a store answers."""

    TAKEN = "taken"
    FULL = "full"
    DOWN = "down"
    DOWN_AGAIN = "down again"
    BACK = "back"


@dataclass(frozen=True)
class Breaker:
    """After `failures` in a row calls stop for `first_wait_seconds`, doubled after each try that fails too."""

    failures: int = 5
    first_wait_seconds: float = 2.0
    longest_wait_seconds: float = 60.0


@dataclass(frozen=True)
class Numbers:
    """The limits."""

    per_second: int
    in_flight: int
    breaker: Breaker


@dataclass(frozen=True)
class Taken:
    """TAKEN: the call may begin in `seconds`. FULL: not now. DOWN: upstream is left alone for `seconds` more."""

    word: Word
    seconds: float = 0.0


# KEYS: leases, moments, breaker, waiting purchases. ARGV: id, purchase, lease µs, patience µs, in flight, per second.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local purchase, probe = ARGV[2] == '1', false
local retry_at = tonumber(redis.call('HGET', KEYS[3], 'retry_at'))
if retry_at then
  if purchase or now < retry_at then return {'down', math.max(retry_at - now, 0)} end
  probe = true
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
local room = tonumber(ARGV[5]) - redis.call('ZCARD', KEYS[1])
if not purchase then room = room - redis.call('ZCARD', KEYS[4]) end
local starts_at, per_second = now, tonumber(ARGV[6])
redis.call('LTRIM', KEYS[2], 0, per_second - 1)
if redis.call('LLEN', KEYS[2]) == per_second then
  starts_at = math.max(now, tonumber(redis.call('LINDEX', KEYS[2], -1)) + PERIOD)
end
if room < 1 or starts_at - now > tonumber(ARGV[4]) then
  if purchase then
    redis.call('ZADD', KEYS[4], string.format('%.0f', now + WAITING), ARGV[1])
    redis.call('PEXPIRE', KEYS[4], 60000)
  end
  return {'full', 0}
end
local lease_ends = starts_at + ARGV[3]
redis.call('LPUSH', KEYS[2], string.format('%.0f', starts_at))
redis.call('PEXPIRE', KEYS[2], math.ceil((starts_at - now) / 1000) + 2000)
redis.call('ZADD', KEYS[1], string.format('%.0f', lease_ends), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil((lease_ends - now) / 1000) + 600000)
if purchase then redis.call('ZREM', KEYS[4], ARGV[1]) end
if probe then
  redis.call('HSET', KEYS[3], 'retry_at', string.format('%.0f', lease_ends), 'probe', ARGV[1])
end
return {'taken', starts_at - now}
"""
for _name, _seconds in {"WAITING": WAITING_SECONDS, "PERIOD": RATE_PERIOD_SECONDS}.items():
    TAKE = TAKE.replace(_name, str(round(_seconds * SECOND)))

# KEYS: leases, breaker, told. ARGV: id, outcome, failures, first wait µs, longest wait µs, forget s, quiet s.
RELEASE = """
redis.call('ZREM', KEYS[1], ARGV[1])
if ARGV[2] == 'answered' then
  local was_down = redis.call('HEXISTS', KEYS[2], 'retry_at')
  redis.call('DEL', KEYS[2])
  return was_down == 1 and 'back' or ''
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local is_down = redis.call('HEXISTS', KEYS[2], 'retry_at') == 1
local change = ''
if is_down and redis.call('HGET', KEYS[2], 'probe') == ARGV[1] then
  local wait = tonumber(redis.call('HGET', KEYS[2], 'wait'))
  if ARGV[2] == 'failed' then wait = math.min(wait * 2, tonumber(ARGV[5])) else wait = 0 end
  redis.call('HSET', KEYS[2], 'retry_at', string.format('%.0f', now + wait))
  if wait > 0 then redis.call('HSET', KEYS[2], 'wait', wait) end
  redis.call('HDEL', KEYS[2], 'probe')
elseif not is_down and ARGV[2] == 'failed' then
  if redis.call('HINCRBY', KEYS[2], 'failures', 1) >= tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[2], 'retry_at', string.format('%.0f', now + ARGV[4]), 'wait', ARGV[4],
      'since', string.format('%.0f', now))
    change = redis.call('SET', KEYS[3], '1', 'NX', 'EX', ARGV[7]) and 'down' or 'down again'
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[6])
return change
"""


class RedisStore:
    """The books in Redis. Every method raises redis.RedisError or OSError while it is away."""

    def __init__(self, server: redis.Redis, name: str, numbers: Numbers) -> None:
        self.name = name
        self._server = server
        self._numbers = numbers
        self._leases, self._breaker = f"{name}:leases", f"{name}:breaker"
        self._take_keys = [self._leases, f"{name}:moments", self._breaker, f"{name}:waiting"]
        self._release_keys = [self._leases, self._breaker, f"{name}:told"]
        self._take = server.register_script(TAKE)
        self._release = server.register_script(RELEASE)

    def take(self, slot_id: str, purchase: bool, lease_seconds: float, patience_seconds: float) -> Taken:
        """Take a place if there is one."""
        numbers = self._numbers
        lease, patience = round(lease_seconds * SECOND), round(patience_seconds * SECOND)
        arguments: list[str | int] = [slot_id, int(purchase), lease, patience, numbers.in_flight, numbers.per_second]
        word, microseconds = self._take(keys=self._take_keys, args=arguments)
        return Taken(Word(word.decode()), int(microseconds) / SECOND)

    def release(self, slot_id: str, outcome: str) -> str:
        """Give a place back; return DOWN, DOWN_AGAIN or BACK when this call changed the breaker, else ""."""
        breaker = self._numbers.breaker
        first, longest = round(breaker.first_wait_seconds * SECOND), round(breaker.longest_wait_seconds * SECOND)
        arguments: list[str | int] = [slot_id, outcome, breaker.failures, first, longest, FORGET_SECONDS, QUIET_SECONDS]
        change: bytes = self._release(keys=self._release_keys, args=arguments)
        return change.decode()

    def down(self) -> tuple[float, float] | None:
        """Return since when upstream is down and when it is tried next, in seconds of the epoch."""
        since, retry_at = self._server.hmget(self._breaker, ["since", "retry_at"])
        return None if since is None or retry_at is None else (int(since) / SECOND, int(retry_at) / SECOND)

    def under_way(self) -> int:
        """Return how many leases have not expired."""
        seconds, microseconds = self._server.time()
        return int(self._server.zcount(self._leases, seconds * SECOND + microseconds, "+inf"))

    def note_held_back(self) -> None:
        """Note that a purchase waits for the limits."""
        self._server.set(f"{self.name}:held-back", "1", ex=HELD_BACK_SECONDS)

    def holds_back(self) -> bool:
        """Return whether purchases waited for the limits within the last two minutes."""
        return bool(self._server.exists(f"{self.name}:held-back"))


@dataclass
class LocalStore:
    """The same books for the threads of this process, by a clock that nobody sets."""

    numbers: Numbers
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _leases: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, float] = field(default_factory=dict)
    _moments: "deque[float]" = field(default_factory=deque)
    _failures: int = 0
    _since: float = 0.0
    _retry_at: float = 0.0  # 0: calls are made as usual
    _wait: float = 0.0
    _probe: str = ""
    _told_at: float = -QUIET_SECONDS
    _held_back_until: float = 0.0

    def take(self, slot_id: str, purchase: bool, lease_seconds: float, patience_seconds: float) -> Taken:
        """Take a place if there is one."""
        with self._lock:
            now = time.monotonic()
            if self._retry_at and (purchase or now < self._retry_at):
                return Taken(Word.DOWN, max(self._retry_at - now, 0.0))
            self._leases = {lease: ends_at for lease, ends_at in self._leases.items() if ends_at > now}
            self._waiting = {waiter: ends_at for waiter, ends_at in self._waiting.items() if ends_at > now}
            room = self.numbers.in_flight - len(self._leases) - (0 if purchase else len(self._waiting))
            full = len(self._moments) >= self.numbers.per_second
            starts_at = max(now, self._moments[-self.numbers.per_second] + RATE_PERIOD_SECONDS) if full else now
            if room < 1 or starts_at - now > patience_seconds:
                if purchase:
                    self._waiting[slot_id] = now + WAITING_SECONDS
                return Taken(Word.FULL)
            self._moments.append(starts_at)
            while len(self._moments) > self.numbers.per_second:
                self._moments.popleft()
            self._leases[slot_id] = starts_at + lease_seconds
            self._waiting.pop(slot_id, None)
            if self._retry_at:
                self._retry_at, self._probe = starts_at + lease_seconds, slot_id
            return Taken(Word.TAKEN, starts_at - now)

    def release(self, slot_id: str, outcome: str) -> str:
        """Give a place back; return DOWN, DOWN_AGAIN or BACK when this call changed the breaker, else ""."""
        breaker = self.numbers.breaker
        with self._lock:
            now = time.monotonic()
            self._leases.pop(slot_id, None)
            if outcome == "answered":
                was_down, self._failures, self._retry_at, self._probe = self._retry_at > 0, 0, 0.0, ""
                return Word.BACK if was_down else ""
            if self._retry_at and self._probe == slot_id:
                if outcome == "failed":
                    self._wait = min(self._wait * 2, breaker.longest_wait_seconds)
                self._retry_at = now + (self._wait if outcome == "failed" else 0.0)
                self._probe = ""
            elif not self._retry_at and outcome == "failed":
                self._failures += 1
                if self._failures >= breaker.failures:
                    self._since, self._wait = now, breaker.first_wait_seconds
                    self._retry_at = now + self._wait
                    if now - self._told_at < QUIET_SECONDS:
                        return Word.DOWN_AGAIN
                    self._told_at = now
                    return Word.DOWN
            return ""

    def down(self) -> tuple[float, float] | None:
        """Return since when upstream is down and when it is tried next, in seconds of the epoch."""
        with self._lock:
            began_at = time.time() - time.monotonic()  # of the clock that the others are seconds of
            return (began_at + self._since, began_at + self._retry_at) if self._retry_at else None

    def under_way(self) -> int:
        """Return how many leases have not expired."""
        with self._lock:
            now = time.monotonic()
            return sum(ends_at > now for ends_at in self._leases.values())

    def note_held_back(self) -> None:
        """Note that a purchase waits for the limits."""
        self._held_back_until = time.monotonic() + HELD_BACK_SECONDS

    def holds_back(self) -> bool:
        """Return whether purchases of this process waited for the limits within the last two minutes."""
        return time.monotonic() < self._held_back_until
