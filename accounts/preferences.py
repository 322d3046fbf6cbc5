"""What the owner decides about accounts: their keys, and what a customer gets who brings others."""

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from preferences.kinds import Boolean
from preferences.numbers import Duration, Percent, Unit, Whole
from preferences.registry import Group, Preference, declare

REFERRALS = Group(_("Referrals"), 90, "referrals")
LEVELS = Group(_("Levels"), 95, "levels")
API = Group(_("The API"), 100, "api")
MAX_KEYS: Preference[int] = declare(
    Preference(
        "api_max_keys",
        Whole(1, 1_000),
        _("Most API keys of one customer"),
        API,
        setting="API_MAX_KEYS",
    )
)
# A share of what the shop earns is money: the owner's alone.
REFERRAL_SHARE: Preference[Decimal] = declare(
    Preference(
        "referral_share",
        Percent(Decimal(0), Decimal(100)),
        _("Share for who referred a customer, %"),
        REFERRALS,
        help=_(
            "Of what the shop earns from that customer's orders. Orders keep the share they were placed with. 0: none."
        ),
        setting="REFERRAL_PERCENT",
    )
)
REFERRED_FOR: Preference[timedelta] = declare(
    Preference(
        "referred_for",
        Duration(Unit.DAYS, 1, 3_650),
        _("For how long after the sign-up, days"),
        REFERRALS,
        setting="REFERRAL_DAYS",
    )
)
# Discounts and cashback by what somebody spends: the owner's alone.
LEVELS_ON: Preference[bool] = declare(
    Preference(
        "levels_on",
        Boolean(),
        _("Levels and cashback"),
        LEVELS,
        help=_(
            "Customers move between the groups that are levels, and orders earn their group's cashback. Orders keep "
            "the share they were placed with. Groups: Customers → Customer groups."
        ),
        default=False,
    )
)
