"""What the API keeps of its own: webhooks and their deliveries, and the play money of test keys."""

from api.models.hooks import Webhook, WebhookDelivery
from api.models.play import PlayOrder, PlayWallet

__all__ = ["PlayOrder", "PlayWallet", "Webhook", "WebhookDelivery"]
