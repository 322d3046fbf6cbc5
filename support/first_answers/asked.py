"""What a question is about, read once for all rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils.formats import number_format

from catalog.models import Fact, Service, ServiceQuality
from catalog.titles.facts import LIFETIME_DAYS
from orders.models import UPSTREAM_OPEN, AttentionFlag, Order, OrderEvent, Status
from support.models import Ticket

FAR = timedelta(hours=1)  # what takes two minutes as a rule has not stalled after five


@dataclass(frozen=True)
class Asked:
    """A ticket with its order and the measured times of the order's service, as they are `now`."""

    ticket: Ticket
    now: datetime

    @cached_property
    def order(self) -> Order | None:
        return self.ticket.order

    @cached_property
    def service(self) -> Service | None:
        return self.order.service if self.order is not None else None

    @cached_property
    def quality(self) -> ServiceQuality | None:
        return getattr(self.service, "quality", None)

    @cached_property
    def on_its_way(self) -> bool:
        """Whether nothing but time is wanted: neither held, nor unclear, nor waiting for a human."""
        order = self.order
        if order is None or order.held_because or order.status not in (Status.PAID, Status.SENDING, *UPSTREAM_OPEN):
            return False
        return not AttentionFlag.objects.delaying().filter(order=order).exists()

    @cached_property
    def began(self) -> bool:
        """Whether work on the order was seen to begin."""
        order = self.order
        return order is not None and (
            order.status not in (Status.PAID, Status.SENDING, Status.PENDING)
            or bool(order.done)
            or order.events.filter(code=OrderEvent.Code.PROGRESS).exists()
        )

    def most_seconds(self, *, to_start: bool) -> int | None:
        """Return within how many seconds nine in ten orders of the service were done, or begun; None if unmeasured."""
        quality = self.quality
        if quality is None:
            return None
        return quality.start_seconds_most if to_start else quality.done_seconds_most

    def has_stalled(self, *, to_start: bool, unmeasured_hours: int | None) -> bool:
        """Whether the order is far beyond the time of nine in ten: twice that, or beyond it with nothing delivered."""
        order, seconds = self.order, self.most_seconds(to_start=to_start)
        if order is None:
            return False
        passed = self.now - order.created_at
        if seconds is None:
            return unmeasured_hours is not None and passed > timedelta(hours=unmeasured_hours)
        most = timedelta(seconds=seconds)
        nothing_yet = not to_start and order.status in UPSTREAM_OPEN and not order.done
        return passed > (max(most, FAR) if nothing_yet else max(2 * most, most + FAR))

    @cached_property
    def refill_days(self) -> int | None:
        """Return for how many days after its end the order is refilled; None where that is unknown or for ever."""
        facts = self.service.facts if self.service is not None else {}
        days: int | None = facts.get(Fact.REFILL)
        if days is None and facts.get(Fact.WARRANTY):
            days = max(facts[Fact.WARRANTY] // 24, 1)
        return days if days and days < LIFETIME_DAYS else None


def count(pieces: int) -> str:
    """Return a number of pieces as the reader's language writes it."""
    return str(number_format(pieces, force_grouping=True))
