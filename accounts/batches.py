"""Going through many rows while the shop sells: a few at a time, and not for long."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet

from upstream.limits.time_left import is_over

ROWS_AT_ONCE = 500  # one short statement: nobody waits behind it
RUN_SECONDS = 20.0  # of one run for one table; the next run goes on


def while_time_is_left(seconds: float | None = None) -> Iterator[None]:
    """Yield for every batch that may still begin; without `seconds` RUN_SECONDS are the limit."""
    ends_at = time.monotonic() + (RUN_SECONDS if seconds is None else seconds)
    while time.monotonic() < ends_at and not is_over():
        yield


def batches(rows: QuerySet[Any], *, seconds: float | None = None) -> Iterator[list[int]]:
    """Yield the ids of these rows some at a time, for who does something after which they are no such rows any more.

    Ends when none is left, or the time is over.
    """
    for _batch in while_time_is_left(seconds):
        ids = list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE])
        if not ids:
            return
        yield ids


def delete_in_batches(old: QuerySet[Any], *, seconds: float | None = None) -> int:
    """Delete these rows batch by batch until none is left or the time is over; return how many."""
    deleted = 0
    for ids in batches(old, seconds=seconds):
        # Asked again: a row may have stopped being old since.
        gone, _models = old.order_by().filter(pk__in=ids).delete()
        deleted += gone
    return deleted


def spans(rows: QuerySet[Any], size: int = ROWS_AT_ONCE) -> Iterator[tuple[int, int]]:
    """Yield pairs of ids: above the first and up to the second there are `size` of these rows at most."""
    after = 0
    ids = rows.order_by("pk").values_list("pk", flat=True)
    while batch := list(ids.filter(pk__gt=after)[:size]):
        yield after, batch[-1]
        after = batch[-1]


def rewrite_texts(rows: QuerySet[Any], column: str, rewrite: Callable[[str], str]) -> int:
    """Put what `rewrite` makes of it in the place of a text of each row; return how many changed.

    No row is held for longer than its own update, and one that somebody else writes in between stays as they wrote it.
    """
    changed = 0
    for after, last in spans(rows):
        for pk, text in list(rows.filter(pk__gt=after, pk__lte=last).values_list("pk", column)):
            if (new := rewrite(text)) != text:
                changed += rows.filter(pk=pk, **{column: text}).update(**{column: new})
    return changed
