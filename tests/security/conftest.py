"""What attacks are made on: stand-ins of payments, a number to buy, a customer's server that is told."""

from tests.api.webhooks.conftest import hook, receiver
from tests.sms.conftest import poll, project
from tests.wallet.conftest import demo_gateway, stripe_server

__all__ = ["demo_gateway", "hook", "poll", "project", "receiver", "stripe_server"]
