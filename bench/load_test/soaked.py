"""What a soak has shown: tables to print, and the aims that were missed."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING

from bench.load_test.run import Report
from bench.load_test.samples import SERVERS, Sample, Trend, trend
from bench.soak import (
    AIM_GROWTH,
    AIM_PAGE_MS,
    AIM_WAITING_SECONDS,
    SHORTEST_JUDGED_SECONDS,
    SPARE_CONNECTIONS,
    Day,
)

if TYPE_CHECKING:
    from bench.load_test.customers import Asked

KINDS = {"page": "pages of the shop", "api": "calls of the API", "numbers": "numbers bought", "admin": "the admin"}


def tables(day: Day, report: Report) -> Iterator[str]:
    """Yield the lines of what was seen, fit for a document."""
    yield from _of_answers(day)
    yield from _of_growth(day)
    yield from _of_waiting(day)
    yield ""
    yield f"{report.orders} orders, {day.webhooks} webhooks; {report.repeats} requests repeated"
    for title, counted in (("killed", report.kills), ("ended by itself", report.gave_up), ("faults", report.faults)):
        yield f"{title}: {', '.join(f'{name} {count}' for name, count in sorted(counted.items())) or 'none'}"
    yield f"stopped at the redeploy within: {', '.join(f'{name} {took:.1f} s' for name, took in day.stops.items())}"
    yield (
        f"lost {report.lost}, doubled {report.duplicates}, found again {report.adopted}, proved absent "
        f"{report.proved_absent}, booked as losses {report.losses}, left to staff {report.needing_a_human}"
    )


def missed(day: Day) -> Iterator[str]:
    """Yield the aims that were missed, each in words."""
    calm = [one for one in day.asked if one.what == "page" and day.is_calm(one)]
    if calm and (p99 := p99_ms(calm)) >= AIM_PAGE_MS:
        yield f"pages took {p99:.0f} ms in calm (p99; aim: under {AIM_PAGE_MS:.0f})"
    unanswered = [one for one in day.asked if not one.answered and day.is_calm(one)]
    if unanswered:
        yield f"{len(unanswered)} requests were not answered in calm, the first of kind {unanswered[0].what}"
    for name, seconds in _last_waiting(day).items():
        if seconds >= AIM_WAITING_SECONDS:
            yield f"{name} waits {seconds:.1f} s at the end (aim: under {AIM_WAITING_SECONDS:.0f})"
    if day.ended - day.redeployed < SHORTEST_JUDGED_SECONDS:
        return
    for name, seen in growths(day).items():
        if name != "connections" and seen.growth >= AIM_GROWTH:
            yield f"{name} grows: {seen.before:.0f} → {seen.after:.0f} MB (aim: under {AIM_GROWTH:.0%})"
        if name == "connections" and seen.after > seen.before * (1 + AIM_GROWTH) + SPARE_CONNECTIONS:
            yield f"connections grow: {seen.before:.0f} → {seen.after:.0f}"


def growths(day: Day) -> dict[str, Trend]:
    """Return the trend of memory by process and of connections over the last third: its halves beside each other.

    A third of the time, because the first third of the quiet half is left out.
    """
    quiet_since = day.redeployed + (day.ended - day.redeployed) / 3  # what is new has loaded what it needs by then
    last = [one for one in day.samples if one.at >= quiet_since]
    names = dict.fromkeys(name for one in last for name in one.memory_mb)
    figures: dict[str, Callable[[Sample], float | None]] = {
        # A server that keeps data has more of it every minute: what is asked of it is that it keeps to its limits.
        name: lambda one, name=name: one.memory_mb.get(name)  # type: ignore[misc]
        for name in names
        if name not in SERVERS
    }
    figures["connections"] = lambda one: one.connections
    found = {name: trend(last, figure) for name, figure in figures.items()}
    return {name: seen for name, seen in found.items() if seen is not None}


def p99_ms(asked: "list[Asked]") -> float:
    """Return what 99 of a hundred did not exceed, in milliseconds."""
    seconds = sorted(one.seconds for one in asked)
    return 1000 * seconds[min(int(0.99 * len(seconds)), len(seconds) - 1)]


def _of_answers(day: Day) -> Iterator[str]:
    yield ""
    columns = "asked | median | p99 | not answered |"
    yield f"| | in calm: {columns} while something died or was deployed: {columns}"
    yield "|---|---|---|---|---|---|---|---|---|"
    for what, title in KINDS.items():
        of_it = [one for one in day.asked if one.what == what]
        cells = []
        for asked in ([one for one in of_it if day.is_calm(one)], [one for one in of_it if not day.is_calm(one)]):
            took = median(one.seconds for one in asked) if asked else 0.0
            failed = sum(not one.answered for one in asked)
            cells.append(f"{len(asked):,} | {1000 * took:.0f} ms | {p99_ms(asked) if asked else 0:.0f} ms | {failed}")
        yield f"| {title} | {' | '.join(cells)} |"


def _of_growth(day: Day) -> Iterator[str]:
    yield ""
    yield "| megabytes, and connections to the database | last third, first half | second half | growth |"
    yield "|---|---|---|---|"
    for name, seen in growths(day).items():
        yield f"| {name} | {seen.before:.0f} | {seen.after:.0f} | {seen.growth:+.1%} |"


def _of_waiting(day: Day) -> Iterator[str]:
    yield ""
    yield "| the oldest that waits: seconds | longest | median | at the end |"
    yield "|---|---|---|---|"
    last = _last_waiting(day)
    for name in last:
        seen = [one.waiting[name] for one in day.samples]
        yield f"| {name} | {max(seen):.1f} | {median(seen):.1f} | {last[name]:.1f} |"


def _last_waiting(day: Day) -> dict[str, float]:
    """Return the medians over the last tenth of the samples, at least three."""
    last = day.samples[-max(len(day.samples) // 10, 3) :]
    return {name: median(one.waiting[name] for one in last) for name in (last[0].waiting if last else {})}
