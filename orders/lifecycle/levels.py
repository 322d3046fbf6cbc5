"""Levels: groups that customers come to, and leave again, by what they have spent in the last thirty days.

Only who is in no group or in a level is moved; whoever was put into another group stays there. Staff is not moved.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import F, Q, QuerySet, Sum

from accounts.models import CustomerGroup, User
from accounts.preferences import LEVELS_ON
from orders.models import Order, Status

log = structlog.get_logger(__name__)
SPAN = timedelta(days=30)
KEPT = Sum(F("price_micros") - F("refunded_micros"))


@dataclass(frozen=True)
class Standing:
    """Where a customer stands: their level, if any, the next one, and what is missing to it, in micros."""

    level: CustomerGroup | None
    next_level: CustomerGroup | None
    spent_micros: int
    missing_micros: int


def levels() -> list[CustomerGroup]:
    """Return the groups that are levels, the lowest first."""
    return list(CustomerGroup.objects.filter(automatic=True).order_by("spend_from_micros", "pk"))


def move_customers(*, now: datetime) -> int:
    """Put every customer where what they spent belongs; return how many moved. A statement for each level, and one."""
    if not LEVELS_ON.value:
        return 0
    steps = levels()
    if not steps:
        return 0
    # By their numbers: where somebody is put elsewhere meanwhile, the row is looked at once more and left alone.
    movable = User.objects.filter(
        Q(group=None) | Q(group__in=[level.pk for level in steps]), is_active=True, is_staff=False, is_superuser=False
    )
    spent = _spent(now)
    moved = (
        movable.exclude(group=None)
        .exclude(pk__in=spent.filter(kept__gte=steps[0].spend_from_micros).values("user"))
        .update(group=None)
    )
    for level, above in zip(steps, [*steps[1:], None], strict=True):
        within = spent.filter(kept__gte=level.spend_from_micros)
        if above is not None:
            within = within.filter(kept__lt=above.spend_from_micros)
        here = movable.filter(pk__in=within.values("user")).filter(Q(group=None) | ~Q(group=level.pk))
        moved += here.update(group=level)
    if moved:
        log.info("customers_moved_between_levels", moved=moved)
    return moved


def standing_of(user: User, *, now: datetime) -> Standing | None:
    """Return where a customer stands, None where there are no levels for them; two statements."""
    if not LEVELS_ON.value or user.is_staff:
        return None
    steps = levels()
    own = next((level for level in steps if level.pk == user.group_id), None)
    if not steps or (own is None and user.group_id is not None):
        return None
    row = _spent(now).filter(user=user.pk).order_by("user").values_list("kept", flat=True).first()
    spent_micros = row or 0
    above = next((level for level in steps if level.spend_from_micros > spent_micros), None)
    if above is not None and own is not None and above.spend_from_micros <= own.spend_from_micros:
        above = None  # they are still where they were: the next round moves them
    missing_micros = above.spend_from_micros - spent_micros if above else 0
    return Standing(own, above, spent_micros, missing_micros)


def _spent(now: datetime) -> QuerySet[Any, Any]:
    """Return the customers who bought in the span, each with what they `kept`."""
    counted: QuerySet[Any, Any] = Order.objects.filter(created_at__gt=now - SPAN, created_at__lte=now).order_by()
    bought: QuerySet[Any, Any] = counted.exclude(status__in=(Status.FAILED, Status.CANCELED))
    spent: QuerySet[Any, Any] = bought.values("user").annotate(kept=KEPT)
    return spent
