"""The bars at the head of a page: what lasts now, and the announcement that its reader has not put away.

They are of one reader, so no cached page has them in it: one that all visitors share is kept once for each bar there is
to see (`Bars.key`), and one that customers share gets them where its header goes. See docs/caching.md.
"""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from catalog.caching.above import Above
from preferences.doors import NUMBERS, ORDERS, SIGN_UPS, TOP_UPS, WHOLE_SHOP, Door, closed_doors
from support.announcements.audience import Reader
from support.announcements.dismissing import COOKIE, dismissed_by, read_cookie
from support.models import Announcement, Incident
from support.shown_now import telling
from support.status.incidents import lasting

# Where an incident is told of: the home page, and wherever something is ordered or followed.
TOLD_AT, TOLD_IN = ("home",), ("orders", "sms")
# Where it is told that something is closed: the home page, and wherever somebody is about to begin it.
CLOSED_IN = {
    ORDERS.name: ("home", "catalog", "orders", "api"),
    NUMBERS.name: ("home", "sms", "api"),
    TOP_UPS.name: ("home", "wallet", "orders"),
    SIGN_UPS.name: ("home", "account_login"),
}


@dataclass(frozen=True)
class Bars:
    """What one reader is told at the head of one page."""

    incident: Incident | None
    announcement: Announcement | None
    closed: tuple[Door, ...] = ()

    @property
    def key(self) -> str:
        """What tells apart pages with other bars; "" for none."""
        said = [(one.pk, one.severity, one.titles) for one in (self.incident,) if one is not None]
        news = [
            (one.pk, one.level, one.dismissable, one.titles, one.link, one.link_labels, bool(one.texts))
            for one in (self.announcement,)
            if one is not None
        ]
        shut = [(door.name, door.message) for door in self.closed]
        return repr((said, news, shut)) if said or news or shut else ""


def above(request: HttpRequest) -> Above:
    """Return the bars of this request as `catalog.caching` takes them."""
    user = request.user if isinstance(request.user, User) else None
    bars = bars_for(request, user, now=timezone.now())
    if not bars.key:
        return Above("", "")
    inputs = {"incident": bars.incident, "announcement": bars.announcement, "closed": bars.closed}
    return Above(bars.key, render_to_string("support/bars.html", inputs))


def bars_for(request: HttpRequest, user: User | None, *, now: datetime) -> Bars:
    """Return the bars of this request; no query where nothing lasts, three at most where something is not for all."""
    told, closed = telling(), _closed_for(request)
    incident = None
    if told.incidents and _tells_of_incidents(request):
        incident = next((one for one in told.incidents if lasting(one, now)), None)
    begun = [one for one in told.announcements if one.lasts(now)]
    if not begun:
        return Bars(incident, None, closed)
    reader = Reader(user, now=now)
    mine = [one for one in begun if reader.may_read(one)]
    away = set(read_cookie(request.COOKIES.get(COOKIE, "")))
    if user is not None:
        away |= dismissed_by(user, [one for one in mine if one.dismissable and one.pk not in away])
    shown = [one for one in mine if not (one.dismissable and one.pk in away)]
    # One at a time: what is important first, then the newest.
    shown.sort(key=lambda one: (one.level != Announcement.Level.WARNING, -one.starts_at.timestamp(), -one.pk))
    return Bars(incident, shown[0] if shown else None, closed)


def _closed_for(request: HttpRequest) -> tuple[Door, ...]:
    """Return what of that which is closed belongs on this page."""
    match = request.resolver_match
    here = "" if match is None else match.namespace or match.view_name
    return tuple(door for door in closed_doors() if door is WHOLE_SHOP or here in CLOSED_IN[door.name])


def _tells_of_incidents(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and (match.view_name in TOLD_AT or match.namespace in TOLD_IN)
