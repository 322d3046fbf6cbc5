"""What the status page shows: how each part is now, 90 days of it as bars, and the same as a table.

Two queries beside the incidents, asked anew after a few seconds; where the cache is away they are asked each time.
Where nobody measures, the page says that it does not know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from accounts.moments import write_day
from catalog.caching.versioned_cache import cache_key
from support.models import Health, Incident, MeasuredPart, Part, PartDay
from support.shown_now import telling
from support.status.incidents import lasting
from support.status.keeping import KEPT_DAYS, days_between, holds_for
from support.status.words import duration, sentence

UNKNOWN = "unknown"
CACHE_SECONDS = 10
# From how many seconds of it a day is drawn so: a hiccup is no bad day.
DOWN_DAY, SLOW_DAY = 300, 900
BAR, GAP, HEIGHT = 8, 2, 32
# A bar's height says the same as its color.
HEIGHTS = {Health.OK.value: HEIGHT, Health.SLOW.value: 22, Health.DOWN.value: 12, UNKNOWN: 3}


@dataclass(frozen=True)
class Day:
    """One day of a part; `known` and the others in seconds of the `passed` ones."""

    day: date
    ok: int
    slow: int
    down: int
    passed: int

    @property
    def known(self) -> int:
        return self.ok + self.slow + self.down

    @property
    def health(self) -> str:
        """How the day is drawn: as the worst of it that lasted, or unknown where less than half of it is known."""
        if self.down >= DOWN_DAY:
            return Health.DOWN.value
        if self.slow >= SLOW_DAY:
            return Health.SLOW.value
        return Health.OK.value if self.known and self.known * 2 >= self.passed else UNKNOWN

    @property
    def words(self) -> str:
        """What there is to say of the day."""
        if self.health == UNKNOWN:
            return pgettext("health", "Not known")
        said = [
            text % {"time": duration(seconds)}
            for text, seconds, least in (
                (_("not working for %(time)s"), self.down, 60),
                (_("slow for %(time)s"), self.slow, 60),
            )
            if seconds >= least
        ]
        return capfirst(", ".join(said)) or health_label(Health.OK)


@dataclass(frozen=True)
class Bar:
    """A day as it is drawn."""

    x: int
    y: int
    height: int
    health: str
    words: str


@dataclass(frozen=True)
class Row:
    """A part of the shop as the page shows it."""

    part: str
    label: str
    health: str
    health_label: str
    sentence: str
    uptime: str
    bars: list[Bar]
    days: list[Day]
    words: str  # what the drawing shows, for who cannot see it


@dataclass(frozen=True)
class Board:
    """The whole page; `health` is the worst of the parts, or of what staff says."""

    rows: list[Row]
    health: str
    width: int
    height: int
    bar: int
    measured_at: datetime | None

    @property
    def headline(self) -> str:
        """How the shop is doing, in a sentence."""
        return {
            Health.OK.value: _("Everything is working"),
            Health.SLOW.value: _("Some things are slower than usual"),
            Health.DOWN.value: _("Something isn't working"),
        }.get(self.health, _("We can't say right now how things are"))

    @property
    def table(self) -> list["Line"]:
        """The same as the bars, the newest day first."""
        by_day = zip(*(row.days for row in self.rows), strict=True)
        labels = [row.label for row in self.rows]
        lines = [
            Line(days[0].day, [Cell(label, day.words) for label, day in zip(labels, days, strict=True)])
            for days in by_day
        ]
        return lines[::-1]


@dataclass(frozen=True)
class Cell:
    """What there is to say of one part on one day."""

    label: str
    words: str


@dataclass(frozen=True)
class Line:
    """One day in the table."""

    day: date
    cells: list[Cell]


def board(*, now: datetime) -> Board:
    """Return the page in the reader's language, some seconds old perhaps."""
    incidents = [incident for incident in telling().incidents if lasting(incident, now)]
    mark = tuple((incident.pk, incident.severity, tuple(incident.parts)) for incident in incidents)
    key = cache_key("status", get_language(), now.astimezone(UTC).date(), mark)
    found: Board | None = cache.get(key)
    if found is None:
        found = read_board(incidents, now=now)
        cache.set(key, found, timeout=CACHE_SECONDS)
    return found


def read_board(incidents: Iterable[Incident], *, now: datetime) -> Board:
    """Make the page anew, in two queries; `incidents` are those that last."""
    measured = {row.part: row for row in MeasuredPart.objects.all()}
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=KEPT_DAYS - 1)
    kept = {(row.part, row.day): row for row in PartDay.objects.filter(day__gte=first, day__lte=today)}
    told = _told(incidents)
    # A part that was never measured, such as payments where none is set up, is none of this shop's.
    parts = [part for part in Part if part in measured] or [Part.WEBSITE]
    days = [first + timedelta(days=number) for number in range(KEPT_DAYS)]
    rows = [
        _row(part, measured.get(part), [_day(kept, part, day, measured.get(part), now=now) for day in days], told, now)
        for part in parts
    ]
    moments = [row.measured_at for row in measured.values()]
    return Board(
        rows=rows,
        # Of a part that the page has no row of, too.
        health=_worst([*(row.health for row in rows), *told.values()]),
        width=KEPT_DAYS * (BAR + GAP) - GAP,
        height=HEIGHT,
        bar=BAR,
        measured_at=max(moments, default=None),
    )


def health_label(health: str) -> str:
    """Return how a part is, in a word."""
    return pgettext("health", "Not known") if health == UNKNOWN else str(Health(health).label)


def _row(part: Part, measured: MeasuredPart | None, days: list[Day], told: Mapping[str, str], now: datetime) -> Row:
    fresh = measured is not None and now - measured.measured_at <= holds_for()
    health = str(measured.health) if measured is not None and fresh else UNKNOWN
    text = sentence(part, measured.health, measured.figure) if measured is not None and fresh else ""
    shown = _worst([health, told[part]]) if part in told else health
    return Row(
        part=part.value,
        label=str(part.label),
        health=shown,
        health_label=health_label(shown),
        sentence=text or (_("It has not been measured for a while.") if health == UNKNOWN else ""),
        uptime=_uptime(days),
        bars=[_bar(number, day) for number, day in enumerate(days)],
        days=days,
        words=_summary(days),
    )


def _bar(number: int, day: Day) -> Bar:
    height = HEIGHTS[day.health]
    return Bar(
        x=number * (BAR + GAP),
        y=HEIGHT - height,
        height=height,
        health=day.health,
        words=f"{write_day(day.day)}: {day.words}",
    )


def _day(
    kept: Mapping[tuple[str, date], PartDay], part: Part, day: date, measured: MeasuredPart | None, *, now: datetime
) -> Day:
    row = kept.get((part, day))
    seconds = {name: getattr(row, f"{name}_seconds") if row else 0 for name in ("ok", "slow", "down")}
    if measured is not None:
        # What was measured last is counted with the next measure, and holds until then.
        until = min(now, measured.measured_at + holds_for())
        seconds[measured.health] += dict(days_between(measured.measured_at, until)).get(day, 0)
    at = now.astimezone(UTC)
    passed = int((at - at.replace(hour=0, minute=0, second=0)).total_seconds()) if day == at.date() else 86_400
    return Day(day=day, passed=max(passed, 1), **seconds)


def _told(incidents: Iterable[Incident]) -> dict[str, str]:
    """Return what staff says of the parts: what it calls not working is, whatever was measured."""
    health = {Incident.Severity.MINOR: Health.SLOW.value, Incident.Severity.MAJOR: Health.DOWN.value}
    found: dict[str, str] = {}
    for incident in incidents:
        said = health.get(Incident.Severity(incident.severity))
        for part in incident.parts if said else ():
            found[part] = _worst([said or "", found.get(part, "")])
    return found


def _worst(healths: Iterable[str]) -> str:
    found = set(healths)
    order = (Health.DOWN.value, Health.SLOW.value, UNKNOWN, Health.OK.value)
    return next((health for health in order if health in found), UNKNOWN)


def _uptime(days: list[Day]) -> str:
    """Return the share of the known time in which it worked, slowly perhaps; "" where nothing is known."""
    known, down = sum(day.known for day in days), sum(day.down for day in days)
    if not known:
        return ""
    # Down to hundredths, never up: 99.996 % is not "100 %".
    hundredths = (known - down) * 10_000 // known
    return f"{number_format(hundredths / 100, 2 if hundredths % 100 else 0)}%"


def _summary(days: list[Day]) -> str:
    counted: dict[Any, int] = {}
    for day in days:
        counted[day.health] = counted.get(day.health, 0) + 1
    said = [f"{health_label(health)}: {count}" for health, count in counted.items()]
    return _("Of the last %(days)s days: %(counts)s.") % {
        "days": len(days),
        "counts": ", ".join(said),
    }
