"""What staff can do about an order now, and what each choice does to whose money.

The latter stands with the button it belongs to: `orders.admin.widgets.dialog` takes one of these functions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from orders.admin.widgets import UPSTREAM
from orders.models import Order


@dataclass(frozen=True)
class Choice:
    """A button of the page: what it is called, what it does, and to whose money."""

    title: str
    text: str
    money: str


def choices_of(order: Order, buttons: Iterable[dict[str, Any]]) -> list[Choice]:
    """Return the choices in the order of the buttons, as the theme shows them above the page."""
    return [
        Choice(str(button["title"]), str(asked["description"]), asked["money"](order))
        for button in buttons
        if (asked := button["dialog"])
    ]


def nobodys(_order: Order) -> str:
    """Of a choice that moves no money."""
    return _("Nobody's money moves.")


def back_to_customer(order: Order) -> str:
    """Of a refund of what was surely not bought."""
    return _("The customer gets %(amount)s back.") % {"amount": money(order.price_micros - order.refunded_micros)}


def part_to_customer(_order: Order) -> str:
    """Of a refund of a part, which the form asks for."""
    return _("The customer gets what you enter; upstream keeps what it charged, so it comes out of the margin.")


def back_with_risk(order: Order) -> str:
    """Of a refund of what may have been bought."""
    return f"{back_to_customer(order)} {at_risk(order)}"


def at_risk(order: Order) -> str:
    """Of what may be bought twice."""
    cost = money(order.cost_upstream_micros, UPSTREAM)
    return _("If upstream has the order after all, the shop loses about %(cost)s.") % {"cost": cost}


def sent_at_a_loss(order: Order) -> str:
    """Of sending what costs more than was paid."""
    return _("The customer has paid %(paid)s; the shop pays what upstream charges now.") % {
        "paid": money(order.price_micros)
    }


def shop_pays(_order: Order) -> str:
    """Of what was bought beside the order."""
    return _("The shop pays what upstream charged; the customer's money stays as it is.")
