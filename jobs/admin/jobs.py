"""The page of a job: its progress while it is at work, what came of it, its file. Everybody sees their own."""

import zlib
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import ReadOnlyAdmin, member_of_staff
from jobs.admin.list_files import ask_page
from jobs.kinds import kind_of
from jobs.models import StaffJob
from jobs.operations import stop
from jobs.retention import FILES_KEPT

State = StaffJob.State
COLOURS = {State.RUNNING: "info", State.DONE: "success", State.FAILED: "danger", State.STOPPED: "warning"}
SEES_ALL = "jobs.change_staffjob"


@admin.register(StaffJob)
class StaffJobAdmin(ReadOnlyAdmin):
    list_display = ("title", "asked_by", "shown_state", "shown_progress", "created_at", "finished_at")
    list_filter = ("state", "created_at")
    list_select_related = ("asked_by",)
    fields = ("title", "asked_by", "created_at", "finished_at")
    readonly_fields = fields
    change_form_outer_before_template = "admin/jobs/job_page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffJob]:
        jobs: QuerySet[StaffJob] = super().get_queryset(request).defer("params")
        return jobs if request.user.has_perm(SEES_ALL) else jobs.filter(asked_by=member_of_staff(request))

    def get_urls(self) -> list[URLPattern]:
        here, wrap = "jobs_staffjob", self.admin_site.admin_view
        own = [
            path("<path:object_id>/progress/", wrap(self.progress), name=f"{here}_progress"),
            path("<path:object_id>/file/", wrap(self.file), name=f"{here}_file"),
            path("list/<str:model>/", wrap(self.list_file), name=f"{here}_list"),
            path("<path:object_id>/stop/", wrap(self.stop), name=f"{here}_stop"),
        ]
        return [*own, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *_more: Any, **more: Any) -> Any:
        """Show the job above its fields."""
        context["job"], context["has_file"] = context["original"], has_file(context["original"])
        return super().render_change_form(request, context, *_more, **more)

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the part of the page that changes while the job is at work."""
        job = self._mine(request, object_id)
        return render(request, "admin/jobs/progress.html", {"job": job, "has_file": has_file(job)})

    def file(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """Hand out the file that a job has made, to who asked for it."""
        job = self._mine(request, object_id)
        staff = member_of_staff(request)
        if job.asked_by_id != staff.pk or not has_file(job) or not kind_of(job).allows(staff, job.params):
            raise Http404
        answer = StreamingHttpResponse(_parts(job), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = content_disposition_header(True, job.file_name)
        return answer

    def list_file(self, request: HttpRequest, model: str) -> HttpResponse:
        """Have the rows of a list saved as a file."""
        return ask_page(request, model, self.admin_site.each_context(request))

    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a job end where it is; whoever comes back from confirming who they are presses again on its page."""
        job = self._mine(request, object_id)
        if request.method != "POST":
            return HttpResponseRedirect(page_of(job))
        if stop(job, by=member_of_staff(request), now=timezone.now()):
            messages.success(request, _("The job has been stopped. What it had done stays done."))
        else:
            messages.info(request, _("The job had ended before."))
        return HttpResponseRedirect(page_of(job))

    @display(description=gettext_lazy("state"), ordering="state", label=COLOURS)
    def shown_state(self, job: StaffJob) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description=gettext_lazy("progress"))
    def shown_progress(self, job: StaffJob) -> str:
        return "" if job.percent is None else f"{job.percent}%"

    def _mine(self, request: HttpRequest, object_id: str) -> StaffJob:
        job: StaffJob | None = self.get_object(request, object_id)
        if job is None or not self.has_view_permission(request):
            raise Http404
        return job


def page_of(job: StaffJob) -> str:
    """Return the address of a job's page."""
    return reverse("admin:jobs_staffjob_change", args=[job.pk])


def has_file(job: StaffJob) -> bool:
    """Whether a job has made a file that is there still."""
    kept = job.finished_at is not None and job.finished_at > timezone.now() - FILES_KEPT
    return bool(job.file_name and job.state == State.DONE and kept)


def _parts(job: StaffJob) -> Iterator[bytes]:
    for packed in job.parts.order_by("number").values_list("packed", flat=True).iterator(chunk_size=1):
        yield zlib.decompress(packed)
