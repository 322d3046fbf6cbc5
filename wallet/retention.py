"""What gateways said and what proves nothing is forgotten after a while."""

from datetime import datetime

from accounts.batches import delete_in_batches
from preferences.keeping import GATEWAY_EVENTS_KEPT, REFUSED_CALLBACKS_KEPT
from wallet.models import GatewayEvent

Outcome = GatewayEvent.Outcome


def clean_gateway_events(*, now: datetime) -> int:
    """Delete old events that changed nothing: refused, repeated, not about us. What was applied is proof and stays.

    An old repetition that is sent once more finds what was applied, and is known as before.
    """
    nothing = GatewayEvent.objects.filter(outcome__in=[Outcome.REPEATED, Outcome.IGNORED])
    # Anybody can send what is refused: it goes sooner.
    refused = GatewayEvent.objects.filter(outcome=Outcome.REFUSED)
    return delete_in_batches(
        nothing.filter(created_at__lt=now - GATEWAY_EVENTS_KEPT.value).order_by("created_at")
    ) + delete_in_batches(refused.filter(created_at__lt=now - REFUSED_CALLBACKS_KEPT.value).order_by("created_at"))
