"""Many orders with one press: every line is checked before any is paid, and all are paid or none is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.deny_list.checks import Denied
from accounts.models import User
from catalog.browse.number_format import write_number
from catalog.models import Delivery, OrderForm, Service
from catalog.operations.stock import refresh_stock
from catalog.pricing import PriceBook, price_book
from orders.models import Checkout, Order
from orders.placing.check import check_amounts, check_order, read_link
from orders.placing.denied_links import counting_denials, denied_for, words_of_denial
from orders.placing.place import check_out, draft_order, take_payment
from orders.placing.refusals import OrderRefused, PriceChanged, check_door
from orders.preferences import MASS_ORDER_LINES
from preferences.doors import ORDERS
from wallet.operations import InsufficientFunds, wallet_of


@dataclass(frozen=True)
class MassLine:
    """One line as it was asked for; `shown_rate_micros` is the rate per thousand the customer saw, if any."""

    service_id: int
    link: str
    quantity: int
    quoted_rate_micros: int | None = None


@dataclass(frozen=True)
class CheckedLine:
    """One line after a look at the shop: what it would buy and for how much, or in words why it cannot."""

    line: MassLine
    service: Service | None = None
    link: str = ""
    rate_micros: int = 0
    price_micros: int = 0
    problem: str = ""


class LinesRefused(OrderRefused):
    """Some lines cannot be ordered: `problems` has the words for each by its place in the list, counted from 0.

    `denied` are the entries of the deny list that links among them have met.
    """

    def __init__(self, problems: dict[int, str], denied: Sequence[Denied] = ()) -> None:
        self.problems, self.denied = problems, denied
        text = ngettext(
            "%(count)d line can't be ordered as it is.",
            "%(count)d lines can't be ordered as they are.",
            len(problems),
        )
        super().__init__(text % {"count": len(problems)})


class PricesChanged(OrderRefused):
    """Prices are higher than the customer saw; `places` are the lines, counted from 0."""

    def __init__(self, places: list[int]) -> None:
        self.places = places
        super().__init__(_("Prices have changed. Check the new total, then press the button again to accept it."))


def place_orders(*, user: User, lines: Sequence[MassLine], request_id: str, now: datetime) -> list[Order]:
    """Take an order for every line and the money for all of them, in one transaction; return the orders, `paid`.

    The same `request_id` with the same lines returns the orders it made the first time. No line costs more than its
    customer saw; one that has become cheaper costs less. Call it outside any transaction: upstream is asked what is
    left of limited services.

    Raises LinesRefused, PricesChanged, Closed, OrderRefused for no line or more than MASS_ORDER_LINES, RequestIdReused,
    wallet.operations.InsufficientFunds with what is missing for all lines together; nothing has changed then.
    """
    maximum = MASS_ORDER_LINES.value
    if not 1 <= len(lines) <= maximum:
        raise OrderRefused(
            _("You can order between 1 and %(maximum)s lines at once.") % {"maximum": write_number(maximum)}
        )
    _refresh_stock_of(lines)
    asked = {"lines": [[line.service_id, line.link, line.quantity] for line in lines]}

    def buy(checkout: Checkout) -> list[Order]:
        check_door(ORDERS)
        orders = _drafts(checkout, lines, price_book(user, now=now), now)
        missing_micros = sum(order.price_micros for order in orders) - wallet_of(user).balance_micros
        if missing_micros > 0:
            raise InsufficientFunds(missing_micros)
        return [take_payment(order, now=now) for order in orders]

    with counting_denials(user, now=now):
        return check_out(user=user, request_id=request_id, asked=asked, buy=buy)


def _refresh_stock_of(lines: Sequence[MassLine]) -> None:
    limited = Service.objects.filter(pk__in={line.service_id for line in lines}, withdrawn_at=None, stock__isnull=False)
    refresh_stock(*limited.only("upstream_id", "stock", "min_quantity", "withdrawn_at"))


def _drafts(checkout: Checkout, lines: Sequence[MassLine], book: PriceBook, now: datetime) -> list[Order]:
    checked_lines = check_lines(lines, book=book)
    problems = {place: checked.problem for place, checked in enumerate(checked_lines) if checked.problem}
    denied = _denied_among(checked_lines)
    if problems or denied:
        raise LinesRefused(problems | dict.fromkeys(denied, words_of_denial()), list(denied.values()))
    orders, changed = [], []
    for place, checked in enumerate(checked_lines):
        assert checked.service is not None  # noqa: S101 - a line without a problem has its service
        try:
            order = draft_order(
                checkout,
                checked.service,
                book=book,
                quantity=checked.line.quantity,
                link=checked.link,
                quoted_rate_micros=checked.line.quoted_rate_micros,
                now=now,
            )
        except PriceChanged:
            changed.append(place)
        else:
            orders.append(order)
    if changed:
        raise PricesChanged(changed)
    return orders


def _denied_among(checked_lines: Sequence[CheckedLine]) -> dict[int, Denied]:
    """Return the entries that links of lines without another problem meet, by the lines' places."""
    found = {}
    for place, checked in enumerate(checked_lines):
        if checked.service is not None and not checked.problem:
            denied = denied_for(checked.service, checked.link)
            if denied is not None:
                found[place] = denied
    return found


def check_lines(lines: Sequence[MassLine], *, book: PriceBook) -> list[CheckedLine]:
    """Return every line with its service and price, or with its problem; one query, nothing is changed."""
    numbers = {line.service_id for line in lines}
    services = Service.objects.select_related("category").in_bulk(numbers)
    taken: Counter[int] = Counter()
    checked_lines = []
    for line in lines:
        service = services.get(line.service_id)
        if service is None:
            checked_lines.append(CheckedLine(line, problem=_("There is no service with this number.")))
            continue
        link = read_link(service, line.link)
        try:
            _check_line(service, link, line.quantity, taken=taken[service.pk])
            check_amounts(service, line.quantity, book)
        except OrderRefused as refusal:
            checked_lines.append(CheckedLine(line, service, link, problem=str(refusal)))
            continue
        taken[service.pk] += line.quantity
        rate_micros, price_micros = book.rate_micros(service), book.price_micros(service, line.quantity)
        checked_lines.append(CheckedLine(line, service, link, rate_micros, price_micros))
    return checked_lines


def _check_line(service: Service, link: str, quantity: int, *, taken: int) -> None:
    if service.order_form == OrderForm.COMMENTS:
        raise OrderRefused(_("This service needs your own comments: order it on its page."))
    if not link and service.delivery != Delivery.VAULT:
        raise OrderRefused(_("The link is missing."), "link")
    check_order(service, quantity=quantity, link=link, comments="")
    if service.stock is not None and taken + quantity > service.stock:
        left = {"stock": write_number(service.stock)}
        raise OrderRefused(_("Only %(stock)s in stock for all lines with this service together.") % left, "quantity")
