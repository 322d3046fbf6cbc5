"""A developer's settings beside real customers, money or suppliers: the shop does not start, and says why."""

import json
import os
import subprocess
import sys

import pytest

from storefront.configuration.deployment import is_public, is_this_machine
from tests.storefront.configuration.test_settings import GOOD, READ_ALL
from tests.storefront.settings_source import ROOT

# How a production that is in order begins; each case changes what its name says.
PUBLIC = {
    **GOOD,
    "SITE_URL": "https://shop.example.com",
    "ALLOWED_HOSTS": "shop.example.com",
    "BEHIND_PROXY": "true",
    "TRUSTED_PROXY_COUNT": "1",
    "UPSTREAM_URL": "https://supplier.example.com/api/v2",
    "UPSTREAM_KEY": "a-key",
    "STRIPE_SECRET_KEY": "sk_live_x",
    "BTCPAY_URL": "https://btcpay.example.com",
}
LOCAL = {**GOOD, "DEBUG": "true", "SECRET_KEY": "developer"}
DEMO = {
    **GOOD,
    "DEMO": "true",
    "SITE_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
    "UPSTREAM_URL": "http://127.0.0.1:8765/api/v2",
}

REFUSED = [
    ("a proxy that is not counted", {**PUBLIC, "TRUSTED_PROXY_COUNT": ""}, "TRUSTED_PROXY_COUNT is not set"),
    ("a proxy that is none", {**PUBLIC, "TRUSTED_PROXY_COUNT": "0"}, "TRUSTED_PROXY_COUNT is not set"),
    ("debug in public", {**LOCAL, "SITE_URL": "https://shop.example.com"}, "DEBUG is on, but SITE_URL"),
    ("debug at a public address", {**LOCAL, "SITE_URL": "http://93.184.216.34:8000"}, "DEBUG is on, but SITE_URL"),
    ("debug for public names", {**LOCAL, "ALLOWED_HOSTS": "localhost,.example.com"}, "DEBUG is on, but ALLOWED_HOSTS"),
    ("debug for every name", {**LOCAL, "ALLOWED_HOSTS": "*"}, "DEBUG is on, but ALLOWED_HOSTS"),
    (
        "debug, real supplier",
        {**LOCAL, "UPSTREAM_URL": "https://supplier.example.com/"},
        "DEBUG is on, but UPSTREAM_URL",
    ),
    ("debug, supplier inside", {**LOCAL, "UPSTREAM_URL": "https://10.0.0.7/api/v2"}, "DEBUG is on, but UPSTREAM_URL"),
    ("debug, live cards", {**LOCAL, "STRIPE_SECRET_KEY": "sk_live_x"}, "DEBUG is on, but STRIPE_SECRET_KEY"),
    ("debug, live restricted key", {**LOCAL, "STRIPE_SECRET_KEY": "rk_live_x"}, "DEBUG is on, but STRIPE_SECRET_KEY"),
    ("debug, real coins", {**LOCAL, "BTCPAY_URL": "https://btcpay.example.com"}, "DEBUG is on, but BTCPAY_URL"),
    ("demo in public", {**PUBLIC, "DEMO": "true"}, "DEMO is on, but SITE_URL"),
    ("demo in a network", {**DEMO, "SITE_URL": "http://192.168.1.5:8000"}, "DEMO is on, but SITE_URL"),
    ("demo for a network", {**DEMO, "ALLOWED_HOSTS": "127.0.0.1,shop.test"}, "DEMO is on, but ALLOWED_HOSTS"),
    ("demo, real supplier", {**DEMO, "UPSTREAM_URL": "https://supplier.example.com/"}, "DEMO is on, but UPSTREAM_URL"),
    ("demo, live cards", {**DEMO, "STRIPE_SECRET_KEY": "sk_live_x"}, "DEMO is on, but STRIPE_SECRET_KEY"),
    ("payments of the demo in public", {**PUBLIC, "DEMO_PAYMENTS": "true"}, "DEMO_PAYMENTS is on, but DEMO is not"),
    ("payments of the demo, alone", {**DEMO, "DEMO": "", "DEMO_PAYMENTS": "true"}, "DEMO_PAYMENTS is on, but DEMO is"),
    ("payments, demo in public", {**PUBLIC, "DEMO": "true", "DEMO_PAYMENTS": "true"}, "DEMO is on, but SITE_URL"),
    ("developer's demo in a network", {**LOCAL, "DEMO": "on", "ALLOWED_HOSTS": "10.0.0.7"}, "DEMO is on, but ALLOWED"),
    ("short key", {**PUBLIC, "SECRET_KEY": "kGm2Zt9xQ4vB7nLs1Hc8Rw5YpD3fJ6a"}, "SECRET_KEY is shorter"),
    (
        "Django's key",
        {**PUBLIC, "SECRET_KEY": "django-insecure-" + GOOD["SECRET_KEY"]},
        "SECRET_KEY is one from an example",
    ),
    ("key of few characters", {**PUBLIC, "SECRET_KEY": 20 * "ab" + "cdefg"}, "SECRET_KEY has fewer than 8 different"),
    ("repeated key", {**PUBLIC, "SECRET_KEY": 4 * "password123"}, "SECRET_KEY is a short text repeated"),
    ("open supplier", {**PUBLIC, "UPSTREAM_URL": "http://supplier.example.com/"}, "UPSTREAM_URL is http://"),
    ("open supplier inside", {**PUBLIC, "UPSTREAM_URL": "http://10.0.0.7/api/v2"}, "UPSTREAM_URL is http://"),
    ("supplier by half a name", {**PUBLIC, "UPSTREAM_URL": "http://localhost.example.com/"}, "UPSTREAM_URL is http://"),
    ("supplier behind a name", {**PUBLIC, "UPSTREAM_URL": "http://localhost@example.com/"}, "UPSTREAM_URL is http://"),
    ("open payments", {**PUBLIC, "BTCPAY_URL": "http://btcpay.example.com"}, "BTCPAY_URL is http://"),
]
STARTED = [
    ("production", PUBLIC),
    ("two proxies", {**PUBLIC, "TRUSTED_PROXY_COUNT": "2"}),
    ("supplier on this machine", {**PUBLIC, "UPSTREAM_URL": "http://127.0.0.1:8765/api/v2"}),
    ("payments in the same network", {**PUBLIC, "BTCPAY_URL": "http://btcpayserver:49392"}),
    ("developer", LOCAL),
    ("demo", DEMO),
    ("demo with payments", {**DEMO, "DEMO_PAYMENTS": "true"}),
    (
        "developer in a network",
        {**LOCAL, "SITE_URL": "http://192.168.1.5:8000", "ALLOWED_HOSTS": "192.168.1.5,shop.test"},
    ),
    ("developer with test keys", {**LOCAL, "STRIPE_SECRET_KEY": "sk_test_x", "BTCPAY_URL": "http://localhost:49392"}),
]


@pytest.fixture(scope="module")
def ends() -> list[str]:
    """How each start ends, "" for well: one process reads the settings anew for each."""
    cases = json.dumps([variables for _name, variables, *_words in (*REFUSED, *STARTED)])
    loaded = subprocess.run(
        [sys.executable, "-c", READ_ALL],
        cwd=ROOT,
        env={**GOOD, "PATH": os.environ["PATH"]},
        input=cases,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(loaded.stdout)
    return found


@pytest.mark.xdist_group("settings")
@pytest.mark.parametrize("case", range(len(REFUSED)), ids=[name for name, *_rest in REFUSED])
def test_start_when_the_settings_are_unsafe_is_refused_in_words(ends: list[str], case: int) -> None:
    _name, variables, words = REFUSED[case]

    assert ends[case].startswith("django.core.exceptions.ImproperlyConfigured: ")
    assert words in ends[case]
    assert variables["SECRET_KEY"] not in ends[case]


@pytest.mark.xdist_group("settings")
@pytest.mark.parametrize("case", range(len(STARTED)), ids=[name for name, _rest in STARTED])
def test_start_when_the_settings_are_safe_is_none_of_our_business(ends: list[str], case: int) -> None:
    assert ends[len(REFUSED) + case] == ""


@pytest.mark.parametrize("host", ["localhost", "shop.localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_host_when_it_is_this_machine_is_known(host: str) -> None:
    assert is_this_machine(host)
    assert not is_public(host)


@pytest.mark.parametrize("host", ["127.0.0.1.example.com", "localhost.example.com", "93.184.216.34", "2606:4700::1"])
def test_host_when_it_only_looks_like_this_machine_is_public(host: str) -> None:
    assert not is_this_machine(host)
    assert is_public(host)
