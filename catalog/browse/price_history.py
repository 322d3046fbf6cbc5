"""The price history of a service as its page shows it: a line of steps, a sentence, and a table of the same."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from catalog.models import Service
from catalog.pricing.price_points import price_steps

SHOWN_DAYS = 180
WIDTH, HEIGHT, MARGIN = 600, 96, 8  # of the drawing, in its own units


@dataclass(frozen=True)
class PriceStep:
    """From this day on a service cost `micros` for its unit."""

    day: date
    micros: int


@dataclass(frozen=True)
class PriceHistory:
    """What a service cost: `line` are the points of a polyline in a drawing of WIDTH by HEIGHT."""

    steps: list[PriceStep]  # the newest first
    line: str
    words: str
    first_day: date
    width: int = WIDTH
    height: int = HEIGHT


def price_history(service: Service, *, today: date) -> PriceHistory | None:
    """Return how the price of a service changed lately, or None where it has not; one query.

    Prices are those of customers without a group, for the service's own unit; needs the category loaded.
    """
    since = today - timedelta(days=SHOWN_DAYS)
    found = price_steps(service, since=since, today=today)
    steps = [PriceStep(max(day, since), micros * service.rate_per // 1000) for day, micros in found]
    if len(steps) < 2:
        return None
    return PriceHistory(steps[::-1], _line(steps, today), _words(steps), steps[0].day)


def _line(steps: list[PriceStep], today: date) -> str:
    begin, prices = steps[0].day, [step.micros for step in steps]
    days, low, high = max((today - begin).days, 1), min(prices), max(prices)
    scale = (HEIGHT - 2 * MARGIN) / max(high - low, 1)
    corners: list[tuple[float, float]] = []
    for step in steps:
        x = (step.day - begin).days / days * WIDTH
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, HEIGHT - MARGIN - (step.micros - low) * scale))
    corners.append((WIDTH, corners[-1][1]))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _words(steps: list[PriceStep]) -> str:
    prices = [step.micros for step in steps]
    values = {
        "day": date_format(steps[0].day, "DATE_FORMAT"),
        "low": money(min(prices)),
        "high": money(max(prices)),
        "now": money(prices[-1]),
    }
    return _("Since %(day)s between %(low)s and %(high)s; now %(now)s.") % values
