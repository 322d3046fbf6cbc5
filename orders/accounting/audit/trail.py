"""The trail's part of the audit: the chain holds, each day's rows are as they were, and the triggers are in place."""

from datetime import datetime, timedelta

from accounts.append_only import WORDS, missing_triggers
from accounts.models import TrailEntry
from accounts.trail.chain import broken_entries
from orders.accounting.audit.day_digests import broken_days
from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings

EVERY_NIGHT = timedelta(days=3)  # of the trail and its digests; all of it with `manage.py audit --all`
SAID = {
    "gap": "an entry before it is missing",
    "link": "it does not follow the entry before it",
    "content": "it was changed",
    "origin": "its address or browser was changed",
}


def check_trail(findings: AuditFindings, *, now: datetime, everything: bool = False) -> None:
    """Compare the newest entries and days with what was noted of them, or all; the first broken entry is named."""
    since = None if everything else now - EVERY_NIGHT
    last = TrailEntry.objects.first()
    if last is not None:
        # Kept with the logs, and on paper if you like: who writes the whole chain anew cannot change this one.
        findings.figures.append(("trail: last entry", f"{last.number} {last.hash[:16]}"))
    broken = next(broken_entries(since=since), None)
    if broken is not None:
        entry, problem = broken
        findings.problems.append(f"trail entry {entry.number} of {entry.created_at:%Y-%m-%d}: {SAID[problem]}")
    for number, problem in enumerate(broken_days(since=since)):
        if number < SHOWN_PROBLEMS:
            findings.problems.append(problem)
    findings.problems += [
        f"{WORDS[table]}: a trigger that protects them is gone or off" for table in missing_triggers()
    ]
