"""Links that nothing is sold for: refused in words that tell of no list, and counted there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.deny_list.checks import Denied, Place, denied_link, record_hit
from accounts.models import User
from catalog.models import Delivery, Service
from orders.placing.refusals import OrderRefused


class LinkDenied(OrderRefused):
    """Nothing is sold for this link; `denied` are the entries that it, or one of several, has met."""

    def __init__(self, denied: Sequence[Denied]) -> None:
        self.denied = denied
        super().__init__(words_of_denial(), "link")


def words_of_denial() -> str:
    """Return what the customer is told of a denied link."""
    return _("We can't take orders for this link. If you think that's a mistake, write to us.")


def denied_for(service: Service, link: str) -> Denied | None:
    """Return the entry that an order's link meets, where the service takes one."""
    return denied_link(link) if service.delivery == Delivery.LINK else None


def refuse_denied(service: Service, link: str) -> None:
    """Raise LinkDenied."""
    denied = denied_for(service, link)
    if denied is not None:
        raise LinkDenied([denied])


@contextmanager
def counting_denials(user: User, *, now: datetime) -> Iterator[None]:
    """Count a denial that ends what is inside; around the transaction that it rolls back."""
    try:
        yield
    except OrderRefused as refusal:
        for denied in getattr(refusal, "denied", ()):
            record_hit(denied, place=Place.ORDER, user=user, now=now)
        raise
