"""What the owner decides about prices and about what is said of services."""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.wake_worker import wake_worker
from preferences.face import OFFER
from preferences.numbers import Duration, Money, Percent, Unit, Whole
from preferences.registry import Group, Preference, declare
from upstream.money import MICROS

PRICES = Group(_("Prices"), 60, "prices")
QUALITY = Group(_("Measured quality"), 80, "quality")
SETS_MARKUPS = "catalog.change_markuprule"
SHARE = Percent(Decimal(0), Decimal(10_000))


def _reprice() -> None:
    """Have the stored rates computed anew: pages and purchases reckon with the new figure already."""
    wake_worker("catalog.tasks.reprice_services")


def _told_below_the_floor(_value: Decimal) -> str:
    markup, floor = DEFAULT_MARKUP.value, FLOOR_MARGIN.value
    if markup >= floor:
        return ""
    return gettext(
        "The default markup of %(markup)s is below the floor margin of %(floor)s, so services without a rule are sold "
        "at the floor, and no discount takes anything off."
    ) % {"markup": SHARE.said(markup), "floor": SHARE.said(floor)}


DEFAULT_MARKUP: Preference[Decimal] = declare(
    Preference(
        "default_markup_percent",
        SHARE,
        _("Default markup, %"),
        PRICES,
        help=_("On what services cost, where no markup rule says otherwise. Lists follow within a minute."),
        setting="DEFAULT_MARKUP_PERCENT",
        permission=SETS_MARKUPS,
        warn=_told_below_the_floor,
        then=_reprice,
    )
)
FLOOR_MARGIN: Preference[Decimal] = declare(
    Preference(
        "floor_margin_percent",
        SHARE,
        _("Floor margin, %"),
        PRICES,
        help=_(
            "No price falls below cost plus this margin, whatever the discount or coupon. A rule may have its own "
            "floor."
        ),
        setting="FLOOR_MARGIN_PERCENT",
        permission=SETS_MARKUPS,
        warn=_told_below_the_floor,
        then=_reprice,
    )
)
UNCONFIRMED_MAX_COST: Preference[int] = declare(
    Preference(
        "unconfirmed_max_cost",
        Money(0, 1_000 * MICROS, "UPSTREAM_CURRENCY"),
        _("Most that an order may cost while its price is not confirmed"),
        PRICES,
        help=_(
            "Of a category of which it is not certain yet how many pieces its rates buy; in the supplier's currency. "
            "0: nothing of it is sold."
        ),
        setting="UNCONFIRMED_MAX_COST",
    )
)
USUAL_WARRANTY_DAYS: Preference[int] = declare(
    Preference(
        "usual_warranty_days",
        Whole(least=0, most=365),
        _("Warranty of goods, days"),
        OFFER,
        help=_(
            "Of goods whose title and description name none. Within it customers can report lines that don't work; an "
            "order keeps the warranty it was bought with. 0: none."
        ),
        default=3,
    )
)
NEW_FOR: Preference[timedelta] = declare(
    Preference(
        "new_for",
        Duration(Unit.DAYS, 0, 365),
        _("How long a service is marked as new, days"),
        OFFER,
        help=_("0: none is."),
        setting="NEW_SERVICE_DAYS",
        default=lambda: timedelta(days=settings.QUALITY.new_days),
    )
)
MEASURED_DAYS: Preference[timedelta] = declare(
    Preference(
        "measured_days",
        Duration(Unit.DAYS, 1, 365),
        _("Days of orders that are measured"),
        QUALITY,
        help=_("What pages and the API say of how fast services are comes from these days. Measured anew every hour."),
        setting="QUALITY_DAYS",
        default=lambda: timedelta(days=settings.QUALITY.days),
    )
)
MEASURED_LEAST: Preference[int] = declare(
    Preference(
        "measured_least",
        Whole(1, 10_000),
        _("Fewest orders that say something"),
        QUALITY,
        help=_("Of a service with fewer nothing is said."),
        setting="QUALITY_MIN_ORDERS",
        default=lambda: settings.QUALITY.least_orders,
    )
)
