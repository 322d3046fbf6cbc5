"""The long work of editing many services, and of putting back what they were before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import EditedService
from catalog.operations.check_file import CHECK_SERVICE_FILE
from catalog.operations.places import Place, put_into
from catalog.operations.service_edits import Edit, NotEditable, Row, Values, locked_rows, mark_of, why_not, write_values
from catalog.pricing import exchange_rate_micros
from jobs.kinds import Kind, Problem, Step, declare
from jobs.models import StaffJob

AT_ONCE = 250  # services in one transaction: some tenths of a second
# Of a place, what follows from `category_id`, or is what a sync has found.
OF_SYNCS = {*Place._fields} - {"category_id"}


class EditServices(Kind):
    """Makes services what an `Edit` says, as its preview has shown it; what would become of them another way stays.

    Params: the edit, the ids of the services that the preview was of, and the mark of each one's change.
    """

    name = "edit_services"
    permission = "catalog.change_service"

    def total(self, job: StaffJob) -> int:
        return len(job.params["ids"])

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        start = int(job.position or 0)
        ids: list[int] = job.params["ids"][start : start + AT_ONCE]
        seen = dict(zip(ids, job.params["marks"][start : start + AT_ONCE], strict=True))
        edit, rate = Edit(**job.params["edit"]), exchange_rate_micros(now)
        rows, changes, problems = locked_rows(ids), {}, []
        for row in rows:
            try:
                after = edit.of(row, exchange_rate_micros=rate)
            except NotEditable as why:
                problems.append(_problem(row, str(why)))
                continue
            if mark_of(row, after) == seen[row.id]:
                changes[row.id] = after
            else:
                problems.append(_problem(row, _("It has been changed since.")))
        _write(job, changes, rows, now)
        end = start + len(ids)
        return Step(str(end), len(ids), end >= len(job.params["ids"]), problems)


class FollowsJob(Kind):
    """Goes through what another job has kept of services. Params: that job's id.

    What somebody has changed since stays as it is.
    """

    permission = "catalog.change_service"
    expected: str  # which of `EditedService`'s values a service has to have now
    wanted: str  # and which it gets

    def total(self, job: StaffJob) -> int:
        return EditedService.objects.filter(job=job.params["job"]).count()

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        kept = EditedService.objects.filter(job=job.params["job"], service__gt=int(job.position or 0))
        edited = {each.service_id: each for each in kept.order_by("service")[:AT_ONCE]}
        rows, changes, problems = locked_rows(edited), {}, []
        rate = exchange_rate_micros(now)
        for row in rows:
            values = _given(row.values, getattr(edited[row.id], self.wanted))
            expected = getattr(edited[row.id], self.expected)
            if any(getattr(row.values, name) != value for name, value in expected.items() if name not in OF_SYNCS):
                problems.append(_problem(row, _("It has been changed since.")))
            elif why := why_not(row, values, exchange_rate_micros=rate):
                problems.append(_problem(row, why))
            else:
                changes[row.id] = values
        _write(job, changes, rows, now)
        last = max(edited, default=0)
        return Step(str(last), len(edited), len(edited) < AT_ONCE, problems)


class PutServicesBack(FollowsJob):
    """Gives services back what a job has changed of them."""

    name = "put_services_back"
    expected, wanted = "after", "before"


class ImportServices(FollowsJob):
    """Does what the check of a file has found that it would."""

    name = "import_services"
    expected, wanted = "before", "after"


EDIT_SERVICES, PUT_SERVICES_BACK, IMPORT_SERVICES = EditServices(), PutServicesBack(), ImportServices()
CHANGES_SERVICES = (EDIT_SERVICES.name, PUT_SERVICES_BACK.name, IMPORT_SERVICES.name)


def declare_kinds() -> None:
    """Let the workers know these kinds of jobs."""
    declare(EDIT_SERVICES)
    declare(PUT_SERVICES_BACK)
    declare(IMPORT_SERVICES)
    declare(CHECK_SERVICE_FILE)


def _write(job: StaffJob, changes: dict[int, Values], rows: Sequence[Row], now: datetime) -> None:
    written = write_values(changes, [row for row in rows if row.id in changes], now=now)
    EditedService.objects.bulk_create(
        EditedService(job_id=job.pk, service_id=each.id, before=each.before, after=each.after) for each in written
    )


def _given(now: Values, kept: dict[str, Any]) -> Values:
    """Return a service with values that were kept. Where it stood is put right with where upstream has it now."""
    values = now._replace(**{name: value for name, value in kept.items() if name not in Place._fields})
    if "category_id" not in kept:
        return values
    goes_home = "upstream_category_id" in kept and kept["upstream_category_id"] is None
    return values._replace(**put_into(now.place, None if goes_home else kept["category_id"])._asdict())


def _problem(row: Row, text: str) -> Problem:
    name: Any = row.values.display_name or row.name
    return Problem(f"#{row.upstream_id} {name}", text, reverse("admin:catalog_service_change", args=[row.id]))
