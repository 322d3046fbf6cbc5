"""A lost Redis slows the shop down, it takes no page away."""

import pytest
from django.core.cache import caches

from tests.conftest import PASSWORD


@pytest.fixture
def no_redis(settings):
    default = settings.CACHES["default"]
    settings.CACHES = {"default": {**default, "LOCATION": "redis://127.0.0.1:9/0"}}


def test_signing_in_and_browsing_work_while_redis_is_away(no_redis, client, ann):
    answer = client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    for page in ("/", "/catalog/", "/orders/", "/wallet/"):
        assert client.get(page).status_code == 200


def test_the_cache_is_empty_while_redis_is_away(no_redis):
    cache = caches["default"]

    assert cache.add("lock", 1)
    assert cache.get("lock", "nothing") == "nothing"


def test_add_says_whether_the_key_was_new():
    cache = caches["default"]

    assert [cache.add("lock", 1), cache.add("lock", 1)] == [True, False]
