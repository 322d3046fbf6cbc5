"""What a question is about: an order or number, a payment, or neither; and which reasons fit it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from orders.lifecycle.service_requests import allowed_requests
from orders.models import DELIVERED, Kind, Order, Status, load_sold
from support.models import Ticket
from support.tickets.settled import has_started
from upstream.reading.text import line
from wallet.models import TopUp

Reason = Ticket.Reason
RECENT_ORDERS, RECENT_PAYMENTS = 5, 3
LONGEST_NUMBER = 18


@dataclass(frozen=True)
class About:
    """One of the customer's own orders or payments, or neither."""

    order: Order | None = None
    top_up: TopUp | None = None

    @property
    def reasons(self) -> list[Ticket.Reason]:
        """What can be the matter with it as it stands."""
        if self.top_up is not None:
            return [Reason.PAYMENT, Reason.OTHER]
        if self.order is None:
            return [Reason.PAYMENT, Reason.OTHER]
        return [*_reasons_of(self.order), Reason.OTHER]

    @property
    def query(self) -> str:
        """What the page's address says of it."""
        if self.order is not None:
            return f"?order={self.order.pk}"
        return f"?payment={self.top_up.reference}" if self.top_up is not None else ""

    @property
    def requests(self) -> list[str]:
        """What can be asked for with one press instead, on the order's page."""
        return allowed_requests(self.order) if self.order is not None else []


def _reasons_of(order: Order) -> list[Ticket.Reason]:
    if order.kind == Kind.NUMBER:
        return [Reason.NOT_WORKING, Reason.WRONG] if not order.is_open else [Reason.SLOW, Reason.NOT_WORKING]
    if order.is_open:
        return [Reason.SLOW] if has_started(order) else [Reason.SLOW, Reason.NOT_STARTED]
    if order.status not in DELIVERED:
        return []
    found = [Reason.PARTIAL] if order.status == Status.PARTIAL else []
    return [*found, Reason.DROPPED if order.link else Reason.NOT_WORKING, Reason.WRONG]


def about_of(user: User, params: Mapping[str, str]) -> About:
    """Return what the address names of the customer's own. Raises Http404 for what they have not."""
    if "order" in params:
        order = order_of(user, params["order"])
        if order is None:
            raise Http404
        return About(order=order)
    if "payment" in params:
        top_up = user.top_ups.filter(reference=line(params["payment"])[:20]).first()
        if top_up is None:
            raise Http404
        return About(top_up=top_up)
    return About()


def order_of(user: User, typed: str) -> Order | None:
    """Return the customer's own order with this number, as people write it: #123."""
    number = line(typed).lstrip("#№ ")
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER):
        return None
    return user.orders.select_related("service__category", "goods").filter(pk=int(number)).first()


@dataclass(frozen=True)
class Recent:
    """What the customer had lately, to choose from what a question is about."""

    orders: list[Order]
    payments: list[TopUp]


def recent_of(user: User) -> Recent:
    """Return the newest orders and payments of a customer; a handful of statements, however many there are."""
    orders = list(user.orders.newest_first()[:RECENT_ORDERS])
    load_sold(orders)
    return Recent(orders, list(user.top_ups.order_by("-pk")[:RECENT_PAYMENTS]))


def said_about(about: About) -> str:
    """Return in a line what the question is about; "" where it is about neither."""
    if about.order is not None:
        return _("Order #%(number)s") % {"number": about.order.pk}
    return _("Payment %(reference)s") % {"reference": about.top_up.reference} if about.top_up is not None else ""
