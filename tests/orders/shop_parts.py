"""What the rules of the state machine of orders share."""

from typing import Any

from orders.models import OrderEvent
from upstream.client import Client


def booked_losses(pk: int) -> set[str]:
    """Return the upstream ids that were booked as the shop's loss on this order."""
    losses = OrderEvent.objects.filter(order=pk, code=OrderEvent.Code.LOSS)
    return {event.evidence["upstream_id"] for event in losses}


class PowerCut(BaseException):
    """The worker is gone at this line; nothing that comes after it is carried out."""


class DyingClient(Client):
    """A client whose worker dies while it buys: before the request has left, or before the answer is read."""

    def __init__(self, *args: Any, request_leaves: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request_leaves = request_leaves

    def add(self, **asked: Any) -> Any:
        if self.request_leaves:
            super().add(**asked)
        raise PowerCut

    def add_sms(self, **asked: Any) -> Any:
        if self.request_leaves:
            super().add_sms(**asked)
        raise PowerCut
