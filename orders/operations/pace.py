"""How long a service usually takes, learned from its orders that finished; it sets how often open ones are asked."""

from collections import defaultdict
from collections.abc import Iterable

from orders.models import Order, ServicePace

REMEMBERED_ORDERS = 20  # an estimate follows a service that becomes slower or faster within about so many orders
OUTLIER = 4  # one order that hung for weeks counts as this many times the usual, not more
LONGEST_SECONDS = 2**31 - 1


def learn_pace(orders: Iterable[Order]) -> None:
    """Let orders that have just finished improve what is known of their services; one statement for all.

    Needs `service__pace` beside each order. Two workers may overwrite each other: it is an estimate.
    """
    took: dict[int, list[float]] = defaultdict(list)
    paces: dict[int, ServicePace] = {}
    for order in orders:
        if order.service is None or order.sent_at is None or order.finished_at is None:
            continue
        took[order.service.pk].append(max((order.finished_at - order.sent_at).total_seconds(), 0.0))
        if order.service.pk not in paces:
            known = getattr(order.service, "pace", None)
            paces[order.service.pk] = ServicePace(
                service=order.service,
                finished=known.finished if known else 0,
                usual_seconds=known.usual_seconds if known else 0,
            )
    for service_id, seconds in took.items():
        for each in seconds:
            _learn(paces[service_id], each)
    if paces:
        ServicePace.objects.bulk_create(
            [pace for _service_id, pace in sorted(paces.items())],  # in one order everywhere: no deadlock
            update_conflicts=True,
            unique_fields=["service"],
            update_fields=["finished", "usual_seconds"],
        )


def _learn(pace: ServicePace, seconds: float) -> None:
    if pace.finished:
        seconds = min(seconds, OUTLIER * max(pace.usual_seconds, 60))
    weight = 1 / min(pace.finished + 1, REMEMBERED_ORDERS)
    pace.usual_seconds = min(round(pace.usual_seconds + (seconds - pace.usual_seconds) * weight), LONGEST_SECONDS)
    pace.finished += 1
