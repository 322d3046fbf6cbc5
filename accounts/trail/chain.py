"""The chain of the trail: each entry has the hash of the one before it.

Who changes an entry, or takes one out, changes every hash after it. Who writes all of them anew changes the last, and
that one is in the log of every night's audit, on whatever machine the logs are kept.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from accounts.models import TrailEntry


def origin_digest(salt: str, address: str | None, agent: str) -> str:
    """Return what proves where an entry was made from, without telling it."""
    return _sha256([salt, address or "", agent])


def new_salt() -> str:
    return secrets.token_hex(16)


def hash_of(entry: TrailEntry) -> str:
    """Return the hash of an entry over everything in it that retention never touches, and the hash before it."""
    return _sha256(
        [
            entry.previous,
            entry.number,
            _microseconds(entry.created_at),
            entry.action,
            entry.actor_id,
            entry.actor,
            entry.origin_digest,
            *(entry.target_type, entry.target_id, entry.target),
            *(entry.before, entry.after),
        ]
    )


def broken_entries(*, since: datetime | None = None) -> Iterator[tuple[TrailEntry, str]]:
    """Yield each entry at which the chain does not hold, oldest first, and what is wrong with it.

    With `since` the entries from then on are looked at, and the oldest of them is believed what it says of the one
    before it. What follows a broken entry is compared with what that one says of itself: it is named once.
    """
    entries = TrailEntry.objects.order_by("number")
    before: TrailEntry | None = None
    if since is not None:
        first = entries.filter(created_at__gte=since).values_list("number", flat=True).first()
        if first is None:
            return
        before = entries.filter(number__lt=first).last()
        entries = entries.filter(number__gte=first)
    for entry in entries.iterator(chunk_size=1000):
        if problem := _problem(entry, before):
            yield entry, problem
        before = entry


def _problem(entry: TrailEntry, before: TrailEntry | None) -> str:
    """Return what is wrong with an entry, in one word each; empty if nothing is."""
    if entry.number != (1 if before is None else before.number + 1):
        return "gap"
    if entry.previous != ("" if before is None else before.hash):
        return "link"
    if entry.hash != hash_of(entry):
        return "content"
    if entry.origin_salt and entry.origin_digest != origin_digest(entry.origin_salt, entry.address, entry.agent):
        return "origin"
    return ""


def _microseconds(moment: datetime) -> int:
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + moment.microsecond


def _sha256(parts: list[object]) -> str:
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
