"""When an open order will probably be done, as orders of its service usually are."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from catalog.browse.durations import write_duration
from catalog.models import ServiceQuality, in_steps
from orders.models import UPSTREAM_OPEN, Order, Status


@dataclass(frozen=True)
class Estimate:
    """What its customer reads; `late` when it takes longer than nine in ten others did."""

    words: str
    late: bool = False


def estimate_of(order: Order, *, now: datetime) -> Estimate | None:
    """Return what can be said of an order under way; it comes with its service and that one's quality.

    None where its service is not measured, and where an order is held or looked into: that has words of its own.
    """
    quality: ServiceQuality | None = getattr(order.service, "quality", None)
    on_its_way = order.status in (Status.PAID, Status.SENDING, *UPSTREAM_OPEN) and not order.held_because
    if not on_its_way or quality is None or quality.done_seconds is None or quality.done_seconds_most is None:
        return None
    passed = (now - order.created_at).total_seconds()
    most = write_duration(quality.done_seconds_most)
    if passed < quality.done_seconds:
        left = write_duration(in_steps(quality.done_seconds - passed))
        return Estimate(_("About %(time)s left.") % {"time": left})
    if passed <= quality.done_seconds_most:
        return Estimate(_("Most orders of this service are done within %(time)s.") % {"time": most})
    words = _("This is taking longer than usual: most are done within %(time)s. We're watching it.")
    return Estimate(words % {"time": most}, late=True)
