"""What an error report tells: it is mailed to the admins and kept in their mailboxes, so no secret may be in it."""

import re
from typing import Any

from django.http import HttpRequest, QueryDict
from django.views.debug import SafeExceptionReporterFilter

# The part of an address that lets somebody in: user and password, or a token.
CREDENTIALS = re.compile(r"(?<=://)[^\s/?#]+@")


class ReportFilter(SafeExceptionReporterFilter):
    """Hides what Django hides by its name, and besides:

    credentials inside of addresses (REDIS_URL, CELERY_BROKER_URL, the cache's LOCATION), whatever they are called, and
    what was posted under a telling name, an API key for one, on every page instead of on those that ask for it.
    """

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        """Return a setting, or a value inside of one, fit to be mailed."""
        cleansed = super().cleanse_setting(key, value)
        return CREDENTIALS.sub(f"{self.cleansed_substitute}@", cleansed) if isinstance(cleansed, str) else cleansed

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        """Return what was posted, without the values whose names tell that they are secrets."""
        posted = super().get_post_parameters(request)
        if not isinstance(posted, QueryDict):
            return posted
        cleansed = posted.copy()
        for name in cleansed:
            if self.hidden_settings.search(name):
                cleansed[name] = self.cleansed_substitute
        return cleansed
