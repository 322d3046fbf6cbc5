"""How long a service usually takes, learned from its orders that finished; it sets how often open ones are asked."""

from collections import defaultdict
from collections.abc import Iterable

from orders.models import Order, ServicePace

REMEMBERED_ORDERS = 20  # an estimate follows a service that becomes slower or faster within about so many orders
OUTLIER = 4  # one order that hung for weeks counts as this many times the usual, not more
LONGEST_SECONDS = 2**31 - 1


def learn_pace(orders: Iterable[Order]) -> None:
    """Let orders that have just finished improve what is known of their services; two statements for all.

    Two workers at the same moment may overwrite each other: it is an estimate.
    """
    took: dict[int, list[float]] = defaultdict(list)
    for order in orders:
        if order.service_id is not None and order.sent_at is not None and order.finished_at is not None:
            took[order.service_id].append(max((order.finished_at - order.sent_at).total_seconds(), 0.0))
    if not took:
        return
    known = {pace.service_id: pace for pace in ServicePace.objects.filter(service__in=took)}
    paces = []
    for service_id, seconds in sorted(took.items()):  # in one order everywhere: no deadlock
        before = known.get(service_id)
        pace = ServicePace(service_id=service_id)
        pace.finished, pace.usual_seconds = (before.finished, before.usual_seconds) if before else (0, 0)
        for each in seconds:
            _learn(pace, each)
        paces.append(pace)
    ServicePace.objects.bulk_create(
        paces, update_conflicts=True, unique_fields=["service"], update_fields=["finished", "usual_seconds"]
    )


def _learn(pace: ServicePace, seconds: float) -> None:
    if pace.finished:
        seconds = min(seconds, OUTLIER * max(pace.usual_seconds, 60))
    weight = 1 / min(pace.finished + 1, REMEMBERED_ORDERS)
    pace.usual_seconds = min(round(pace.usual_seconds + (seconds - pace.usual_seconds) * weight), LONGEST_SECONDS)
    pace.finished += 1
