"""A visit: it begins with a reason, notes each page that was asked for, and ends.

In the session stand `hijack_history`, as django-hijack keeps it, and VISIT: the visit's row, the customer, when it
began in seconds of the epoch, and the addresses that were asked for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from hijack.signals import hijack_ended, hijack_started

from accounts.models import SupportVisit, User
from accounts.sign_in_as.letters import tell_of_visit
from accounts.sign_in_as.rules import may_sign_in_as
from accounts.trail import Action, record

HISTORY, VISIT = "hijack_history", "signed_in_as"
LONGEST = timedelta(minutes=30)
# Support reads some pages. Who asks for more than this in one visit copies them.
MOST_PAGES = 200
TOLD_EVERY = timedelta(days=1)


class MayNotSignInAs(Exception):
    """Whoever asks may not look at the shop as this customer."""


@dataclass(frozen=True)
class Visit:
    """A visit that goes on: which one, whose pages, until when, and what has been asked for."""

    row_id: int
    customer_id: int
    began_at: datetime
    paths: list[str]

    @property
    def pages(self) -> set[str]:
        """The addresses without what stood behind them."""
        return {path.partition("?")[0] for path in self.paths}

    @property
    def ends_at(self) -> datetime:
        return self.began_at + LONGEST


def begin_visit(request: HttpRequest, *, staff: User, customer_id: int, reason: str, now: datetime) -> SupportVisit:
    """Let `staff`, who is signed in, look at the shop as this customer, who is told of it. Raises MayNotSignInAs."""
    with transaction.atomic():
        # Of two visits at once, one tells.
        customer = User.objects.select_for_update().filter(pk=customer_id).first()
        if customer is None or not may_sign_in_as(hijacker=staff, hijacked=customer):
            raise MayNotSignInAs
        told_lately = customer.support_visits.filter(told=True, began_at__gt=now - TOLD_EVERY).exists()
        visit = SupportVisit.objects.create(user=customer, reason=reason, began_at=now, told=not told_lately)
        record(Action.SIGNED_IN_AS, actor=staff, target=customer, request=request, after={"reason": reason}, now=now)
        if visit.told:
            tell_of_visit(visit)
    request.session[HISTORY] = [str(staff.pk)]
    request.session[VISIT] = {"row": visit.pk, "customer": customer.pk, "since": now.timestamp(), "paths": []}
    hijack_started.send(sender=None, request=request, hijacker=staff, hijacked=customer)
    return visit


def visit_of(request: HttpRequest) -> Visit | None:
    """Return the visit that this session is on, if any."""
    kept = request.session.get(VISIT)
    if kept is None:
        return None
    began_at = datetime.fromtimestamp(kept["since"], UTC)
    return Visit(kept["row"], kept["customer"], began_at, kept["paths"])


def why_over(visit: Visit, staff: User | AnonymousUser, customer: User | None, *, now: datetime) -> str:
    """Return what ends the visit now, in words for whoever is on it; "" while it may go on."""
    if not may_sign_in_as(hijacker=staff, hijacked=customer):
        return _("You may no longer look at this customer's pages.")
    # A page that was slower than the press on "End" has written its session, with the visit in it, after that.
    if not SupportVisit.objects.filter(pk=visit.row_id, user=customer, ended_at=None).exists():
        return _("It has ended.")
    if now >= visit.ends_at:
        return _("Half an hour is over.")
    if len(visit.paths) >= MOST_PAGES:
        return _("Too many pages for one visit.")
    return ""


def note_page(request: HttpRequest, visit: Visit, staff: User, customer: User, *, refused: bool) -> None:
    """Put a page that is asked for on the trail, once a visit; count what else the same address shows."""
    address = _address(request)
    if address in visit.paths:
        return
    path = request.path[:200]
    if path not in visit.pages:
        after = {"refused" if refused else "page": path}
        record(Action.SIGNED_IN_AS, actor=staff, target=customer, request=request, after=after)
    request.session[VISIT]["paths"].append(address)
    request.session.modified = True


def _address(request: HttpRequest) -> str:
    """Return what says which rows a page shows: without `seen`, by which a part asks whether anything is new."""
    query = request.GET.copy()
    query.pop("seen", None)
    path = request.path[:200]
    return f"{path}?{sha256(query.urlencode().encode()).hexdigest()[:16]}" if query else path


def end_visit(request: HttpRequest, *, why: str, now: datetime) -> None:
    """End the visit of this session; staff's own session goes on."""
    visit = visit_of(request)
    if visit is None:
        return
    history = request.session.pop(HISTORY, [])
    del request.session[VISIT]
    staff = User.objects.filter(pk__in=history[:1]).first()  # who may not be signed in any more
    customer = User.objects.filter(pk=visit.customer_id).first()
    with transaction.atomic():
        if not SupportVisit.objects.filter(pk=visit.row_id, ended_at=None).update(ended_at=now):
            return  # it had ended before: see `why_over`
        after = {"why": why, "pages": len(visit.pages)}
        record(Action.LEFT_SIGNED_IN_AS, actor=staff, target=customer, request=request, after=after, now=now)
    hijack_ended.send(sender=None, request=request, hijacker=staff, hijacked=customer)


def end_with_session(sender: Any, request: HttpRequest | None, **_rest: Any) -> None:
    """Note that a visit has ended with the session it was on; called before the session is emptied."""
    from django.utils import timezone

    if request is not None and hasattr(request, "session"):
        end_visit(request, why="signed out", now=timezone.now())
