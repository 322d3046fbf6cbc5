"""What backups are called, and which of them are kept."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

_NAME = re.compile(r"shop-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)\.(?:dump|sqlite3)\.age")
_MOMENT = "%Y-%m-%dT%H-%M-%SZ"
NOTE = ".json"  # beside each backup: its checksum, and of what it is


def name_of(moment: datetime, ending: str) -> str:
    """Return the name of the backup that is taken at this moment; `ending` says what it holds: dump or sqlite3."""
    return f"shop-{moment.astimezone(UTC):{_MOMENT}}.{ending}.age"


def moment_of(name: str) -> datetime | None:
    """Return when a backup was taken, by its name; None for what is no backup of ours."""
    found = _NAME.fullmatch(name)
    return datetime.strptime(found[1], _MOMENT).replace(tzinfo=UTC) if found else None


def kept(names: Iterable[str], *, daily: int, weekly: int, monthly: int) -> set[str]:
    """Return which backups stay: the newest of each of the last `daily` days, `weekly` weeks and `monthly` months.

    Days without a backup count for nothing: a shop that stood still keeps what it has.
    """
    dated = sorted(((moment, name) for name in names if (moment := moment_of(name))), reverse=True)
    spans: list[tuple[int, Callable[[datetime], object]]] = [
        (daily, datetime.date),
        (weekly, lambda moment: moment.isocalendar()[:2]),
        (monthly, lambda moment: (moment.year, moment.month)),
    ]
    stays: set[str] = set()
    for count, span_of in spans:
        newest: dict[object, str] = {}
        for moment, name in dated:
            newest.setdefault(span_of(moment), name)
        stays.update(list(newest.values())[:count])
    return stays
