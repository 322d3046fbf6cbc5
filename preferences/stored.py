"""What is stored at this moment, as every process knows it within a second or two.

The newest row of each preference holds, and the newest row of all is the version. A process asks the
cache for the version at most once a second, and reads the rows only when it is another one. Whoever changes something
writes the new version into the cache; where that is lost, the database is asked again some seconds later.
"""

import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import Max

from preferences.models import PreferenceChange

VERSION_KEY = "preferences_version"
NOTHING = "0"  # the version of an empty table
ASK_THE_DATABASE = "ask"  # in the cache: a change is under way, which its own transaction sees and others not yet
PROCESS_SECONDS, CACHE_SECONDS = 1.0, 5
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stored:
    """Rows by name of preference, at a version. `read` is for values that have been made of them."""

    version: str
    rows: Mapping[str, Any]
    read: dict[str, Any] = field(default_factory=dict)


_known: tuple[Stored, float] | None = None  # and until when it may be taken
_trying: ContextVar[Stored | None] = ContextVar("trying", default=None)


def stored() -> Stored:
    """Return what is stored; at most a question to the cache and, where that does not know, two short queries.

    While the database cannot be asked, what was known last counts, or that nothing is stored.
    """
    global _known
    trying = _trying.get()
    if trying is not None:
        return trying
    known, now = _known, time.monotonic()
    if known is not None and now < known[1]:
        return known[0]
    try:
        found = _look(known[0] if known else None)
    except DatabaseError as error:
        log.warning("preferences cannot be read: %s", error)
        found = known[0] if known else Stored("", {})
    _known = found, now + PROCESS_SECONDS
    return found


def version() -> str:
    """Return what tells apart pages that were made with other preferences."""
    return stored().version


def forget() -> None:
    """Make this process ask again."""
    global _known
    _known = None


def ask_the_database() -> None:
    """Make every process ask the database until somebody tells of a version, or for some seconds."""
    forget()
    cache.set(VERSION_KEY, ASK_THE_DATABASE, timeout=CACHE_SECONDS)


def tell(new_version: str) -> None:
    """Let every process know of a version that has just been committed."""
    forget()
    cache.set(VERSION_KEY, new_version, timeout=CACHE_SECONDS)


@contextmanager
def trying(rows: Mapping[str, Any]) -> Iterator[None]:
    """Let these rows count here as if they were stored, for a preview; nothing that is cached meanwhile is found later.

    A row that is None stands for the default.
    """
    now = stored()
    token = _trying.set(Stored(f"trying:{uuid.uuid4().hex}", {**now.rows, **rows}))
    try:
        yield
    finally:
        _trying.reset(token)


def newest_rows() -> dict[str, PreferenceChange]:
    """Return the row of each preference that holds, from the database."""
    newest = PreferenceChange.objects.order_by().values("name").annotate(newest=Max("pk")).values("newest")
    return {row.name: row for row in PreferenceChange.objects.filter(pk__in=newest)}


def _look(known: Stored | None) -> Stored:
    newest = cache.get(VERSION_KEY)
    if newest is None or newest == ASK_THE_DATABASE:
        newest = version_of(PreferenceChange.objects.order_by("-pk").only("pk", "changed_at").first())
        # Not over one that has been put there meanwhile.
        cache.add(VERSION_KEY, newest, timeout=CACHE_SECONDS)
    if known is not None and known.version == newest:
        return known
    if newest == NOTHING:
        return Stored(NOTHING, {})
    rows = newest_rows()
    # Newer than what was asked for, if somebody has changed something meanwhile.
    found = version_of(max(rows.values(), key=lambda row: row.pk, default=None))
    return Stored(found, {name: row.after for name, row in rows.items()})


def version_of(newest: PreferenceChange | None) -> str:
    """Return the version, given the newest row; SQLite may give the number of one that was rolled back once more."""
    return NOTHING if newest is None else f"{newest.pk}@{newest.changed_at.timestamp()}"
