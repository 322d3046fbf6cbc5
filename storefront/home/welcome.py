"""How a customer stands, for their own home page. So many statements, whatever they have."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from catalog.browse.category_index import CategoryIndex
from catalog.browse.newness import new_since
from catalog.browse.picker import Choice, offered
from catalog.caching.version import Version
from catalog.caching.versioned_cache import cache_key, process_cached
from catalog.models import Service
from orders.models import OPEN, Kind, Order
from orders.pages.estimate import Estimate, estimate_of
from sms.models import Number

MAX_OPEN, MAX_NUMBERS, MAX_FAVORITES, MAX_LAST, MAX_NEW = 5, 4, 6, 5, 4
LOOKED_BACK = 25  # finished orders, for those of different services


@dataclass(frozen=True)
class OpenOrder:
    """An order under way, and when it will probably be done."""

    order: Order
    estimate: Estimate | None

    @property
    def name(self) -> str:
        """What was ordered, without its facts."""
        return _name_of(self.order)


@dataclass(frozen=True)
class LastOrder:
    """The last finished order of a service; `again` when that can be had again."""

    order: Order
    again: bool

    @property
    def name(self) -> str:
        """What was ordered, without its facts."""
        return _name_of(self.order)


@dataclass(frozen=True)
class Welcome:
    """What a customer's home page shows; `more_open` where there are more open orders than shown."""

    open_orders: list[OpenOrder]
    more_open: bool
    numbers: list[Number]
    favorites: list[Choice]
    last: list[LastOrder]
    new: list[Choice]

    @property
    def is_newcomer(self) -> bool:
        """Whether nothing has been ordered yet."""
        return not (self.open_orders or self.last or self.numbers)


def welcome(user: User, index: CategoryIndex, version: Version, *, now: datetime) -> Welcome:
    """Return what this customer's home page shows; four queries, and those of the price book for a group's discount."""
    own = user.orders.filter(kind=Kind.SERVICE).newest_first().select_related("service__category", "service__quality")
    under_way = list(own.filter(status__in=OPEN)[: MAX_OPEN + 1])
    favorites = Service.objects.on_sale().filter(favorites__user=user).order_by("-favorites__id")
    numbers = Number.objects.still_open().filter(order__user=user).order_by("-pk")
    beside = ("order", "project__site", "project__country")
    return Welcome(
        open_orders=[OpenOrder(order, estimate_of(order, now=now)) for order in under_way[:MAX_OPEN]],
        more_open=len(under_way) > MAX_OPEN,
        numbers=list(numbers.filter(cancel_requested_at=None).select_related(*beside)[:MAX_NUMBERS]),
        favorites=offered(favorites.select_related("category")[:MAX_FAVORITES], user, index),
        last=_last(own.exclude(status__in=OPEN)[:LOOKED_BACK]),
        new=offered(_new(index, version, now), user, index),
    )


def _name_of(order: Order) -> str:
    """The short name of its service while that is still called as it was sold."""
    service = order.service
    return service.short_name if service is not None and service.sold_title == order.title else order.shown_title


def _last(orders: Iterable[Order]) -> list[LastOrder]:
    """The newest of each service."""
    found: dict[int, LastOrder] = {}
    for order in orders:
        if order.service is not None:
            found.setdefault(order.service.pk, LastOrder(order, order.service.orderable))
    return list(found.values())[:MAX_LAST]


def _new(index: CategoryIndex, version: Version, now: datetime) -> list[Service]:
    """What has come to the shop lately, the newest first; a query once a version and day."""
    since = new_since(index.opened_at, now)
    if since is None:
        return []
    lately = Service.objects.on_sale().filter(first_seen_at__gt=since).select_related("category")
    newest = lately.order_by("-first_seen_at", "-pk")[:MAX_NEW]
    return process_cached(cache_key("new_services", now.date()), version, lambda: list(newest))
