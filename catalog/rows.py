"""One line of a list of services, in words: everything that is to be said is worked out here, not in the template."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.templatetags.money import money
from catalog.directory import Directory
from catalog.models import OrderForm, Service
from catalog.numbers import write_number
from catalog.pricing import PriceBook, price_book


@dataclass(frozen=True)
class Badge:
    """A word about whether a service can be had, or what can be asked for later."""

    label: str
    tone: str = ""
    icon: str = ""


@dataclass(frozen=True)
class ServiceRow:
    """A service as a list shows it."""

    pk: int
    url: str
    title: str
    category: str
    subcategory: str
    quantities: str
    stock: str
    price: str
    unit: str
    orderable: bool
    badges: list[Badge] = field(default_factory=list)


class Pricing:
    """What lists show as prices: the stored rates to visitors, the price book's to customers of a group.

    A rate that has not been stored yet comes from the price book too. The book is opened at the first need.
    """

    def __init__(self, user: User | None) -> None:
        self._user = user
        self._in_a_group = user is not None and user.group_id is not None
        self._book: PriceBook | None = None

    def rate_micros(self, service: Service) -> int:
        """Return the rate this reader pays, in micros for `service.rate_per` pieces."""
        if service.selling_rate_micros and not self._in_a_group:
            return service.selling_rate_micros
        if self._book is None:
            self._book = price_book(self._user)
        return self._book.rate_micros(service)


def rows_of(services: Iterable[Service], pricing: Pricing, directory: Directory) -> list[ServiceRow]:
    """Return the lines for these services, which come with category and subcategory, in the reader's language."""
    return [_row(service, pricing.rate_micros(service), directory) for service in services]


def badges_of(service: Service) -> list[Badge]:
    """Return whether a service can be had, and what can be asked for later."""
    badges = []
    if service.sold_out:
        badges.append(Badge(_("Sold out"), "bad"))
    elif service.paused_because:
        badges.append(Badge(_("Paused"), "warn"))
    elif service.order_form == OrderForm.UNKNOWN:
        badges.append(Badge(_("Not orderable yet"), "warn"))
    elif service.too_uncertain:
        badges.append(Badge(_("Price being checked"), "warn"))
    elif service.most_orderable < service.min_quantity:
        badges.append(Badge(_("Too few left"), "bad"))
    if service.refill:
        badges.append(Badge(_("Refill"), "good", "refill"))
    if service.cancel:
        badges.append(Badge(_("Can be canceled"), "", "back"))
    return badges


def _row(service: Service, rate_micros: int, directory: Directory) -> ServiceRow:
    category = directory.category(service.category_id)
    return ServiceRow(
        pk=service.pk,
        url=reverse("orders:place", args=[service.pk]),
        title=service.title,
        category=category.title if category else service.category.title,
        subcategory=service.subcategory.name if service.subcategory else "",
        quantities=_quantities(service.min_quantity, service.max_quantity),
        stock=_("%(stock)s in stock") % {"stock": write_number(service.stock)} if service.stock else "",
        price=money(rate_micros),
        unit=_("each") if service.rate_per == 1 else _("per %(pieces)s") % {"pieces": write_number(service.rate_per)},
        orderable=service.orderable,
        badges=badges_of(service),
    )


def _quantities(least: int, most: int) -> str:
    if least == most:
        return ngettext("%(shown)s piece", "%(shown)s pieces", least) % {"shown": write_number(least)}
    return f"{write_number(least)}–{write_number(most)}"
