"""What the API keeps of its own: webhooks and their deliveries, and the play money of test keys."""

from api.models.test_mode import PlayOrder, PlayWallet
from api.models.webhooks import Webhook, WebhookDelivery

__all__ = ["PlayOrder", "PlayWallet", "Webhook", "WebhookDelivery"]
