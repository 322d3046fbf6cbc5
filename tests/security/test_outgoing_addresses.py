"""Where the shop sends something because a customer says so, and whom it believes that something was sent just now."""

import time
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from api.models import WebhookDelivery
from api.webhooks import operations
from api.webhooks.addresses import NotAllowed, check_addresses, target_of
from api.webhooks.posting import post
from tests.wallet import fake_stripe
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import balance, knock, start
from wallet.gateways import State
from wallet.gateways.demo import demo_event, demo_headers
from wallet.models import GatewayEvent

METADATA = [
    *("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
    *("fe80::a9fe:a9fe", "fd20:ce::254"),
    # The same by other spellings and ways.
    *(
        "::ffff:169.254.169.254",
        "::ffff:100.100.100.200",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
    ),
]
EVERYTHING = [ip_network("0.0.0.0/0"), ip_network("::/0")]


@pytest.fixture
def _all_networks(settings: Any) -> None:
    """An owner who has allowed private networks with a broad brush."""
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = EVERYTHING


@pytest.mark.usefixtures("_all_networks")
@pytest.mark.parametrize("address", METADATA)
def test_metadata_of_clouds_is_refused_whatever_the_settings_allow(address: str) -> None:
    with pytest.raises(NotAllowed):
        check_addresses([address])
    with pytest.raises(NotAllowed):
        target_of(f"http://[{address}]/" if ":" in address else f"http://{address}/latest/meta-data/")
    check_addresses(["10.0.0.7", "93.184.216.34"])  # what the owner did allow


@pytest.mark.usefixtures("_all_networks")
@pytest.mark.parametrize("address", METADATA)
def test_metadata_when_a_name_leads_there_is_not_asked(address: str) -> None:
    answer = post("http://hooks.example.com/", b"{}", {}, resolver=lambda _host, _port: ["10.0.0.7", address])

    assert (answer.status, answer.error) == (None, "The address is not on the public internet.")


@pytest.mark.usefixtures("_all_networks")
@pytest.mark.parametrize(
    "name", ["metadata.google.internal", "METADATA.google.internal.", "instance-data.ec2.internal"]
)
def test_metadata_by_its_name_cannot_even_be_saved(name: str) -> None:
    with pytest.raises(NotAllowed):
        target_of(f"http://{name}/")


# --- Test messages ----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_test_messages_are_limited_for_a_customer_over_all_webhooks(ann: User, ben: User) -> None:
    mine = [operations.add_webhook(user=ann, url=f"https://{name}.example.com/")[0] for name in "ab"]
    his = operations.add_webhook(user=ben, url="https://c.example.com/")[0]
    client = Client()
    client.force_login(ann)

    for number in range(operations.MAX_TESTS + 4):
        client.post(reverse("api:webhook_test", args=[mine[number % 2].pk]))
    page = client.get(reverse("api:webhook", args=[mine[0].pk])).content.decode()

    assert WebhookDelivery.objects.filter(webhook__user=ann).count() == operations.MAX_TESTS
    assert "You have sent many test messages within an hour" in page
    operations.send_test(his)
    operations.send_test(mine[0], now=timezone.now() + timedelta(hours=1, minutes=1))


# --- Callbacks from the future ----------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(("ahead", "status"), [(3600, 400), (400, 400), (200, 200), (-400, 400)])
def test_stripe_when_signed_in_the_future_is_refused(
    ann: User,
    stripe_server: FakeStripe,
    ahead: int,
    status: int,
) -> None:
    body = stripe_server.event("checkout.session.completed", stripe_server.pay(start(ann, "stripe").reference))
    signature = fake_stripe.signature(body, signed_at=int(time.time()) + ahead)

    assert knock("stripe", body, {"Stripe-Signature": signature}) == status
    if ahead > 300:
        assert GatewayEvent.objects.get().reason == "early: signed in the future"
        assert balance(ann) == 100_000_000


@pytest.mark.django_db
@pytest.mark.usefixtures("demo_gateway")
def test_demo_bank_when_signed_in_the_future_is_refused(ann: User) -> None:
    body = demo_event(start(ann, "demo"), State.PAID)

    assert knock("demo", body, demo_headers(body, signed_at=int(time.time()) + 3600)) == 400
