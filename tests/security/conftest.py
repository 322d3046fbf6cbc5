"""What attacks are made on: stand-ins of payments, a number to buy, a customer's server that is told; and by whom."""

import pytest

from tests.api.webhooks.conftest import hook, receiver
from tests.security.signing_in import sign_in
from tests.security.visiting import desk, sue, visit
from tests.sms.conftest import poll, project
from tests.wallet.conftest import demo_gateway, stripe_server

__all__ = ["demo_gateway", "desk", "hook", "poll", "project", "receiver", "stripe_server", "sue", "visit"]


@pytest.fixture
def thief(client, ann):
    """A browser with Ann's session, which does not know her password."""
    sign_in(client, ann)
    return client
