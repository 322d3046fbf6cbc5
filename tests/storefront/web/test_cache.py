"""A lost Redis slows the shop down, it takes no page away."""

import time
from urllib.parse import urlsplit

import pytest
from django.core.cache import caches

from tests.conftest import PASSWORD
from tests.storefront.stops.neighbours import Line, Silent
from tests.workers import wait_for


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


def test_the_cache_when_redis_is_silent_waits_once_for_all_its_questions(settings):
    with Silent() as redis_server:
        default = settings.CACHES["default"]
        settings.CACHES = {"default": {**default, "LOCATION": f"redis://127.0.0.1:{redis_server.port}/0"}}
        began = time.monotonic()

        for _each in range(20):
            assert caches["default"].get("key", "nothing") == "nothing"
        in_all = time.monotonic() - began

    assert 0.4 < in_all < 2  # half a second for each would be ten


def test_the_cache_when_redis_is_back_then_it_is_used_again(settings, monkeypatch):
    monkeypatch.setattr("storefront.web.cache.AGAIN_SECONDS", 0.3)
    server = urlsplit(settings.REDIS_URL)
    with Line(server.hostname, server.port) as line:
        default = settings.CACHES["default"]
        address = server._replace(netloc=f"127.0.0.1:{line.port}").geturl()
        settings.CACHES = {"default": {**default, "LOCATION": address}}
        caches["default"].set("key", "kept")
        line.cut()
        assert caches["default"].get("key", "nothing") == "nothing"
        line.restore()
        assert caches["default"].get("key", "nothing") == "nothing"  # not asked again yet

        wait_for(lambda: caches["default"].get("key") == "kept", "it is asked again")


def test_add_says_whether_the_key_was_new():
    cache = caches["default"]

    assert [cache.add("lock", 1), cache.add("lock", 1)] == [True, False]
