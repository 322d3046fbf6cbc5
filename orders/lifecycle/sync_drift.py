"""What a sync found that the supplier's document doesn't have: rows nobody can use, types nobody can order."""

from collections import defaultdict
from typing import Any

from django.utils import timezone

from catalog.models import SyncRun
from catalog.sync.service_types import unknown_types
from orders.lifecycle.drift import Subject, note_drift
from upstream.errors import UNREADABLE

LIST_OF = {SyncRun.Kind.CATALOG: "services", SyncRun.Kind.SMS: "sms_projects"}
BESIDES = ("categories", "countries", "balance")


def note_sync(run: SyncRun) -> None:
    """Count what this run could not use, one drift for each field of each list, with the first row as the example."""
    now = run.finished_at or timezone.now()
    for (source, field), rows in _by_field(run).items():
        first = rows[0]
        sample = {"run": run.pk, "rows": len(rows), "row": first["service"], "problem": first["problem"][:200]}
        text = f"{source}: {field}" if field else source
        note_drift(Subject.SET_ASIDE, text, sample, times=len(rows), lasting=True, now=now)
    if run.status == SyncRun.Status.FAILED and UNREADABLE in run.error:
        note_drift(Subject.UNREADABLE, run.error, {"run": run.pk}, now=now)
    if run.kind == SyncRun.Kind.CATALOG and run.status == SyncRun.Status.APPLIED:
        for word, services, example in unknown_types():
            sample = {"type": word, "services": services, "service": example, "run": run.pk}
            note_drift(Subject.SERVICE_TYPE, word or "–", sample, lasting=True, now=now)


def _by_field(run: SyncRun) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in run.set_aside:
        source, _colon, rest = row["service"].partition(": ")
        source = source if source in BESIDES else LIST_OF[SyncRun.Kind(run.kind)]
        found[source, row["field"]].append({**row, "service": rest or row["service"]})
    return found
