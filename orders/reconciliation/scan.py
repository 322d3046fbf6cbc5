"""Asking upstream about the ids among which a lost attempt's must be, and about those that staff has found."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings

from orders.attempts import assumptions
from orders.attempts.windows import Attempt, Window, known_ids, newest_upstream_id, whole
from orders.lifecycle.supply import CostRange, supplies
from orders.models import LostAttempt
from orders.reconciliation.candidates import Answers
from upstream.client import Client

Doubt = LostAttempt.Doubt
LOOK_AGAIN = timedelta(hours=1)


class NotScanned(Exception):
    """This window cannot prove anything, so upstream was not asked; `doubt` and `detail` say why."""

    def __init__(self, doubt: LostAttempt.Doubt, detail: str = "") -> None:
        super().__init__(doubt)
        self.doubt, self.detail = doubt, detail


def ids_to_ask(kind: str, attempt: Attempt, now: datetime) -> range:
    """Return the ids that upstream is to be asked about: all of a closed window, of an open one a look ahead.

    No later order closes the window of a quiet shop: once the settling time is over, a few ids after the last known one
    are asked. What is found counts; that nothing is found proves nothing, for strangers' orders take ids, too.
    Raises NotScanned when the window cannot prove anything.
    """
    window = attempt.window
    if not assumptions.holds(kind):
        raise NotScanned(Doubt.DISTRUST)
    if window.first is None:
        raise NotScanned(Doubt.NO_BEGINNING)
    if window.last is not None and window.last < window.first - 1:
        raise NotScanned(Doubt.REVERSED)
    if window.last is None:
        if now < attempt.row.sent_at + timedelta(seconds=settings.SETTLE_SECONDS):
            raise NotScanned(Doubt.OPEN)
        newest = whole(newest_upstream_id(kind)) or 0
        window = Window(window.first, max(window.first - 1, newest) + settings.RECONCILE_LOOK_AHEAD)
    if window.width is None or window.width > settings.RECONCILE_MAX_WINDOW:
        raise NotScanned(Doubt.TOO_WIDE, str(window.width))
    return window.ids()


def ask(kind: str, ids: Iterable[int], client: Client, answers: Answers) -> None:
    """Ask for each of these ids that is no order of ours of this kind, and keep what upstream says in `answers`.

    An id that an order of another kind has is asked all the same. What has been asked in this round is not asked again:
    windows of what was lost in one outage hold the same ids, and what is not in a closed window will never be.
    Raises UpstreamError when one question fails.
    """
    ours = known_ids(kind, ids)
    for number in ids:
        if number not in ours and number not in answers:
            answers[number] = supplies()[kind].look_up(client, str(number))


def question_of(ids: range, window: Window, rivals: Mapping[int, bool], costs: CostRange) -> str:
    """Return what is asked about a window: it need not be asked again soon while this stays the same.

    `rivals` are the numbers of the orders whose attempts lie in the same window, of whatever kind, and whether it is
    settled by now what each can have cost: that may be what is waited for.
    """
    beside = ",".join(f"{number}{'' if settled else '+'}" for number, settled in rivals.items())
    known = f"{costs.low}-{costs.high}{'' if costs.settled else '+'}"
    return f"{ids.start}-{ids.stop - 1} by {window.closed_by} beside {beside} for {known}"


def asked_lately(attempt: Attempt, question: str, now: datetime) -> bool:
    """Whether upstream was asked about just this less than an hour ago, and a doubt was left."""
    row = attempt.row
    if row.doubt == Doubt.SENDING:  # a matter of moments
        return False
    return row.looked_at is not None and row.asked_about == question and now - row.looked_at < LOOK_AGAIN
