"""What the owner decides about the API. The limit by address keeps guessing away and is no preference."""

from django.utils.translation import gettext_lazy as _

from accounts.preferences import API
from preferences.numbers import Whole
from preferences.registry import Preference, declare

CALLS_PER_MINUTE: Preference[int] = declare(
    Preference(
        "api_calls_per_minute",
        Whole(0, 100_000),
        _("Calls per minute of one key"),
        API,
        help=_("Staff may set another limit for single keys. 0: as many as they like."),
        setting="API_CALLS_PER_MINUTE",
    )
)
MAX_WEBHOOKS: Preference[int] = declare(
    Preference(
        "api_max_webhooks",
        Whole(0, 1_000),
        _("Most webhooks of one customer"),
        API,
        setting="API_MAX_WEBHOOKS",
    )
)
