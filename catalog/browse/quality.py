"""Service quality in words and as a drawing of a few small bars: what pages show of `ServiceQuality`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.browse.durations import write_duration, write_short_duration
from catalog.browse.number_format import write_number
from catalog.models import Service, ServiceQuality
from catalog.models.services import NEVER_MEASURED
from catalog.preferences import MEASURED_DAYS

# Of a drawing, in its own units: a day's bar and the gap after it, and how high the tallest is.
BAR, GAP, TALLEST = 4, 2, 36
FEWEST_DAYS = 3
OUTLIER = 3  # a day that took so many times as long as usual is drawn as high as that: the others stay readable


@dataclass(frozen=True)
class Bar:
    """One day of a drawing."""

    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Sparkline:
    """A drawing of how long each day's orders took, and what it says in words."""

    bars: list[Bar]
    width: int
    words: str
    height: int = TALLEST
    ground: int = TALLEST - 1
    bar: int = BAR


@dataclass(frozen=True)
class ShownQuality:
    """What is known of a service's orders, as pages say it; a text is empty where nothing is known."""

    start: str
    start_most: str
    done: str
    done_most: str
    completed: str
    not_completed: str
    counted: str
    sparkline: Sparkline | None

    @property
    def speed(self) -> str:
        """A sentence about its speed."""
        if self.start and self.done:
            return _("Usually starts in %(start)s and is done in %(done)s.") % {"start": self.start, "done": self.done}
        if self.done:
            return _("Usually done in %(done)s.") % {"done": self.done}
        return _("Usually starts in %(start)s.") % {"start": self.start} if self.start else ""

    @property
    def outcome(self) -> str:
        """A few words about how its orders end."""
        return _("%(percent)s completed.") % {"percent": self.completed}


def shown_quality(service: Service) -> ShownQuality | None:
    """Return what pages say of a service's orders, None where too few are known; it comes with its `quality`."""
    quality: ServiceQuality | None = getattr(service, "quality", None)
    if quality is None:
        return None
    completed, partial, refunded = quality.shares
    shares = []
    if partial:
        shares.append(_("%(percent)s partial") % {"percent": _percent(partial)})
    if refunded:
        shares.append(_("%(percent)s refunded") % {"percent": _percent(refunded)})
    days = MEASURED_DAYS.value.days
    orders = ngettext("%(count)s order", "%(count)s orders", quality.orders) % {"count": write_number(quality.orders)}
    counted = ngettext("%(orders)s in %(days)s day", "%(orders)s in %(days)s days", days)
    return ShownQuality(
        start=_duration(quality.start_seconds),
        start_most=_duration(quality.start_seconds_most),
        done=_duration(quality.done_seconds),
        done_most=_duration(quality.done_seconds_most),
        completed=_percent(completed),
        not_completed=", ".join(shares),
        counted=counted % {"orders": orders, "days": days},
        sparkline=_sparkline(quality.by_day),
    )


def _duration(seconds: int | None) -> str:
    return "" if seconds is None else write_duration(seconds)


def _percent(number: int) -> str:
    return f"{number}%"


def _sparkline(by_day: Sequence[int | None]) -> Sparkline | None:
    known = [seconds for seconds in by_day if seconds is not None]
    if len(known) < FEWEST_DAYS:
        return None
    top = min(max(known), OUTLIER * median(known))
    bars = []
    for day, seconds in enumerate(by_day):
        if seconds is not None:
            height = max(round(TALLEST * min(seconds, top) / top), 2)
            bars.append(Bar(day * (BAR + GAP), TALLEST - height, height))
    least, most = write_duration(min(known)), write_duration(max(known))
    words = _("from %(least)s to %(most)s") % {"least": least, "most": most}
    if least == most:
        words = _("always about %(time)s") % {"time": least}
    return Sparkline(bars, len(by_day) * (BAR + GAP) - GAP, words)


@lru_cache(maxsize=5000)
def speed_in_lists(done_seconds: int, completed_percent: int, _language: str) -> SafeString:
    """Return what a line of a list says of a service's speed, as markup; nothing where it is not known."""
    if done_seconds == NEVER_MEASURED:
        return SafeString()
    context = {"time": write_short_duration(done_seconds), "percent": _percent(completed_percent)}
    return render_to_string("components/row_speed.html", context)
