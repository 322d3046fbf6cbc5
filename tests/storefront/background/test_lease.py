"""A lease: one holder at a time, renewed, ended by time, by hand, or with what Redis holds."""

import time
from typing import Any

import pytest
import redis

from storefront.background.lease import Lease

KEY, SECONDS = "test:lease", 1.0


@pytest.fixture
def two() -> tuple[Lease, Lease]:
    return Lease(KEY, SECONDS), Lease(KEY, SECONDS)


def test_lease_when_taken_is_renewed_by_its_holder_and_refused_to_others(
    two: tuple[Lease, Lease], redis_server: redis.Redis
):
    own, other = two

    assert own.take()
    assert not other.take()
    assert redis_server.get(KEY) == own.holder.encode()
    for _each in range(3):  # longer than it holds
        time.sleep(SECONDS / 2)
        assert own.take()
        assert not other.take()


def test_lease_when_not_renewed_ends_and_its_former_holder_does_not_take_it_back(two: tuple[Lease, Lease]):
    own, other = two
    assert own.take()
    time.sleep(SECONDS * 1.2)

    assert other.take()
    assert not own.take()
    own.release()  # which is not its own any more
    assert other.take()


def test_lease_when_released_is_another_s_at_once(two: tuple[Lease, Lease]):
    own, other = two
    own.release()  # of nobody
    assert own.take()
    own.release()

    assert other.take()
    assert not own.take()


def test_lease_when_redis_was_emptied_is_whoever_asks_first(two: tuple[Lease, Lease], redis_server: redis.Redis):
    own, other = two
    assert own.take()
    redis_server.delete(KEY)

    assert other.take()
    assert not own.take()


def test_lease_when_redis_is_away_raises_and_is_renewed_afterwards(settings: Any, redis_server: redis.Redis):
    own = Lease(KEY, 60)
    assert own.take()
    pool = own._lock.redis.connection_pool
    port, pool.connection_kwargs["port"] = pool.connection_kwargs["port"], 9
    pool.reset()

    with pytest.raises(redis.RedisError) as failure:
        own.take()
    assert not isinstance(failure.value, redis.exceptions.LockError)

    pool.connection_kwargs["port"] = port
    pool.reset()
    assert own.take()


def test_lease_when_the_answer_to_taking_it_was_lost_is_its_holder_s_all_the_same(
    two: tuple[Lease, Lease], redis_server: redis.Redis
):
    own, other = two
    redis_server.set(KEY, own.holder, px=int(SECONDS * 1000))

    assert own.take()
    assert not other.take()
