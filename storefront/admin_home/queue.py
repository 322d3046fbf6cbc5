"""One queue over everything that waits for a human, the most urgent first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from accounts.moments import write_distance
from storefront.admin_home import waiting_orders, waiting_shop
from storefront.admin_home.lines import Kind, Line, Survey

KINDS: list[Kind] = [*waiting_orders.KINDS, *waiting_shop.KINDS]
MOST_SHOWN = 50


@dataclass(frozen=True)
class Part:
    """How much of a kind waits, and where all of it is listed."""

    title: str
    total: int
    link: str


@dataclass(frozen=True)
class Waiting:
    """What may be shown to somebody: lines with the title of their kind, by urgency, and how much there is of each."""

    lines: list[tuple[str, Line]]
    parts: list[Part]

    def shown_to(self, user: Any, *, now: datetime) -> dict[str, Any]:
        """Return the queue of one person: without what they may not decide about, and not longer than a page."""
        mine = [(title, line) for title, line in self.lines if user.pk not in line.not_for]
        unread = sum(part.total for part in self.parts) - len(self.lines)
        rows = [
            {"kind": title, "line": line, "age": write_distance(line.since, now=now) if line.since else ""}
            for title, line in mine[:MOST_SHOWN]
        ]
        return {"rows": rows, "more": max(len(mine) - MOST_SHOWN, 0) + unread, "parts": self.parts}


def waiting(survey: Survey, kinds: Collection[str]) -> Waiting:
    """Return what waits of these kinds; a few statements a kind, whatever waits."""
    parts, lines, seen = [], [], set[str]()
    for kind in KINDS:
        if kind.name not in kinds:
            continue
        found = kind.read(survey)
        fresh = [line for line in found.lines if not line.same_as or line.same_as not in seen]
        seen.update(line.same_as for line in fresh)
        total = found.total - len(found.lines) + len(fresh)
        if total:
            parts.append(Part(str(kind.title), total, _list_of(kind)))
        lines += [(str(kind.title), line) for line in fresh]
    lines.sort(key=lambda titled: titled[1].urgency(survey.now), reverse=True)
    return Waiting(lines, parts)


def _list_of(kind: Kind) -> str:
    name, _, query = kind.listed_at.partition("?")
    address = reverse(f"admin:{name}")
    return f"{address}?{query}" if query else address
