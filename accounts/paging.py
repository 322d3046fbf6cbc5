"""Pages of a customer's own rows, the newest first, which may be half a million: numbered as far as it is cheap.

Counting and skipping rows is cheap for thousands and not for more. So only so many are counted, and past the numbered
pages one begins beside a row of the page before, found through the index.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

MAX_NUMBERED_PAGES = 100  # the rows before the last of them take a few milliseconds to skip


@dataclass(frozen=True)
class LongPage:
    """The rows of one page. `number` is None past the numbered pages, `pages` where nobody has counted them all."""

    rows: list[Any]
    number: int | None
    pages: int | None
    counted: int  # rows, at most those of the numbered pages and one more
    previous: Mapping[str, Any] | None  # what the address of the page before says: `page`, `after` and `before`
    following: Mapping[str, Any] | None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def open_page(rows: QuerySet[Any, Any], params: Mapping[str, Any], size: int) -> LongPage:
    """Return the page of rows that the parameters `page`, `after` or `before` ask for, the nearest if there is none.

    `rows` are ordered by `-id`. Two statements; one more where no row lies beside the one that was named.
    """
    after, before = _whole(params.get("after")), _whole(params.get("before"))
    if after or before:
        found = _beside(rows, after, before, size)
        if found is not None:
            return found
    most = MAX_NUMBERED_PAGES * size
    # Counted and found at once: a search takes as long for its count as for its rows.
    ids = list(rows.values_list("pk", flat=True)[: most + 1])
    counted = len(ids)
    last = max(1, min(-(-counted // size), MAX_NUMBERED_PAGES))
    number = min(_whole(params.get("page")) or 1, last)
    begins = (number - 1) * size
    shown = list(rows.filter(pk__in=ids[begins : begins + size]))
    following: dict[str, Any] | None = _at(page=number + 1) if number < last else None
    if number == last and counted > most and shown:
        following = _at(before=shown[-1].pk)
    previous = _at(page=number - 1) if number > 1 else None
    return LongPage(shown, number, None if counted > most else last, counted, previous, following)


def _beside(rows: QuerySet[Any, Any], after: int | None, before: int | None, size: int) -> LongPage | None:
    """Return the page right after or before a row; None where there is none, or not a whole one with newer rows."""
    if after:
        found = list(rows.filter(pk__gt=after).order_by("id")[: size + 1])
        if len(found) <= size:
            return None  # the newest are the first page
        shown, more = found[:size][::-1], True
    else:
        found = list(rows.filter(pk__lt=before)[: size + 1])
        shown, more = found[:size], len(found) > size
    if not shown:
        return None
    following = _at(before=shown[-1].pk) if more else None
    return LongPage(shown, None, None, 0, _at(after=shown[0].pk), following)


def _at(**chosen: int) -> dict[str, Any]:
    return {"page": None, "after": None, "before": None, **chosen}


def _whole(text: Any) -> int | None:
    text = str(text or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
