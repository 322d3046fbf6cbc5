"""What the owner decides about orders."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.preferences import PRICES, SETS_MARKUPS
from preferences.numbers import Duration, Money, Unit, Whole
from preferences.registry import Group, Others, Preference, declare
from upstream.money import MICROS

MOST_LINES = 200  # of a mass order: all are taken in one transaction
CLAIMS = Group(_("Claims for goods"), 45, "claims")
ORDERS = Group(_("Orders"), 70, "orders")
POLLING = Group(
    _("How often the supplier is asked"),
    110,
    "polling",
    _("Whatever is set here, no more calls are made than the supplier allows (UPSTREAM_MAX_PER_SECOND)."),
)


def not_below(least: Preference[Any]) -> Any:
    """Return a check that a value is not below that of another preference."""

    def check(value: Any, others: Others) -> None:
        if value < others(least):
            text = gettext("This must not be below “%(title)s”.")
            raise ValidationError(text, params={"title": str(least.title)})

    return check


COMPLAINT_HOURS: Preference[int] = declare(
    Preference(
        "complaint_hours",
        Whole(least=0, most=8_760),
        _("Hours within which the supplier hears complaints"),
        CLAIMS,
        help=_(
            "Counted from the delivery. Reports about goods are sorted by it, and staff is warned before it ends. The "
            "supplier's API document says nothing of it: look at its rules. 0: no deadline is shown."
        ),
        default=24,
    )
)

# --- Prices that were promised ----------------------------------------------------------------------------------------
PRICE_HELD: Preference[timedelta] = declare(
    Preference(
        "price_held",
        Duration(Unit.MINUTES, 1, 1_440),
        _("How long a price that was shown is kept, minutes"),
        PRICES,
        help=_("Customers who take longer are shown the new price first."),
        setting="PRICE_LOCK_SECONDS",
        default=lambda: timedelta(seconds=settings.PRICE_LOCK_SECONDS),
        permission=SETS_MARKUPS,
    )
)
PRICE_HELD_LOSS: Preference[int] = declare(
    Preference(
        "price_held_loss",
        Money(0, 10_000 * MICROS),
        _("Most that keeping a price may lose"),
        PRICES,
        help=_("By customer and service. Where it would be more, the new price is shown first."),
        setting="PRICE_LOCK_MAX_LOSS",
        permission=SETS_MARKUPS,
    )
)

# --- Orders -----------------------------------------------------------------------------------------------------------
MASS_ORDER_LINES: Preference[int] = declare(
    Preference(
        "mass_order_lines",
        Whole(1, MOST_LINES),
        _("Most orders at once"),
        ORDERS,
        help=_("Lines of a mass order, and links of a quick order."),
        default=100,
    )
)
PAYMENT_AWAITED: Preference[timedelta] = declare(
    Preference(
        "payment_awaited",
        Duration(Unit.HOURS, 1, 720),
        _("How long an order keeps its price while it is being paid, hours"),
        ORDERS,
        help=_("Of orders that are placed by themselves once their payment arrives."),
        setting="PENDING_CHECKOUT_HOURS",
    )
)
MARGIN_HELD: Preference[timedelta] = declare(
    Preference(
        "margin_held",
        Duration(Unit.HOURS, 0, 720),
        _("How long an order that would lose money is held, hours"),
        ORDERS,
        help=_("It is sent if the cost falls meanwhile, and refunded afterwards."),
        setting="MARGIN_HOLD_HOURS",
    )
)
BALANCE_LOW: Preference[timedelta] = declare(
    Preference(
        "balance_low",
        Duration(Unit.HOURS, 0, 720),
        _("Warn when the supplier's account lasts for less than, hours"),
        ORDERS,
        setting="BALANCE_LOW_HOURS",
    )
)
PRICE_DIGEST: Preference[timedelta] = declare(
    Preference(
        "price_digest",
        Duration(Unit.HOURS, 1, 720),
        _("How often customers are mailed changed prices, at most every … hours"),
        ORDERS,
        setting="PRICE_DIGEST_EVERY_SECONDS",
        default=lambda: timedelta(seconds=settings.PRICE_DIGEST_EVERY_SECONDS),
    )
)

# --- Polling ----------------------------------------------------------------------------------------------------------
POLL_SOONEST: Preference[timedelta] = declare(
    Preference(
        "poll_soonest",
        Duration(Unit.SECONDS, 5, 3_600),
        _("Orders: at most every, seconds"),
        POLLING,
        help=_("Young orders are asked about so often."),
        setting="ORDERS_POLL_MIN_SECONDS",
    )
)
POLL_LATEST: Preference[timedelta] = declare(
    Preference(
        "poll_latest",
        Duration(Unit.SECONDS, 60, 86_400),
        _("Orders: at least every, seconds"),
        POLLING,
        help=_("Orders that take long are asked about so seldom."),
        setting="ORDERS_POLL_MAX_SECONDS",
        agrees=not_below(POLL_SOONEST),
    )
)
