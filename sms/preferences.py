"""What the owner decides about numbers."""

from django.utils.translation import gettext_lazy as _

from preferences.face import OFFER
from preferences.kinds import Boolean
from preferences.registry import Preference, declare

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
