"""What a service sold for against what it cost the shop, drawn on its page, with a table behind the drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin.widgets import EMPTY
from accounts.moments import write_day
from accounts.templatetags.money import money
from catalog.models import Service
from catalog.pricing.cost_steps import cost_steps
from catalog.pricing.price_points import price_steps

SHOWN_DAYS = 180
WIDTH, HEIGHT, MARGIN = 600, 120, 6  # of the drawing, in its own units
TABLE_ROWS = 60
Steps = Sequence[tuple[date, int]]


@dataclass(frozen=True)
class PriceGraph:
    """Two lines of steps in a drawing of WIDTH by HEIGHT, both for the service's own unit, in one scale."""

    selling: str
    cost: str
    first_day: date
    unit: str
    highest: str
    lowest: str
    words: str
    table: dict[str, Any]
    width: int = WIDTH
    height: int = HEIGHT


def price_graph(service: Service) -> PriceGraph | None:
    """Return what a service sold for and what it cost; None for one that has no price yet. Needs the category loaded.

    Prices are those of customers without a group. Four queries at most.
    """
    today = timezone.localdate()
    since = today - timedelta(days=SHOWN_DAYS)
    per_thousand = price_steps(service, since=since, today=today)
    selling = [(max(day, since), micros * service.rate_per // 1000) for day, micros in per_thousand]
    cost = cost_steps(service, since=since, today=today)
    if not selling or not cost:
        return None
    begin = min(selling[0][0], cost[0][0])
    amounts = [micros for _day, micros in (*selling, *cost)]
    low, high = min(amounts), max(amounts)
    lines = [_line(steps, begin=begin, today=today, low=low, high=high) for steps in (selling, cost)]
    now = {"price": money(selling[-1][1]), "cost": money(cost[-1][1]), "day": write_day(begin)}
    return PriceGraph(
        selling=lines[0],
        cost=lines[1],
        first_day=begin,
        unit=_("each") if service.rate_per == 1 else _("per 1,000"),
        highest=money(high),
        lowest=money(low),
        words=_("Since %(day)s. Now it sells for %(price)s and costs %(cost)s.") % now,
        table=_table(selling, cost),
    )


def _line(steps: Steps, *, begin: date, today: date, low: int, high: int) -> str:
    """Return the points of a polyline: level until the day of the next step."""
    days = max((today - begin).days, 1)
    corners: list[tuple[float, float]] = []
    for day, micros in steps:
        x = (day - begin).days * WIDTH / days
        y = HEIGHT - MARGIN - (micros - low) * (HEIGHT - 2 * MARGIN) / max(high - low, 1)
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    corners.append((WIDTH, corners[-1][1]))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _table(selling: Steps, cost: Steps) -> dict[str, Any]:
    """Return a row for each day on which either changed, the newest first."""
    days = sorted({day for day, _micros in (*selling, *cost)}, reverse=True)[:TABLE_ROWS]
    rows = []
    for day in days:
        price, paid = _on(selling, day), _on(cost, day)
        shown = [EMPTY if micros is None else money(micros) for micros in (price, paid)]
        margin = percent = EMPTY
        if price is not None and paid is not None:
            margin = money(price - paid)
            percent = f"{Decimal(100 * (price - paid)) / paid:+.1f}%" if paid else EMPTY
        rows.append([write_day(day), *shown, margin, percent])
    return {"headers": [_("From"), _("Selling rate"), _("Upstream cost"), _("Margin"), _("Markup")], "rows": rows}


def _on(steps: Steps, day: date) -> int | None:
    return next((micros for begins, micros in reversed(steps) if begins <= day), None)
