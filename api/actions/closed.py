"""What the API says of what is closed for now: the same words in every language, because programs compare them."""

from api.actions.params import ApiError
from preferences.doors import NUMBERS, ORDERS, WHOLE_SHOP, Door

# A purchase is surely refused; that of a shop that is closed as a whole is worth another try by itself.
CONFLICT, UNAVAILABLE = 409, 503
CLOSED = {
    ORDERS.name: ("New orders are closed for now", CONFLICT),
    NUMBERS.name: ("SMS numbers are closed for now", CONFLICT),
    WHOLE_SHOP.name: ("The shop is closed for now", UNAVAILABLE),
}


def closed_for_now(door: Door) -> ApiError:
    """Return the error for a door that is closed: its own, or that of the whole shop."""
    return ApiError(*CLOSED[door.reason.name])
