"""What an order must be to be taken: a service that is sold now, a quantity within its limits, a link it can use."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.money import LARGEST_MICROS
from catalog.browse.number_format import write_number
from catalog.models import Delivery, OrderForm, Service
from catalog.pricing import PriceBook
from orders.placing.refusals import OrderRefused, TooMuchMoney
from upstream.money import MICROS
from upstream.reading.links import hidden_in
from upstream.reading.links import link as read_as_link
from upstream.reading.text import address, lines

LONGEST_LINK = 2000
# Of what a column holds, the rest is room: a rate that turns out to buy one piece makes the charge a thousand times
# what a thousand for it would have cost, and refunds, discounts and reports add amounts up.
LARGEST_ORDER_MICROS = LARGEST_MICROS // 1000
_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(//|[^0-9])|/[^/]", re.IGNORECASE)
_is_web_address = URLValidator(schemes=["http", "https"])


def check_order(service: Service, *, quantity: int | None, link: str, comments: str) -> tuple[int, str]:
    """Return the quantity in pieces and the cleaned comments of an order that can be taken.

    Raises OrderRefused with the field at fault. The service comes with its category.
    """
    check_orderable(service)
    kept = ""
    if service.order_form == OrderForm.COMMENTS:
        texts = lines(comments)
        quantity, kept = len(texts), "\n".join(texts)
        check_quantity(service, quantity, field="comments")
    elif quantity is None:
        raise OrderRefused(_("Enter a quantity."), "quantity")
    else:
        check_quantity(service, quantity, field="quantity")
    check_link(service, link)
    return quantity, kept


def check_orderable(service: Service) -> None:
    """Raise OrderRefused when nobody can order this service now; it comes with its category."""
    if service.withdrawn_at or not service.visible or not service.category.visible:
        raise OrderRefused(_("This service is no longer sold."))
    if service.paused_because:
        raise OrderRefused(_("This service is paused. Please try again later."))
    if service.order_form == OrderForm.UNKNOWN:
        raise OrderRefused(_("This service can't be ordered here yet."))
    if service.sold_out:
        raise OrderRefused(_("This service is sold out."))
    if service.too_uncertain:
        raise OrderRefused(_("This service can't be ordered yet: we're still checking its price."))
    if service.max_orderable < service.min_quantity:
        raise OrderRefused(_("Too few are left for the smallest order."))


def check_price_was_told(service: Service) -> None:
    """Raise OrderRefused where no list tells a price: a program has not seen what it would pay."""
    if not service.rate_confirmed:
        raise OrderRefused(_("This service can't be ordered yet: we're still checking its price."))


def check_quantity(service: Service, quantity: int, *, field: str) -> None:
    """Raise OrderRefused when the quantity is outside the service's limits or its stock."""
    maximum = service.max_orderable
    if service.min_quantity <= quantity <= maximum:
        return
    limits = {
        "minimum": write_number(service.min_quantity),
        "maximum": write_number(maximum),
    }
    if field == "comments":
        message = ngettext(
            "You entered %(count)s comment; enter between %(minimum)s and %(maximum)s, one per line.",
            "You entered %(count)s comments; enter between %(minimum)s and %(maximum)s, one per line.",
            quantity,
        )
        raise OrderRefused(message % {"count": write_number(quantity), **limits}, field)
    if quantity > maximum and service.stock is not None and maximum == service.stock:
        raise OrderRefused(
            _("Only %(maximum)s in stock: enter a quantity between %(minimum)s and %(maximum)s.") % limits, field
        )
    if quantity > maximum == service.max_unconfirmed:
        refusal = _(
            "We're still checking this service's price. For now, enter a quantity between %(minimum)s and %(maximum)s."
        )
        raise OrderRefused(refusal % limits, field)
    raise OrderRefused(_("Enter a quantity between %(minimum)s and %(maximum)s.") % limits, field)


def check_amounts(service: Service, quantity: int, book: PriceBook) -> None:
    """Raise TooMuchMoney when the price of so many, or what they cost us, is more than one order can hold."""
    cost_upstream_micros = book.cost_upstream_micros(service, quantity)
    cost_micros = -(-cost_upstream_micros * book.exchange_rate_micros // MICROS)
    if max(book.price_micros(service, quantity), cost_upstream_micros, cost_micros) > LARGEST_ORDER_MICROS:
        raise TooMuchMoney


def read_link(service: Service, typed: str) -> str:
    """Return the link or delivery address as it is kept and sent, whichever door it came through.

    `instagram.com/ann` means `https://instagram.com/ann`. Whether it is one at all, `check_link` says.
    """
    if service.delivery == Delivery.EMAIL:
        return address(typed)
    link = read_as_link(typed)
    if not link or service.delivery != Delivery.LINK or _HAS_SCHEME.match(link):
        return link
    return f"https:{link}" if link.startswith("//") else f"https://{link}"


def check_link(service: Service, link: str) -> None:
    """Raise OrderRefused when the link or delivery address is not what the service needs."""
    if len(link) > LONGEST_LINK:
        raise OrderRefused(
            _("This is too long: use up to %(maximum)s characters.") % {"maximum": write_number(LONGEST_LINK)},
            "link",
        )
    if service.delivery == Delivery.VAULT:
        return  # whatever it is, `kept_link` drops it
    if service.delivery == Delivery.EMAIL:
        try:
            validate_email(link)
        except ValidationError:
            raise OrderRefused(_("Enter the email address to deliver to, like name@example.com."), "link") from None
        return
    try:
        _is_web_address(link)
        if not urlsplit(link).hostname:
            raise ValueError(link)
    except (ValidationError, ValueError):
        raise OrderRefused(_("Enter the full link, starting with https://."), "link") from None
    if hidden := hidden_in(link):
        refusal = _("There is a character in the link that nobody sees (%(code)s): take it out, then try again.")
        raise OrderRefused(refusal % {"code": hidden}, "link")


def kept_link(service: Service, link: str) -> str:
    """Return the link as it is kept and sent: none where the goods come with the order's status."""
    return "" if service.delivery == Delivery.VAULT else link
