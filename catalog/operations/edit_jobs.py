"""The long work of editing many services, and of putting back what they were before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import ServiceBefore
from catalog.operations.service_edits import Edit, NotEditable, Row, Values, locked_rows, write_values
from catalog.pricing import exchange_rate_micros
from jobs.kinds import Kind, Problem, Step, declare
from jobs.models import StaffJob

AT_ONCE = 250  # services in one transaction: some tenths of a second


class EditServices(Kind):
    """Makes services what an `Edit` says. Params: the edit, and the ids of the services that the preview was of."""

    name = "edit_services"
    permission = "catalog.change_service"

    def total(self, job: StaffJob) -> int:
        return len(job.params["ids"])

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        start = int(job.position or 0)
        ids: list[int] = job.params["ids"][start : start + AT_ONCE]
        edit, rate = Edit(**job.params["edit"]), exchange_rate_micros(now)
        rows, changes, problems = locked_rows(ids), {}, []
        for row in rows:
            try:
                changes[row.id] = edit.of(row, exchange_rate_micros=rate)
            except NotEditable as why:
                problems.append(_problem(row, str(why)))
        _write(job, changes, rows, now)
        end = start + len(ids)
        return Step(str(end), len(ids), end >= len(job.params["ids"]), problems)


class PutServicesBack(Kind):
    """Gives services back what a job has changed of them. Params: the job's id.

    What somebody has changed since stays as it is.
    """

    name = "put_services_back"
    permission = "catalog.change_service"

    def total(self, job: StaffJob) -> int:
        return ServiceBefore.objects.filter(job=job.params["job"]).count()

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        kept = ServiceBefore.objects.filter(job=job.params["job"], service__gt=int(job.position or 0))
        befores = {each.service_id: each for each in kept.order_by("service")[:AT_ONCE]}
        rows, changes, problems = locked_rows(befores), {}, []
        for row in rows:
            before = befores[row.id]
            if row.left_out and before.before.get("visible"):
                problems.append(_problem(row, _("An import rule leaves this service out. Change the rule first.")))
            elif any(getattr(row.values, name) != value for name, value in before.after.items()):
                problems.append(_problem(row, _("It has been changed since.")))
            else:
                changes[row.id] = row.values._replace(**before.before)
        _write(job, changes, rows, now)
        last = max(befores, default=0)
        return Step(str(last), len(befores), len(befores) < AT_ONCE, problems)


EDIT_SERVICES, PUT_SERVICES_BACK = EditServices(), PutServicesBack()


def declare_kinds() -> None:
    """Let the workers know these kinds of jobs."""
    declare(EDIT_SERVICES)
    declare(PUT_SERVICES_BACK)


def _write(job: StaffJob, changes: dict[int, Values], rows: Sequence[Row], now: datetime) -> None:
    written = write_values(changes, [row for row in rows if row.id in changes], now=now)
    ServiceBefore.objects.bulk_create(
        ServiceBefore(job_id=job.pk, service_id=each.id, before=each.before, after=each.after) for each in written
    )


def _problem(row: Row, text: str) -> Problem:
    name: Any = row.values.display_name or row.name
    return Problem(f"#{row.upstream_id} {name}", text, reverse("admin:catalog_service_change", args=[row.id]))
