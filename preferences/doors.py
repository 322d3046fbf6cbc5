"""What the owner closes for a while: sign-ups, orders, numbers, payments, or the whole shop.

Every operation that begins something asks its door, and so does every page that leads there. What is under way asks
none: paid orders are forwarded and followed, codes fetched, refunds made, payments that have begun are credited.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from preferences.kinds import Boolean, Translated, Words
from preferences.numbers import Duration, Unit
from preferences.registry import CHANGE, Group, Preference, declare

CLOSED = Group(
    _("Closed for now"),
    5,  # first: whoever looks for it is in a hurry
    "closed",
    _(
        "What is closed is refused on pages and over the API within a few seconds. What is under way goes on: paid "
        "orders are sent and followed, codes arrive, refunds are made, payments that have begun are credited."
    ),
)
# Who may stop what is sent may stop what is taken; who keeps the payments, those.
PAUSES_FORWARDING, KEEPS_PAYMENTS = "orders.change_forwardingpause", "wallet.change_topup"


@dataclass(frozen=True)
class Door:
    """Something that can be closed; `name` is for programs, `words` is what customers read while it is."""

    name: str
    closed: Preference[bool]
    words: Preference[Words]

    @property
    def is_closed(self) -> bool:
        """Whether nobody may begin anything here now; with the whole shop everything is closed."""
        return self.closed.value or WHOLE_SHOP.closed.value

    @property
    def reason(self) -> "Door":
        """The door that is closed, if this one is: itself, or that of the whole shop."""
        return WHOLE_SHOP if WHOLE_SHOP.closed.value else self

    @property
    def message(self) -> str:
        """Why nothing can be begun here, in the reader's language."""
        return str(self.reason.words.value)


# Whether the owner has been through the set-up, which is on no page then any more: storefront/set_up/.
SET_UP_DONE: Preference[bool] = declare(
    Preference("set_up_done", Boolean(), _("Set-up"), CLOSED, default=False, shown=False)
)


def begins_closed() -> bool:
    """Whether this is a new shop that strangers could reach, and whose owner has not opened it yet."""
    return settings.BEGINS_CLOSED and not SET_UP_DONE.value


def _door(
    name: str,
    title: Promise,
    help: Promise,
    words_title: Promise,
    usual: Promise,
    *,
    permission: str = CHANGE,
    at_first: Callable[[], bool] = lambda: False,
) -> Door:
    kind = Translated(longest=300, fallback=usual)
    closed: Preference[bool] = declare(
        Preference(f"{name}_closed", Boolean(), title, CLOSED, help=help, default=at_first, permission=permission)
    )
    words: Preference[Words] = declare(
        Preference(
            f"{name}_closed_words", kind, words_title, CLOSED, default=lambda: kind.read({}), permission=permission
        )
    )
    return Door(name, closed, words)


SIGN_UPS = _door(
    "sign_ups",
    _("Close sign-ups"),
    _("Nobody opens an account. Customers sign in as usual."),
    _("What visitors read while sign-ups are closed"),
    _("New accounts can't be opened right now. Please come back later."),
)
ORDERS = _door(
    "orders",
    _("Close orders"),
    _("Nobody orders services or goods: on pages, as a mass order, with a payment, over the API."),
    _("What customers read while orders are closed"),
    _("We aren't taking new orders right now. Orders you have placed go on as usual."),
    permission=PAUSES_FORWARDING,
)
NUMBERS = _door(
    "numbers",
    _("Close numbers"),
    _("Nobody buys a number or has one replaced; replacements that customers asked for in advance wait."),
    _("What customers read while numbers are closed"),
    _("Numbers can't be bought right now. Numbers you have keep working."),
    permission=PAUSES_FORWARDING,
)
TOP_UPS = _door(
    "top_ups",
    _("Close payments"),
    _("Nobody begins to add money. Payments that have begun can be finished and are credited."),
    _("What customers read while payments are closed"),
    _("Money can't be added right now. Payments you have begun are credited as usual."),
    permission=KEEPS_PAYMENTS,
)
WHOLE_SHOP = _door(
    "whole_shop",
    _("Close the whole shop"),
    _(
        "Visitors, customers and programs find the shop closed (503). Staff, the admin, signing in, the status page "
        "and what payment providers report stay open."
    ),
    _("What everybody reads while the shop is closed"),
    _("The shop is closed for a short while. Orders you have placed go on, and your balance is safe."),
    at_first=begins_closed,
)
BACK_AFTER: Preference[timedelta] = declare(
    Preference(
        "back_after",
        Duration(Unit.MINUTES, 1, 1440),
        _("When to try again, minutes"),
        CLOSED,
        help=_("What a shop that is closed as a whole tells browsers, programs and search engines."),
        default=timedelta(minutes=15),
    )
)
DOORS = (WHOLE_SHOP, ORDERS, NUMBERS, TOP_UPS, SIGN_UPS)


def closed_doors() -> list[Door]:
    """Return what is closed now: the whole shop alone, or each of its parts that is."""
    if WHOLE_SHOP.closed.value:
        return [WHOLE_SHOP]
    return [door for door in DOORS if door.closed.value]
