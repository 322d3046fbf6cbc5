"""What kinds of long work there are. An app declares its kinds when it starts: `declare(Kind())` in its `ready`.

A step is one transaction together with the job's progress: a worker that dies in the middle of a step has done nothing
of it, and whoever takes the job up again begins where the last whole step ended. So a row is never done twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from jobs.models import StaffJob

log = structlog.get_logger(__name__)


class NotDone(Exception):
    """Nothing was done to a row; the text says why, for who asked."""


@dataclass(frozen=True)
class Problem:
    """Something to say about a row: what it is called, what about it, and where its page is.

    `left`: nothing was done to it; else it was done, and there is more to know.
    """

    row: str
    text: str
    url: str = ""
    left: bool = True


@dataclass(frozen=True)
class Step:
    """What a step did: where the next one begins, through how many rows it went, what to say, lines of the file."""

    position: str
    handled: int
    finished: bool
    problems: Sequence[Problem] = field(default_factory=tuple)
    lines: str = ""


class Kind:
    """A kind of long work. `permission` ("app.codename") is asked when it is asked for, and again before each run."""

    name: str
    permission: str = ""

    def allows(self, user: User, params: dict[str, Any]) -> bool:
        """Whether somebody may have a job with these params done."""
        return user.has_perm(self.permission)

    def noted(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return what the trail keeps of what was asked for, beside its kind and how many rows were chosen."""
        return {}

    def total(self, job: StaffJob) -> int | None:
        """Return how many rows there will be; asked once, by the worker. None where nobody can say."""
        raise NotImplementedError

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        """Do what comes next from `job.position` on, in a fraction of a second; part of the caller's transaction."""
        raise NotImplementedError


@dataclass(frozen=True)
class Row:
    """A chosen row: its key, and what of it was seen when it was chosen (`None` where nothing was noted)."""

    key: Any
    seen: Any = None


class Rows(Kind):
    """Does something to rows that were chosen before, one after the other.

    They are in the job's params under "rows", as pairs of key and what was seen (see `chosen`): a row that has changed
    since is left alone, by whoever knows what matters about it.
    """

    rows_at_once = 1  # in one transaction

    def do(self, job: StaffJob, row: Row, *, now: datetime) -> str | None:
        """Do it to one row; return what there is to say about it, if anything.

        Raises NotDone where it was not done, and then nothing has changed.
        """
        raise NotImplementedError

    def describe(self, row: Row) -> tuple[str, str]:
        """Return what a row is called, and the address of its page, for the list of what was left."""
        return str(row.key), ""

    def total(self, job: StaffJob) -> int | None:
        return len(job.rows)

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        start = int(job.position or 0)
        rows = [Row(*pair) for pair in job.rows[start : start + self.rows_at_once]]
        problems = [problem for row in rows if (problem := self._try(job, row, now))]
        end = start + len(rows)
        return Step(str(end), len(rows), end >= len(job.rows), problems)

    def _try(self, job: StaffJob, row: Row, now: datetime) -> Problem | None:
        name, url = self.describe(row)
        try:
            with transaction.atomic():
                said = self.do(job, row, now=now)
        except NotDone as why:
            return Problem(name, str(why), url)
        except (OperationalError, InterfaceError):
            raise  # the database is away, or two waited for each other: the step is tried again as a whole
        except Exception:
            log.exception("job_row_failed", job_id=job.pk, row=row.key)
            return Problem(
                name, _("Something unexpected went wrong. Nothing was changed here; the log says more."), url
            )
        return Problem(name, said, url, left=False) if said else None


def chosen(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the params of a job over rows."""
    return {"rows": [[row.key, row.seen] for row in rows]}


_kinds: dict[str, Kind] = {}


def declare(kind: Kind) -> None:
    """Make a kind known. Raises ValueError when another one has its name."""
    if type(_kinds.get(kind.name, kind)) is not type(kind):
        raise ValueError(f"two kinds of jobs are called {kind.name}")
    _kinds[kind.name] = kind


def kind_of(job: StaffJob) -> Kind:
    """Return the kind of a job. Raises KeyError when no app declares it any more."""
    return _kinds[job.kind]
