"""How much the prices promised to one customer may cost the shop: a cap on all orders of a service, not on each.

A quote may be used again until it expires, so a cap on each order would be none: a hundred orders at a promised price
would lose a hundred times as much.
"""

from datetime import datetime

from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest

from accounts.models import User
from catalog.models import Service
from orders.models import PromisedLoss
from orders.preferences import PRICE_HELD_LOSS


def loss_left_micros(user: User, service: Service, *, now: datetime) -> int:
    """Return what the promises to this customer may still cost the shop, in store micros; one query."""
    counting = PromisedLoss.objects.filter(user=user, service=service, until__gt=now)
    lost_micros = counting.values_list("lost_micros", flat=True).first() or 0
    return max(0, _cap_micros() - lost_micros)


def take_loss(user: User, service: Service, loss_micros: int, *, until: datetime, now: datetime) -> bool:
    """Count the loss of an order at a price promised until then; False, and nothing counted, when it is too much.

    Part of the sale's transaction: an order that is not taken loses nothing. Each statement says what must still be
    true, so orders placed at the same time cannot pass the cap together. The count lasts as long as any promise in it,
    so all orders under one quote fall into one count.
    """
    room_micros = _cap_micros() - loss_micros
    if room_micros < 0:
        return False
    row = PromisedLoss.objects.filter(user=user, service=service)
    counting = row.filter(until__gt=now, lost_micros__lte=room_micros)
    later = Greatest(F("until"), Value(until, output_field=DateTimeField()))
    more = {"lost_micros": F("lost_micros") + loss_micros, "until": later}
    if counting.update(**more):
        return True
    if row.filter(until__lte=now).update(lost_micros=loss_micros, until=until):
        return True
    # The first, or too much. Who comes second to the insert finds the row of the first.
    PromisedLoss.objects.bulk_create([PromisedLoss(user=user, service=service, until=until)], ignore_conflicts=True)
    return bool(counting.update(**more))


def _cap_micros() -> int:
    return PRICE_HELD_LOSS.value
