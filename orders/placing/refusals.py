"""Why an order is not taken, in words for the customer."""

from django.conf import settings
from django.utils.translation import gettext as _

from orders.lifecycle.discounts import Discount
from preferences.doors import Door
from upstream.money import text_from_micros


class OrderRefused(Exception):
    """The order cannot be taken as it is; the text is for the customer. `field` names the form field, or is empty."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class TooMuchMoney(OrderRefused):
    """So many pieces come to more money than the books can hold."""

    def __init__(self) -> None:
        super().__init__(
            _("This many would cost more than we can handle in one order. Enter a smaller quantity."), "quantity"
        )


class PriceChanged(OrderRefused):
    """The price is not the one the customer saw; the new one is offered, never charged silently."""

    def __init__(self, rate_micros: int, price_micros: int) -> None:
        self.rate_micros = rate_micros
        self.price_micros = price_micros
        super().__init__(
            _("The price has changed: it is now %(price)s. Press the button again to accept it.")
            % {"price": f"{text_from_micros(price_micros)} {settings.STORE_CURRENCY}"}
        )


class NotQuoted(OrderRefused):
    """The customer has not seen what this many cost; the price is offered. Nothing has gone wrong."""

    def __init__(self, quantity: int, price_micros: int) -> None:
        self.quantity = quantity
        self.price_micros = price_micros
        super().__init__(
            _("The price is %(price)s. Press the button again to accept it.")
            % {"price": f"{text_from_micros(price_micros)} {settings.STORE_CURRENCY}"}
        )


class QuoteRefused(OrderRefused):
    """The quote was altered, or given to another customer or for another service."""

    def __init__(self) -> None:
        super().__init__(_("That price was for a different order. Check the price and order again."))


class DiscountNotSeen(OrderRefused):
    """The customer has not seen what the coupon leaves to pay; `discount` says it. Nothing has gone wrong."""

    def __init__(self, discount: Discount) -> None:
        self.discount = discount
        super().__init__(
            _("With the coupon, the price is %(price)s. Press the button again to accept it.")
            % {"price": f"{text_from_micros(discount.net_micros)} {settings.STORE_CURRENCY}"},
            "coupon",
        )


class MoneyOwed(OrderRefused):
    """The customer owes for a payment that was taken back, and buys nothing until that is paid."""


class AccountBlocked(OrderRefused):
    """Staff has blocked the account, or its owner has closed it: nothing is bought for it."""

    def __init__(self) -> None:
        super().__init__(_("Your account is blocked, so nothing can be ordered."))


class Closed(OrderRefused):
    """The owner has closed this for now: orders, numbers, or the whole shop."""

    def __init__(self, door: Door) -> None:
        self.door = door
        super().__init__(door.message)


class RequestIdReused(OrderRefused):
    """The same request id came with other values; what it bought the first time stands, nothing new was bought."""

    def __init__(self) -> None:
        super().__init__(
            _("This form has already been sent with different values. Open the page again to place a new order.")
        )


def check_door(door: Door) -> None:
    """Raise Closed where the owner has closed this for now."""
    if door.is_closed:
        raise Closed(door)
