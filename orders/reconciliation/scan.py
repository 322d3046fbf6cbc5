"""Asking upstream about the ids of a closed window, and whether what answers can be a certain order of ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from orders.attempts import assumptions
from orders.attempts.windows import Attempt, Window, known_ids
from orders.lifecycle.supply import Report, supply_of
from orders.models import LostAttempt, Order, Status
from upstream.client import Client

Doubt = LostAttempt.Doubt
LOOK_AGAIN = timedelta(hours=1)
Answers = dict[int, Report | None]  # what upstream said of ids of one kind; None: "Order not found"


class NotScanned(Exception):
    """This window cannot prove anything, so upstream was not asked; `doubt` and `detail` say why."""

    def __init__(self, doubt: LostAttempt.Doubt, detail: str = "") -> None:
        super().__init__(doubt)
        self.doubt, self.detail = doubt, detail


@dataclass(frozen=True)
class Findings:
    """How many ids of a window no order of ours has, and which of them upstream answers for."""

    asked: int
    candidates: dict[int, Report]


def scan(order: Order, window: Window, client: Client, answers: Answers) -> Findings:
    """Ask for every id of a closed window that is not ours, as orders of this order's kind.

    `answers` are those of this round, to which these are added: the windows of what was lost in one outage hold the
    same ids, and what is not in a closed window will never be.
    Raises UpstreamError when one question fails: then nothing is known.
    """
    ids = window.ids()
    ours = known_ids(order.kind, ids)
    strange = [number for number in ids if number not in ours]
    for number in strange:
        if number not in answers:
            answers[number] = supply_of(order).look_up(client, str(number))
    candidates = {number: report for number in strange if (report := answers[number]) is not None}
    return Findings(len(strange), candidates)


def check_window(kind: str, window: Window) -> None:
    """Raise NotScanned when this window cannot prove anything."""
    if not assumptions.holds(kind):
        raise NotScanned(Doubt.DISTRUST)
    if window.first is None:
        raise NotScanned(Doubt.NO_BEGINNING)
    if window.last is None or window.width is None:
        raise NotScanned(Doubt.OPEN)
    if window.last < window.first - 1:
        raise NotScanned(Doubt.REVERSED)
    if window.width > settings.RECONCILE_MAX_WINDOW:
        raise NotScanned(Doubt.TOO_WIDE, str(window.width))


def question_of(window: Window, rivals: Iterable[Order]) -> str:
    """Return what is asked about a window: it need not be asked again soon while this stays the same."""
    beside = ",".join(str(pk) for pk in sorted({order.pk for order in rivals}))
    return f"{window.first}-{window.last} by {window.closed_by} beside {beside}"


def asked_lately(attempt: Attempt, rivals: Iterable[Order], now: datetime) -> bool:
    """Whether upstream was asked about just this less than an hour ago."""
    row = attempt.row
    return (
        row.looked_at is not None
        and row.asked_about == question_of(attempt.window, rivals)
        and now - row.looked_at < LOOK_AGAIN
    )


def report_matches(order: Order, report: Report) -> bool:
    """Whether an upstream order can be this one: what remains is within its quantity, and the charge as expected."""
    if report.remains is not None and not 0 <= report.remains <= order.quantity:
        return False
    if report.charge_upstream_micros is None or report.status is None:
        return False
    return charge_fits(order, report.charge_upstream_micros, report.status)


def charge_fits(order: Order, charge_upstream_micros: int, status: str | None) -> bool:
    """Whether a charge is the expected one; a partial or canceled order costs less than expected, never more."""
    tolerance = max(order.cost_upstream_micros // 100, 100)
    if status in (Status.PARTIAL, Status.CANCELED):
        return charge_upstream_micros <= order.cost_upstream_micros + tolerance
    return abs(charge_upstream_micros - order.cost_upstream_micros) <= tolerance
