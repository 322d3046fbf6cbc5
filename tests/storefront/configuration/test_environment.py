from django.conf import settings
from django.core.cache import cache
from django.db import connection


def test_settings_when_under_test_come_from_the_suite(db):
    cache.set("a", 1)

    assert cache.get("a") == 1
    assert settings.UPSTREAM_KEY == "no-upstream"
    assert "test" in connection.settings_dict["NAME"]


def test_cache_when_a_test_begins_is_empty():
    assert cache.get("a") is None
