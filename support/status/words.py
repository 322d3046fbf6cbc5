"""What was measured, in words for customers. They name no provider of ours: "our provider" is enough."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from support.models import Health, Part

MINUTE, HOUR, DAY = 60, 3600, 86_400


def sentence(part: str, health: str, figure: Mapping[str, Any]) -> str:
    """Return what the page says of a part in one sentence, "" where the health says it all."""
    if "paused" in figure:
        return _("Orders are waiting and will be sent as soon as we can. Nothing is lost.")
    if "waits" in figure:
        return _("The oldest order has been waiting for %(time)s.") % {"time": duration(figure["waits"])}
    if "within" in figure:
        return _("Orders go out within %(time)s.") % {"time": within(figure["within"])}
    if "silent" in figure:
        return _("Our provider has not been answering for %(time)s.") % {"time": duration(figure["silent"])}
    if "late" in figure:
        return _("Updates are running %(time)s late.") % {"time": duration(figure["late"])}
    if "none" in figure:
        return _("No codes have come in the last two hours.")
    if "half" in figure:
        return _("Half of the codes come within %(time)s.") % {"time": within(figure["half"])}
    if "age" in figure:
        return _("Prices and stock were updated %(time)s ago.") % {"time": duration(figure["age"])}
    if "failed" in figure:
        return _("In the last hour, %(failed)s of %(begun)s payments could not be started.") % figure
    return _usual(part) if health == Health.OK else ""


def duration(seconds: float) -> str:
    """Return a length of time: its minutes, hours or days, whatever is largest."""
    return _counted(int(seconds) // MINUTE, int(seconds) // HOUR, int(seconds) // DAY)


def within(seconds: float) -> str:
    """Return a limit that the seconds keep to: whole minutes or more, rounded up."""
    return _counted(ceil(seconds / MINUTE), ceil(seconds / HOUR), ceil(seconds / DAY))


def _counted(minutes: int, hours: int, days: int) -> str:
    if minutes < MINUTE:
        minutes = max(minutes, 1)
        return npgettext("for how long", "%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    if hours < 2 * 24:
        return npgettext("for how long", "%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return npgettext("for how long", "%(count)d day", "%(count)d days", days) % {"count": days}


def _usual(part: str) -> str:
    return {
        Part.ORDERS: _("No order is waiting."),
        Part.DELIVERY: _("Our provider answers, and progress is up to date."),
        Part.NUMBERS: _("Too few codes came lately to say how fast they are."),
        Part.PAYMENTS: _("Payments can be started."),
        Part.WEBSITE: _("Pages and the API answer as usual."),
    }.get(Part(part), "")
