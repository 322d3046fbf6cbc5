"""Ways to pay. Which of them exist is a matter of settings; the shop knows them by name only."""

from django.conf import settings

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


def enabled_gateways() -> dict[str, Gateway]:
    """Return the gateways that the settings configure, by name, in the order in which customers are offered them."""
    found: list[Gateway] = []
    if settings.STRIPE_SECRET_KEY and settings.STRIPE_WEBHOOK_SECRET:
        found.append(StripeGateway())
    if all((settings.BTCPAY_URL, settings.BTCPAY_STORE_ID, settings.BTCPAY_API_KEY, settings.BTCPAY_WEBHOOK_SECRET)):
        found.append(BtcpayGateway())
    if settings.MANUAL_TRANSFER_DETAILS:
        found.append(ManualGateway())
    if DemoGateway.is_allowed():
        found.append(DemoGateway())
    return {gateway.name: gateway for gateway in found}


def find_gateway(name: str) -> Gateway | None:
    """Return the gateway of that name, or None when it does not exist or is not configured."""
    return enabled_gateways().get(name)
