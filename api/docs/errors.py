"""Every error text of the API, what it means, and the HTTP status for keys that want one."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api import limits
from api.actions import closed, orders, params, refill_cancel
from api.actions.calls import REFUSALS, Scope


@dataclass(frozen=True)
class Refusal:
    """One text. `…` in it stands for what differs from call to call."""

    text: str
    meaning: str | Promise
    http_status: int = 400


OF_DOCUMENT = (
    Refusal("Invalid API key", _("The key is wrong, revoked or expired."), 401),
    Refusal("Invalid action", _("There is no action with that name.")),
    Refusal("Service ID is required", _("service is missing.")),
    Refusal(orders.INSUFFICIENT_BALANCE, _("Your balance is too low. Nothing was bought."), 402),
    Refusal(orders.ORDER_NOT_FOUND, _("You have no order with that number."), 404),
    Refusal("Service not found", _("There is no such service, or it is no longer sold."), 404),
)
FURTHER = (
    Refusal("Quantity is required", _("quantity is missing.")),
    Refusal("Invalid quantity", _("quantity is not a whole number.")),
    Refusal("Quantity must be between … and …", _("Outside the service's min and max.")),
    Refusal("Not enough stock", _("Not that many are available right now, or the service is paused."), 409),
    Refusal("Link is required", _("The service needs a link.")),
    Refusal("Invalid link", _("This service needs a different kind of link, or we take no orders for this one.")),
    Refusal("Drip-feed is not available, runs must be 1", _("Orders run once: leave runs out.")),
    Refusal("Comments are required", _("This service needs comments.")),
    Refusal(
        "Quantity does not match the number of comments", _("Leave quantity out, or make it match the number of lines.")
    ),
    Refusal("Order ID is required", _("Neither order nor orders was sent.")),
    Refusal(refill_cancel.NO_CANCEL, _("It is too late, or the service can't be canceled."), 409),
    Refusal(refill_cancel.NO_REFILL, _("The service has no refill, or the order isn't finished yet."), 409),
    Refusal(refill_cancel.REFILL_NOT_FOUND, _("You have no refill with that number."), 404),
    Refusal("Incorrect order ID", _("In a request for several orders: this one isn't yours."), 200),
    Refusal("Project ID is required", _("project_id is missing.")),
    Refusal("Project not found", _("There is no such project in that country."), 404),
    Refusal("No numbers available", _("No number was available. Nothing was charged."), 409),
    Refusal("Phone number is not available", _("That number can't be reused."), 409),
    Refusal("Too many …, 100 at most", _("Send up to 100 IDs per call.")),
    Refusal(
        "Too many test orders are under way, … at most", _("With a test key: wait until some of them finish."), 409
    ),
    Refusal("request_id is longer than 64 characters", _("Choose a shorter one.")),
    Refusal(
        "request_id was used with other values", _("It was already used for a different purchase, which stands."), 409
    ),
    Refusal("This account is blocked. …", _("Write to us. What we have said about it stands behind."), 403),
    Refusal("Daily spending limit of this key is reached", _("You set the limit in the key's settings."), 402),
    Refusal(REFUSALS[Scope.READ], _("The key doesn't have this permission."), 403),
    Refusal(REFUSALS[Scope.ORDER], _("The key doesn't have this permission."), 403),
    Refusal(REFUSALS[Scope.SMS], _("The key doesn't have this permission."), 403),
    Refusal(REFUSALS[Scope.SECRETS], _("The key doesn't have this permission."), 403),
    Refusal(
        "This key may not be used from this address", _("You set the allowed addresses in the key's settings."), 403
    ),
    Refusal(limits.TOO_OFTEN, _("Wait the number of seconds given in Retry-After."), limits.THROTTLED),
    Refusal(limits.TOO_MANY_AT_ONCE, _("Wait for your earlier calls to finish."), limits.THROTTLED),
    *(
        Refusal(
            text,
            _("Closed by the shop for a while. Nothing was bought and nothing was charged: try again later."),
            status,
        )
        for text, status in closed.CLOSED.values()
    ),
    Refusal("Method not allowed", _("Use POST. GET can be turned on for a key, for read-only actions."), 405),
    Refusal(params.UNREADABLE, _("The body isn't a form, a multipart form or a JSON object.")),
    Refusal(params.TOO_LARGE, _("The body is far larger than any call needs."), 413),
    Refusal(
        limits.BACK_SOON,
        _("Wait the number of seconds given in Retry-After. A purchase: with the same request_id."),
        503,
    ),
    Refusal(
        "Internal server error", _("Our fault. If it was a purchase, send it again with the same request_id."), 500
    ),
)
