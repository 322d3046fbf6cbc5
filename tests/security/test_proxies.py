"""One stranger must not silence everybody: whom a refusal by address meets, and how addresses are counted."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.core.internal.ratelimit import get_ip
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.addresses import counted_as
from accounts.keys.allowed_networks import is_allowed
from accounts.keys.api_keys import create_api_key
from accounts.models import User
from tests.storefront.settings_source import ROOT, modules
from tests.wallet import fake_stripe
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, balance, start
from wallet.models import GatewayEvent
from wallet.operations.callbacks import KEPT_OF_REFUSED, MAX_REFUSED, MAX_REFUSED_OF_ALL, digest_of

pytestmark = pytest.mark.django_db
FORGED = b'{"id": "evt_1", "type": "charge.dispute.created"}'


def knock(body: bytes, signature: str, *, address: str = "10.0.0.1", **headers: str) -> int:
    """Post a callback of Stripe's from an address and return the answer's status."""
    return (
        Client(REMOTE_ADDR=address)
        .post(
            reverse("wallet:callback", args=["stripe"]),
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature, **headers},
        )
        .status_code
    )


def paid_event(server: FakeStripe, ann: User) -> bytes:
    return server.event("checkout.session.completed", server.pay(start(ann, "stripe").reference))


def test_callback_when_many_were_forged_from_the_same_address_the_genuine_one_is_taken(
    ann: User,
    stripe_server: FakeStripe,
) -> None:
    body = paid_event(stripe_server, ann)
    forged = [knock(FORGED, "t=1,v1=00") for _time in range(MAX_REFUSED + 5)]

    genuine = knock(body, fake_stripe.signature(body))

    assert forged == [400] * MAX_REFUSED + [429] * 5
    assert (genuine, balance(ann)) == (200, 110 * DOLLAR)


def test_callback_when_forged_from_one_network_of_version_6_is_counted_as_one_caller(
    stripe_server: FakeStripe,
) -> None:
    answers = [knock(FORGED, "", address=f"2001:db8:0:1::{number:x}") for number in range(1, MAX_REFUSED + 3)]

    assert answers == [400] * MAX_REFUSED + [429] * 2
    assert knock(FORGED, "", address="2001:db8:0:2::1") == 400


def test_callback_when_forged_from_everywhere_the_log_does_not_grow_without_end(
    ann: User,
    stripe_server: FakeStripe,
) -> None:
    body = paid_event(stripe_server, ann)
    GatewayEvent.objects.bulk_create(
        GatewayEvent(gateway="stripe", outcome="refused", address=f"198.51.{number // 250}.{number % 250}")
        for number in range(MAX_REFUSED_OF_ALL)
    )

    assert knock(FORGED, "", address="203.0.113.9") == 429
    assert GatewayEvent.objects.count() == MAX_REFUSED_OF_ALL
    assert knock(body, fake_stripe.signature(body), address="203.0.113.9") == 200


def test_callback_when_redis_is_away_forged_ones_are_counted_all_the_same(
    settings: Any,
    stripe_server: FakeStripe,
) -> None:
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"},
    }

    assert [knock(FORGED, "") for _time in range(MAX_REFUSED + 1)][-2:] == [400, 429]


def test_callback_when_it_came_past_the_proxies_the_genuine_one_is_taken(
    ann: User,
    settings: Any,
    stripe_server: FakeStripe,
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    body = paid_event(stripe_server, ann)

    answer = knock(body, fake_stripe.signature(body), **{"X-Forwarded-For": "203.0.113.9"})

    assert (answer, balance(ann)) == (200, 110 * DOLLAR)


def test_callback_when_refused_leaves_a_digest_and_not_its_body(stripe_server: FakeStripe) -> None:
    body = b"{" + 60_000 * b"x"

    assert knock(body, "") == 400

    event = GatewayEvent.objects.get()
    assert event.body == digest_of(body)
    assert event.body.startswith("60001 bytes, SHA-256 ")
    assert len(event.body) < KEPT_OF_REFUSED + 120


def test_api_when_keys_are_guessed_from_the_same_address_a_known_key_is_answered(ann: User, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 3
    key = create_api_key(user=ann, name="k")[1]

    def ask(text: str, address: str = "10.0.0.1") -> dict[str, Any]:
        answer: dict[str, Any] = Client(REMOTE_ADDR=address).post("/api/v2", {"key": text, "action": "balance"}).json()
        return answer

    guesses = [ask("live_guessed")["error"] for _time in range(5)]

    assert guesses[2:] == ["Invalid API key"] + ["Too many requests, rate limit exceeded"] * 2
    assert [ask(key).get("currency") for _time in range(5)] == ["USD"] * 5


def test_api_when_keys_are_guessed_from_one_network_of_version_6_it_is_one_caller(settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 2
    answers = [
        Client(REMOTE_ADDR=f"2001:db8::{number}")
        .post("/api/v2", {"key": "live_x", "action": "balance"})
        .json()["error"]
        for number in range(1, 4)
    ]

    assert answers[-1] == "Too many requests, rate limit exceeded"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:0:1::1", "2001:db8:0:1::"),
        ("2001:db8:0:1:ffff::2", "2001:db8:0:1::"),
        ("2001:db8:0:2::1", "2001:db8:0:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("not an address", ""),
        (None, ""),
    ],
)
def test_counted_as_when_addresses_are_spelled_differently_names_the_caller(address: str | None, counted: str) -> None:
    assert counted_as(address) == counted


def test_sign_in_when_callers_of_version_4_come_over_version_6_does_not_count_them_as_one() -> None:
    first, second = (RequestFactory(REMOTE_ADDR=f"::ffff:203.0.113.{last}").get("/") for last in (1, 2))

    assert (get_ip(first), get_ip(second)) == ("203.0.113.1", "203.0.113.2")


def test_sign_in_counts_a_network_of_version_6_as_the_rest_of_the_shop_does() -> None:
    address = "2001:db8:0:1:ffff::2"

    assert get_ip(RequestFactory(REMOTE_ADDR=address).get("/")) == counted_as(address)


def test_key_when_bound_to_addresses_knows_every_spelling_of_them() -> None:
    assert is_allowed("::ffff:203.0.113.7", "203.0.113.0/24")
    assert is_allowed("2001:db8::1", "2001:db8::/64")
    assert not is_allowed("not an address", "203.0.113.0/24")


# Reading networks somebody typed, or looking where a name leads, is not counting callers.
MAY_TAKE_ADDRESSES_APART = {
    "accounts/addresses.py",
    "accounts/keys/allowed_networks.py",
    "api/webhooks/addresses.py",
    "storefront/configuration/deployment.py",
    "storefront/configuration/environment.py",
    "storefront/metrics/middleware.py",
}


def test_addresses_are_taken_apart_in_one_place() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in modules()
        if re.search(r"\bipaddress\.|REMOTE_ADDR|X-Forwarded-For", Path(path).read_text())
        and "migrations" not in path.parts
    }

    assert found - MAY_TAKE_ADDRESSES_APART == {"storefront/settings.py"}  # which only explains the header
