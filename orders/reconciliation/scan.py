"""Asking upstream about the ids of a closed window, and whether what answers can be a certain order of ours."""

from dataclasses import dataclass

from django.conf import settings

from orders.attempts import assumptions
from orders.attempts.windows import Window, known_ids
from orders.lifecycle.supply import Report, supply_of
from orders.models import Order, Status
from upstream.client import Client

Answers = dict[int, Report | None]  # what upstream said of ids of one kind; None: "Order not found"


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


def not_scanned_because(kind: str, window: Window) -> str:
    """Return why this window cannot prove anything, or "" when it can."""
    if not assumptions.holds(kind):
        return "an assumption about upstream's ids has failed"
    if window.first is None:
        return "we had no order id before the attempt, so the window has no beginning"
    if window.last is None or window.width is None:
        return "the window is open: it closes with the next order sent after the settling time, or by hand"
    if window.last < window.first - 1:
        return "the window ends before it begins"
    if window.width > settings.RECONCILE_MAX_WINDOW:
        return f"the window is too wide: {window.width} ids"
    return ""


def fits(order: Order, report: Report) -> bool:
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
