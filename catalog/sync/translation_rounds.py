"""Rounds of asking for names in other languages: when one begins, and where one that was interrupted goes on.

A round asks for every language of CATALOG_LANGUAGES once. It may take several runs: each writes what it has read at
once and keeps its place in its row, so that the next one begins there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from catalog.models import SyncRun
from catalog.sync.runs import RunningSync, keep_counts

RUN_SECONDS = 20 * 60  # then the next run goes on: a worker stops every task after half an hour


@dataclass
class Round:
    """Where a round stands: the languages still to be asked, the first of them now; `notes` are the asker's own."""

    began: datetime
    asked: list[str]
    left: list[str]
    notes: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return not self.left

    def next_language(self) -> None:
        """Go on with the next language."""
        self.left, self.notes = self.left[1:], {}

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "began": self.began.isoformat()}


def is_due(kind: str, *, now: datetime) -> bool:
    """Whether there is something to ask for: a new round, or what an interrupted one has left; one query, or none."""
    if not settings.CATALOG_LANGUAGES:
        return False
    last = _last_round(kind)
    return last is None or not last.is_over or _is_old(last, now)


def open_round(run: RunningSync) -> Round:
    """Return the round that this run goes on with, else a new one."""
    now, languages = run.row.started_at, list(settings.CATALOG_LANGUAGES)
    last = _last_round(run.row.kind, before=run.row.pk)
    if last is None or last.is_over or now - last.began > 2 * _interval():
        return Round(now, languages, [*languages])
    if last.left[0] not in languages:
        last.notes = {}
    last.left = [code for code in last.left if code in languages]
    return last


def steps(run: RunningSync, current: Round) -> Iterator[None]:
    """Yield for each step that this run may take: one in any case, more while there is something left and time."""
    while not current.is_over:
        yield
        if run.clock() - run.row.started_at >= timedelta(seconds=RUN_SECONDS):
            return


def keep_place(run: RunningSync, current: Round) -> None:
    """Write down where the round stands, in the transaction that writes what was read. Raises SyncTakenOver."""
    keep_counts(run, translations=current.as_json())


def _last_round(kind: str, *, before: int | None = None) -> Round | None:
    runs = SyncRun.objects.filter(kind=kind).exclude(translations={})
    if before is not None:
        runs = runs.filter(pk__lt=before)
    for stored in runs.order_by("-pk").values_list("translations", flat=True)[:1]:
        return Round(**{**stored, "began": datetime.fromisoformat(stored["began"])})
    return None


def _is_old(last: Round, now: datetime) -> bool:
    return now - last.began >= _interval() or not set(settings.CATALOG_LANGUAGES) <= set(last.asked)


def _interval() -> timedelta:
    return timedelta(seconds=settings.SYNC_TRANSLATIONS_EVERY_SECONDS)
