"""What the owner decides about numbers."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from orders.preferences import POLLING, not_below
from preferences.face import OFFER
from preferences.kinds import Boolean
from preferences.numbers import Duration, Unit, Whole
from preferences.registry import Group, Preference, declare

NUMBERS = Group(_("SMS numbers"), 75, "numbers")
NUMBERS_ON_SALE: Preference[bool] = declare(
    Preference(
        "numbers_on_sale",
        Boolean(),
        _("Sell numbers for SMS codes"),
        OFFER,
        help=_("Off: the menu has no entry for them and nobody can buy one. Numbers in use keep working."),
        default=True,
    )
)
MAX_OPEN: Preference[int] = declare(
    Preference(
        "numbers_max_open",
        Whole(0, 10_000),
        _("Most open numbers of one customer"),
        NUMBERS,
        help=_("Staff may set other limits for single customers."),
        setting="SMS_MAX_OPEN_NUMBERS",
    )
)
MAX_PER_DAY: Preference[int] = declare(
    Preference(
        "numbers_max_per_day",
        Whole(0, 100_000),
        _("Most numbers of one customer in 24 hours"),
        NUMBERS,
        setting="SMS_MAX_NUMBERS_PER_DAY",
    )
)
REPLACED_AFTER: Preference[timedelta] = declare(
    Preference(
        "numbers_replaced_after",
        Duration(Unit.SECONDS, 30, 1_200),
        _("How long a number has to wait before it can be replaced, seconds"),
        NUMBERS,
        help=_("A code that comes to a number that was replaced is the shop's loss."),
        setting="SMS_REPLACE_AFTER_SECONDS",
    )
)
SUCCESS_LEAST: Preference[int] = declare(
    Preference(
        "numbers_success_least",
        Whole(1, 10_000),
        _("Fewest numbers that say how often codes come"),
        NUMBERS,
        help=_("Of a website or app with fewer nothing is said."),
        setting="SMS_SUCCESS_MIN_OBSERVED",
    )
)
POLL_SOONEST: Preference[timedelta] = declare(
    Preference(
        "numbers_poll_soonest",
        Duration(Unit.SECONDS, 1, 60),
        _("Numbers: at most every, seconds"),
        POLLING,
        help=_("While codes usually come."),
        setting="SMS_POLL_SECONDS",
    )
)
POLL_LATEST: Preference[timedelta] = declare(
    Preference(
        "numbers_poll_latest",
        Duration(Unit.SECONDS, 1, 300),
        _("Numbers: at least every, seconds"),
        POLLING,
        help=_("In a crowd of open numbers those that wait for long are asked about more seldom still."),
        setting="SMS_POLL_MAX_SECONDS",
        agrees=not_below(POLL_SOONEST),
    )
)
