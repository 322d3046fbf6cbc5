"""Every error text of the API, what it means, and the HTTP status for keys that want one."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api import limits
from api.actions import orders, params, refill_cancel
from api.actions.calls import REFUSALS, Scope


@dataclass(frozen=True)
class Refusal:
    """One text. `…` in it stands for what differs from call to call."""

    text: str
    meaning: str | Promise
    http_status: int = 400


OF_DOCUMENT = (
    Refusal("Invalid API key", _("The key is wrong, revoked or has ended."), 401),
    Refusal("Invalid action", _("There is no action of that name.")),
    Refusal("Service ID is required", _("service is missing.")),
    Refusal(orders.INSUFFICIENT_BALANCE, _("The wallet does not cover it. Nothing was bought."), 402),
    Refusal(orders.ORDER_NOT_FOUND, _("You have no order of that number."), 404),
    Refusal("Service not found", _("There is no such service, or it is not sold any more."), 404),
)
FURTHER = (
    Refusal("Quantity is required", _("quantity is missing.")),
    Refusal("Invalid quantity", _("quantity is not a whole number.")),
    Refusal("Quantity must be between … and …", _("It is outside the service's min and max.")),
    Refusal("Not enough stock", _("There are not so many at the moment, or the service is paused."), 409),
    Refusal("Link is required", _("The service needs a link.")),
    Refusal("Invalid link", _("The link is no address of the kind that the service needs.")),
    Refusal("Comments are required", _("The service is ordered by comments.")),
    Refusal("Quantity does not match the number of comments", _("Leave quantity out, or count the lines.")),
    Refusal("Order ID is required", _("Neither order nor orders was sent.")),
    Refusal(refill_cancel.NO_CANCEL, _("It is too late, or the service cannot be canceled."), 409),
    Refusal(refill_cancel.NO_REFILL, _("The service has no refill, or the order is not finished."), 409),
    Refusal(refill_cancel.REFILL_NOT_FOUND, _("You have no refill of that number."), 404),
    Refusal("Incorrect order ID", _("Among several orders: this one is not yours."), 200),
    Refusal("Project ID is required", _("project_id is missing.")),
    Refusal("Project not found", _("There is no such project in that country."), 404),
    Refusal("No numbers available", _("None could be had. Nothing was taken."), 409),
    Refusal("Phone number is not available", _("That number cannot be used again."), 409),
    Refusal("Too many …, 100 at most", _("One call takes up to 100 ids.")),
    Refusal("Too many test orders are under way, … at most", _("With a test key: wait until some are over."), 409),
    Refusal("request_id is longer than 64 characters", _("Choose a shorter one.")),
    Refusal("request_id was used with other values", _("It bought something else before; that stands."), 409),
    Refusal("Daily spending limit of this key is reached", _("You set it with the key."), 402),
    Refusal(REFUSALS[Scope.READ], _("The key was not given that scope."), 403),
    Refusal(REFUSALS[Scope.ORDER], _("The key was not given that scope."), 403),
    Refusal(REFUSALS[Scope.SMS], _("The key was not given that scope."), 403),
    Refusal("This key may not be used from this address", _("You set the addresses with the key."), 403),
    Refusal(limits.TOO_OFTEN, _("Wait for as many seconds as Retry-After says."), limits.THROTTLED),
    Refusal(limits.TOO_MANY_AT_ONCE, _("Wait for the answers of the calls before."), limits.THROTTLED),
    Refusal("Method not allowed", _("Call by POST; GET is a switch of the key, for reading."), 405),
    Refusal(params.UNREADABLE, _("The body is no form, no multipart form and no JSON object.")),
    Refusal(params.TOO_LARGE, _("The body is far larger than any call needs."), 413),
    Refusal("Internal server error", _("Our fault. Of a purchase: send it again with the same request_id."), 500),
)
