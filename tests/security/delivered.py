"""Something worth stealing: an order with delivered goods."""

import uuid

from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.lifecycle.goods import keep_goods
from orders.models import Order, Status
from orders.placing.place import place_order

LINE = "rosa@example.com:pass"


def deliver(user: User, service: Service, lines: tuple[str, ...] = (LINE,)) -> Order:
    """Place an order, and let it be finished and have brought these lines."""
    order = place_order(
        user=user,
        service=Service.objects.select_related("category").get(pk=service.pk),
        quantity=100,
        link="https://example.com/p/1",
        request_id=str(uuid.uuid4()),
        now=timezone.now(),
    )
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, remains=0)
    keep_goods(order, list(lines), timezone.now())
    order.refresh_from_db()
    return order
