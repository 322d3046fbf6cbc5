"""What the owner decides about orders."""

from django.utils.translation import gettext_lazy as _

from preferences.numbers import Whole
from preferences.registry import Group, Preference, declare

CLAIMS = Group(_("Claims for goods"), 45, "claims")
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
