"""The trail: what people with power did, in a chain that shows when somebody tidies it up."""

from accounts.models import TrailEntry
from accounts.trail.record import acting_request, record
from accounts.trail.values import CHANGED, is_secret, plain

Action = TrailEntry.Action

__all__ = ["CHANGED", "Action", "acting_request", "is_secret", "plain", "record"]
