"""The stand-ins of payments, for attacks on them."""

from tests.wallet.conftest import demo_gateway, stripe_server

__all__ = ["demo_gateway", "stripe_server"]
