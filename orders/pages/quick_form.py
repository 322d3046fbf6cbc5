"""The form of a quick order: that of a service's page, with a field that takes a whole list of links."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.typed_forms import AsTypedField
from catalog.models import Delivery, OrderForm, Service
from orders.models import Kind
from orders.pages.forms import PlaceOrderForm
from orders.placing.check import check_link, read_link
from orders.placing.refusals import OrderRefused
from orders.preferences import MOST_LINES
from upstream.reading.text import line, lines

LOOKED_BACK = 50  # orders, for what was ordered last
MAX_SERVICES, MAX_LINKS = 5, 3
LONGEST = MOST_LINES * 2100  # the longest link is 2,000 characters


class QuickOrderForm(PlaceOrderForm):
    """One order; or links for many, which the mass order takes on from here."""

    def _fill_in_link(self) -> None:
        super()._fill_in_link()
        if not takes_many(self.service):
            return
        one = self.fields["link"]
        attrs = {"rows": 1, "class": "grows", "data-many": "", "spellcheck": "false", "autocapitalize": "off"}
        if self.service.delivery == Delivery.LINK:
            attrs |= {"placeholder": "https://", "inputmode": "url"}
        self.fields["link"] = AsTypedField(
            label=one.label,
            help_text=one.help_text,
            initial=one.initial,
            max_length=LONGEST,
            error_messages={"required": one.error_messages["required"]},
            widget=forms.Textarea(attrs=attrs),
        )

    @property
    def several(self) -> int:
        """How many links were entered, where they are more than one."""
        count = len(lines(str(self["link"].value() or ""))) if self.takes_many else 0
        return count if count > 1 else 0

    @property
    def takes_many(self) -> bool:
        """Whether a list of links becomes a mass order."""
        return "link" in self.fields and takes_many(self.service)

    def clean_link(self) -> str:
        if self.several:
            raise ValidationError(_("Enter one link here, or check all of them together as a mass order."))
        return super().clean_link()


def takes_many(service: Service) -> bool:
    """Whether a service can be ordered for many links at once: those with comments of their own cannot."""
    return service.order_form != OrderForm.COMMENTS


def mass_text(service: str, links: str, quantity: str) -> str:
    """Return the lines of a mass order that buys the same of one service for each of these links; all as typed."""
    return "\n".join(f"{line(service)} | {link} | {line(quantity)}" for link in lines(links))


class LastOrders:
    """What a customer ordered last, for the next order: services, and links by the service they were for. One query."""

    def __init__(self, user: User | None) -> None:
        own = user.orders.filter(kind=Kind.SERVICE).newest_first() if user else None
        rows = own.values_list("service_id", "link")[:LOOKED_BACK] if own is not None else ()
        self._rows: list[tuple[Any, str]] = list(rows)

    @property
    def service_ids(self) -> list[int]:
        """The services, the last one first."""
        return list(dict.fromkeys(pk for pk, _link in self._rows if pk is not None))[:MAX_SERVICES]

    def links_for(self, service: Service) -> list[str]:
        """Return the last links that this service could be ordered for, those it was ordered for before others."""
        own = [link for pk, link in self._rows if pk == service.pk]
        others = [link for pk, link in self._rows if pk != service.pk]
        found: list[str] = []
        for link in dict.fromkeys([*own, *others]):
            if len(found) < MAX_LINKS and link and _fits(service, link):
                found.append(link)
        return found


def _fits(service: Service, link: str) -> bool:
    if service.delivery == Delivery.VAULT:
        return False
    try:
        check_link(service, read_link(service, link))
    except OrderRefused:
        return False
    return True
