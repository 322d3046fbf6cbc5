"""An order is ready to be sent: a worker should look now instead of with the next sweep."""

from notifications.wake_worker import wake_worker


def wake_forwarder(order_id: int) -> None:
    """Have a worker forward this order as soon as the transaction has committed."""
    wake_worker("orders.tasks.forward_new_orders", row_id=order_id)
