"""What the API keeps of its own: webhooks and their deliveries, and the test money of test keys."""

from api.models.test_mode import SimulatedOrder, SimulatedWallet
from api.models.webhooks import Webhook, WebhookDelivery

__all__ = ["SimulatedOrder", "SimulatedWallet", "Webhook", "WebhookDelivery"]
