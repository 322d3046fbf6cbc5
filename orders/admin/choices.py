"""What staff can do about an order now, and what each choice does to whose money."""

from collections.abc import Callable, Iterable
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


def choices_of(order: Order, buttons: Iterable[Any]) -> list[Choice]:
    """Return the choices in the order of the buttons that the theme shows above the page."""
    return [
        Choice(
            str(button.description),
            str((button.dialog or {}).get("description", "")),
            _EFFECTS.get(button.method.original_function_name, _nobodys)(order),
        )
        for button in buttons
    ]


def _nobodys(_order: Order) -> str:
    return _("Nobody's money moves.")


def _back_to_customer(order: Order) -> str:
    return _("The customer gets %(amount)s back.") % {"amount": money(order.price_micros - order.refunded_micros)}


def _back_with_risk(order: Order) -> str:
    return f"{_back_to_customer(order)} {_at_risk(order)}"


def _at_risk(order: Order) -> str:
    cost = money(order.cost_upstream_micros, UPSTREAM)
    return _("If upstream has the order after all, the shop loses about %(cost)s.") % {"cost": cost}


def _sent_at_a_loss(order: Order) -> str:
    return _("The customer has paid %(paid)s; the shop pays what upstream charges now.") % {
        "paid": money(order.price_micros)
    }


def _shop_pays(_order: Order) -> str:
    return _("The shop pays what upstream charged; the customer's money stays as it is.")


_EFFECTS: dict[str, Callable[[Order], str]] = {
    "as_not_placed": _at_risk,
    "by_refund": _back_with_risk,
    "refund_now": _back_to_customer,
    "refund_lost": _back_with_risk,
    "send_anyway": _sent_at_a_loss,
    "bought": _shop_pays,
}
