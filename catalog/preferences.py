"""What the owner decides about what is sold."""

from django.utils.translation import gettext_lazy as _

from preferences.face import OFFER
from preferences.numbers import Whole
from preferences.registry import Preference, declare

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
