"""Incidents as staff writes them: when they last, and what happens when one is written, continued or resolved."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from support.models import Incident, IncidentUpdate
from support.shown_now import tell_of_change

Severity, Stage = Incident.Severity, IncidentUpdate.Stage
AHEAD = timedelta(days=14)  # planned work is told of that early


class IncidentRefused(ValueError):
    """It cannot be so; the text says why."""


def lasting(incident: Incident, now: datetime) -> bool:
    """Whether it has begun and is not over. Planned work is over at the planned end even if nobody says so."""
    over = incident.resolved_at is not None or (incident.planned_until is not None and incident.planned_until <= now)
    return incident.started_at <= now and not over


def ahead(incident: Incident, now: datetime) -> bool:
    """Whether it is planned and has not begun."""
    return incident.resolved_at is None and now < incident.started_at <= now + AHEAD


def with_updates() -> QuerySet[Incident]:
    """Return incidents with what was said of them, the newest first; two queries."""
    return Incident.objects.prefetch_related("updates").order_by("-started_at", "-pk")


def write_update(
    incident_id: int, *, stage: str, texts: Mapping[str, str], actor: User | None, now: datetime
) -> IncidentUpdate:
    """Say something about an incident; "resolved" ends it. Raises IncidentRefused where it has been resolved before."""
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=incident_id)
        if stage == Stage.RESOLVED:
            if incident.resolved_at is not None:
                raise IncidentRefused(_("This incident has been resolved already."))
            incident.resolved_at = max(now, incident.started_at)
            incident.save(update_fields=["resolved_at"])
        update = IncidentUpdate.objects.create(
            incident=incident, stage=stage, texts=dict(texts), created_by=actor, created_at=now
        )
        tell_of_change()
    return update


def open_incident(
    *,
    titles: Mapping[str, str],
    severity: str,
    parts: Sequence[str],
    texts: Mapping[str, str],
    stage: str,
    started_at: datetime,
    planned_until: datetime | None = None,
    actor: User | None,
    now: datetime,
) -> Incident:
    """Write an incident, or planned work, with what there is to say of it first."""
    with transaction.atomic():
        incident = Incident.objects.create(
            titles=dict(titles),
            severity=severity,
            parts=list(parts),
            started_at=started_at,
            planned_until=planned_until,
            created_by=actor,
            created_at=now,
        )
        write_update(incident.pk, stage=stage, texts=texts, actor=actor, now=now)
    return incident
