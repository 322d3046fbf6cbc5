"""Ways to pay. Which of them exist is a matter of settings; the shop knows them by name only."""

from wallet.gateways.base import (
    Gateway,
    InvalidCallback,
    PaymentUpdate,
    Price,
    Started,
    State,
    Terms,
    Unreachable,
    understood,
)
from wallet.gateways.btcpay import BtcpayGateway
from wallet.gateways.demo import DemoGateway
from wallet.gateways.manual import ManualGateway
from wallet.gateways.stripe import StripeGateway

__all__ = [
    "EVERY_NAME",
    "WAYS",
    "Gateway",
    "InvalidCallback",
    "PaymentUpdate",
    "Price",
    "Started",
    "State",
    "Terms",
    "Unreachable",
    "enabled_gateways",
    "find_gateway",
    "understood",
]
# In the order in which customers are offered them.
WAYS: tuple[type[Gateway], ...] = (StripeGateway, BtcpayGateway, ManualGateway)
# Every name that a payment may have, whether its gateway is configured today or not.
EVERY_NAME: tuple[str, ...] = (*(way.name for way in WAYS), DemoGateway.name)


def enabled_gateways() -> dict[str, Gateway]:
    """Return the gateways that the settings configure, by name, in the order in which customers are offered them."""
    found: list[Gateway] = [kind() for kind in WAYS if not kind.missing()]
    if DemoGateway.is_allowed():
        found.append(DemoGateway())
    return {gateway.name: gateway for gateway in found}


def find_gateway(name: str) -> Gateway | None:
    """Return the gateway of that name, or None when it does not exist or is not configured."""
    return enabled_gateways().get(name)
