"""Every action of the API: what it is called, what it needs, who may call it, and what carries it out.

The door finds actions here; the documentation, the console and the OpenAPI description are written from the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey
from api.actions import (
    orders,
    refill_cancel,
    services,
    sms,
)
from api.actions.calls import (
    REFUSALS,
    Call,
    Run,
    Scope,
)
from api.actions.params import ApiError
from api.test_mode import actions as in_test_mode
from upstream.reading.text import line


@dataclass(frozen=True)
class Parameter:
    """What an action takes beside `key` and `action`. `of_document` is false for what our dialect adds."""

    name: str
    description: str | Promise
    required: bool = False
    of_document: bool = True


@dataclass(frozen=True)
class Action:
    """One action. Any of its `scopes` is enough; without any every valid key may call it.

    `carry_out` does it for live keys, `in_test_mode` for test keys, None where there is no difference. `reads` means
    that it changes nothing, so that it may be asked for by GET.
    """

    name: str
    title: str | Promise
    description: str | Promise
    carry_out: Run
    in_test_mode: Run | None = None
    scopes: tuple[Scope, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    reads: bool = True
    waits: bool = False  # for upstream: it holds one of the process's threads for long
    of_document: bool = True

    def check_scope(self, key: ApiKey) -> None:
        """Raise ApiError when the key may not do this."""
        if self.scopes and not any(getattr(key, scope) for scope in self.scopes):
            raise ApiError(REFUSALS[self.scopes[0]], 403)

    def run(self, call: Call) -> Any:
        """Return the answer to a call that may be made. Raises ApiError."""
        if call.key is not None and call.key.is_test and self.in_test_mode is not None:
            return self.in_test_mode(call)
        return self.carry_out(call)


def find_action(name: str) -> Action:
    """Return the action of that name. Raises ApiError for any other."""
    action = ACTIONS.get(name)
    if action is None:
        raise ApiError("Invalid action")
    return action


def changes(params: Mapping[str, str]) -> bool:
    """Whether a call with these parameters may change anything; what is no action changes nothing."""
    action = ACTIONS.get(line(params.get("action", "")))
    return action is not None and not action.reads


ORDER = Parameter("order", _("Order ID"))
REQUEST_ID = Parameter(
    "request_id",
    _(
        "Your own ID for this purchase, up to 64 characters. The same ID with the same parameters returns "
        "the same order and charges you once; it is remembered for at least 30 days."
    ),
    of_document=False,
)


LANG = Parameter(
    "lang",
    _(
        "The language of the names, such as ru; English where it is left out, and for names that have no translation. "
        "Filters take the English names."
    ),
    of_document=False,
)


def _by_name(all_actions: Iterable[Action]) -> dict[str, Action]:
    return {action.name: action for action in all_actions}


ACTIONS = _by_name(
    (
        Action(
            "categories",
            _("Get categories"),
            _("All categories, each with its subcategories."),
            services.categories,
            scopes=(Scope.READ,),
            parameters=(LANG,),
        ),
        Action(
            "services",
            _("List services"),
            _(
                "Everything on sale at your prices; rate is the price per 1,000. Services with enough recent orders "
                "also have average_time, the minutes an order usually takes, and quality: how they went."
            ),
            services.services,
            scopes=(Scope.READ,),
            parameters=(
                Parameter("page", _("Page number, 1 by default; used when limit is above 0")),
                Parameter("limit", _("Services per page; 0, the default, returns all of them")),
                Parameter("category", _("Only this category, named as in categories")),
                Parameter("subcategory", _("Only this subcategory, named as in categories")),
                LANG,
            ),
        ),
        Action(
            "inventory",
            _("Check stock"),
            _("How many are left, and whether the service can be ordered."),
            services.inventory,
            in_test_mode=services.stored_inventory,
            scopes=(Scope.READ,),
            parameters=(Parameter("service", _("Service ID"), required=True),),
        ),
        Action(
            "add",
            _("Add an order"),
            _("Orders a service and charges your balance."),
            orders.add,
            in_test_mode=in_test_mode.add,
            scopes=(Scope.ORDER,),
            parameters=(
                Parameter("service", _("Service ID"), required=True),
                Parameter(
                    "link",
                    _(
                        "What the order is for: the link to a post or profile. For goods, leave it empty: they come "
                        "as accounts in the order's status. Only goods that are sent by email need the address to "
                        "send them to; your account's own if left out."
                    ),
                ),
                Parameter("quantity", _("How many; with comments, their number (optional)"), required=True),
                Parameter("comments", _("For services that need comments: one per line"), of_document=False),
                Parameter(
                    "runs",
                    _(
                        "Orders run once: leave it out, or send 1. Above 1, where quantity would be meant per run, the "
                        "order is refused; add one order per run instead."
                    ),
                    of_document=False,
                ),
                Parameter("interval", _("Minutes between runs; ignored, as orders run once"), of_document=False),
                REQUEST_ID,
            ),
            reads=False,
        ),
        Action(
            "status",
            _("Order status"),
            _(
                "Where an order stands: Pending, In progress, Completed, Partial or Canceled. Orders of SMS numbers "
                "are not found here; use sms_status for them."
            ),
            orders.status,
            in_test_mode=in_test_mode.status,
            scopes=(Scope.READ,),
            parameters=(
                ORDER,
                Parameter(
                    "orders",
                    _("Several order IDs separated by commas, up to 100; the answer lists them by ID"),
                    of_document=False,
                ),
            ),
        ),
        Action(
            "refill",
            _("Request a refill"),
            _("Requests a refill of a finished order, if its service allows it."),
            refill_cancel.refill,
            in_test_mode=in_test_mode.refill,
            scopes=(Scope.ORDER,),
            parameters=(
                ORDER,
                Parameter("orders", _("Several order IDs separated by commas, up to 100"), of_document=False),
            ),
            reads=False,
            of_document=False,
        ),
        Action(
            "refill_status",
            _("Refill status"),
            _("How a refill went: Pending, Completed or Rejected."),
            refill_cancel.refill_status,
            in_test_mode=in_test_mode.refill_status,
            scopes=(Scope.READ,),
            parameters=(
                Parameter("refill", _("Refill ID")),
                Parameter("refills", _("Several refill IDs separated by commas, up to 100"), of_document=False),
            ),
            of_document=False,
        ),
        Action(
            "cancel",
            _("Cancel orders"),
            _("Cancels what hasn't been sent yet, and requests cancellation of the rest. Also cancels SMS numbers."),
            refill_cancel.cancel,
            in_test_mode=in_test_mode.cancel,
            scopes=(Scope.ORDER, Scope.SMS),
            parameters=(
                ORDER,
                Parameter("orders", _("Several order IDs separated by commas, up to 100"), of_document=False),
            ),
            reads=False,
            of_document=False,
        ),
        Action(
            "balance",
            _("Balance"),
            _("How much is in your wallet."),
            orders.balance,
            in_test_mode=in_test_mode.balance,
        ),
        Action(
            "sms_projects",
            _("SMS projects"),
            _("Websites and apps you can get numbers for, at your prices."),
            sms.sms_projects,
            scopes=(Scope.READ, Scope.SMS),
            parameters=(Parameter("country", _("Only this country, by its code, such as us")), LANG),
        ),
        Action(
            "sms_countries",
            _("SMS countries"),
            _("Countries that have numbers."),
            sms.sms_countries,
            scopes=(Scope.READ, Scope.SMS),
            parameters=(LANG,),
        ),
        Action(
            "add_sms",
            _("Buy SMS numbers"),
            _("Buys numbers and returns them in the same call, which can take 20 seconds."),
            sms.add_sms,
            in_test_mode=in_test_mode.add_sms,
            scopes=(Scope.SMS,),
            parameters=(
                Parameter("project_id", _("Project ID from sms_projects"), required=True),
                Parameter("quantity", _("How many numbers, 1 to 10; 1 by default")),
                Parameter("country", _("Country code; it has to be the project's")),
                Parameter("phone", _("A number you have had for this project, to use it again")),
                REQUEST_ID,
            ),
            reads=False,
            waits=True,
        ),
        Action(
            "sms_code",
            _("SMS code"),
            _("The code, once it has arrived."),
            sms.sms_code,
            in_test_mode=in_test_mode.sms_code,
            scopes=(Scope.READ, Scope.SMS),
            parameters=(Parameter("order", _("Order ID"), required=True),),
        ),
        Action(
            "sms_status",
            _("SMS order status"),
            _("Where a number stands, with its code and message once they have arrived."),
            sms.sms_status,
            in_test_mode=in_test_mode.sms_status,
            scopes=(Scope.READ, Scope.SMS),
            parameters=(Parameter("order", _("Order ID"), required=True),),
        ),
    )
)
