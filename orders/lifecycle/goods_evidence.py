"""When each delivered line came, and when it was first opened: kept by how many lines there were at the time.

Lines are only ever added, so that whoever opened a hundred lines opened the first fifty too. The log of looks says the
same by day, but is forgotten one day; this stays with the goods.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orders.models import DeliveredGoods, GoodsReveal

Moments = list[list[object]]  # [pieces, moment as ISO 8601], in their order


@dataclass(frozen=True)
class Evidence:
    """What is known of one line. Never opened: `first_opened_at` is None."""

    delivered_at: datetime
    first_opened_at: datetime | None


def arrived(before: Moments, pieces: int, now: datetime) -> Moments:
    """Return the arrivals with the newest one."""
    return [*before, [pieces, now.isoformat()]]


def arrivals_of(goods: DeliveredGoods) -> Moments:
    """Return the arrivals of all lines that are there. Of those that came without a note, from before arrivals were
    noted or from an older release beside this one, at least when the last of them came is known."""
    known: Moments = goods.arrivals
    return known if _pieces(known) >= goods.pieces else arrived(known, goods.pieces, goods.received_at)


def note_openings(found: Sequence[DeliveredGoods], now: datetime) -> None:
    """Note of goods that have lines nobody has opened before that they are opened now; most looks write nothing.

    Part of the caller's transaction. The rows come with `pieces` and `openings`.
    """
    alike: dict[tuple[int, str], list[DeliveredGoods]] = defaultdict(list)
    for goods in found:
        if _pieces(goods.openings) < goods.pieces:
            alike[goods.pieces, repr(goods.openings)].append(goods)
    for (pieces, _openings), rows in alike.items():
        before = rows[0].openings
        # Whoever comes second has seen the same lines; more that came meanwhile are noted at their own look.
        unchanged = DeliveredGoods.objects.filter(pk__in=[goods.pk for goods in rows], openings=before)
        unchanged.update(openings=arrived(before, pieces, now))


def evidence_of(goods: DeliveredGoods, numbers: Sequence[int]) -> dict[int, Evidence]:
    """Return what is known of these lines, counted from 1; one query."""
    days = GoodsReveal.objects.filter(goods=goods).order_by("created_at").values_list("created_at", flat=True)
    looks = list(days)
    found = {}
    for number in numbers:
        delivered_at = _first(arrivals_of(goods), number) or goods.received_at
        noted = _first(goods.openings, number)
        seen = next((look for look in looks if look >= delivered_at), None)
        moments = [moment for moment in (noted, seen) if moment is not None]
        found[number] = Evidence(delivered_at, min(moments, default=None))
    return found


def _pieces(moments: Moments) -> int:
    return int(str(moments[-1][0])) if moments else 0


def _first(moments: Moments, number: int) -> datetime | None:
    return next((datetime.fromisoformat(str(moment)) for pieces, moment in moments if int(str(pieces)) >= number), None)
