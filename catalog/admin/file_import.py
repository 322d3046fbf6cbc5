"""Changing services by a file: a worker compares it first, the page shows every difference, then it is imported."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_htmx.http import HttpResponseClientRefresh
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget

from accounts.admin.widgets import member_of_staff
from accounts.typed_forms import Form
from catalog.admin.edited_values import changes_in_words
from catalog.models import EditedService, Service, ServiceFilePart
from catalog.operations.check_file import CHECK_SERVICE_FILE
from catalog.operations.edit_jobs import IMPORT_SERVICES
from catalog.operations.service_files import COLUMNS, KEY, MAX_ROWS, ServiceFile, UnreadableFile, read_file
from jobs.models import StaffJob
from jobs.operations import ask_for

ROWS_A_PAGE = 50
PARTS_AT_ONCE = 50
LONGEST_FILE_NAME = 80


class FileForm(Form):
    file = forms.FileField(label=gettext_lazy("File"), widget=UnfoldAdminFileFieldWidget, max_length=255)

    read: ServiceFile

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            self.read = read_file(file.read())
        except UnreadableFile as why:
            raise forms.ValidationError(str(why)) from why
        return file


class FileImport(UnfoldModelAdmin):
    """The part of the pages of services that reads files."""

    def get_urls(self) -> list[URLPattern]:
        """Return the pages of services, with those of a file."""
        view = self.admin_site.admin_view
        own = [
            path("import/", view(self.import_view), name="catalog_service_import"),
            path("import/<int:job>/", view(self.checked_view), name="catalog_service_checked"),
        ]
        return [*own, *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and have it compared with the services."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
        if request.method == "POST" and form.is_valid():
            job = _have_it_checked(request, form.read, form.cleaned_data["file"].name)
            if form.read.ignored:
                words = _("Nothing is done with these columns: %(columns)s.")
                messages.info(request, words % {"columns": ", ".join(form.read.ignored)[:300]})
            return HttpResponseRedirect(reverse("admin:catalog_service_checked", args=[job.pk]))
        title = _("Change services by a file")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "content_title": title,
            "form": form,
            "key": KEY,
            "columns": COLUMNS[1:],
            "most": MAX_ROWS,
        }
        return render(request, "admin/catalog/service_import.html", context)

    def checked_view(self, request: HttpRequest, job: int) -> HttpResponse:
        """Show what a file would change, and what is wrong with it; import it once that was seen."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        check = get_object_or_404(StaffJob, pk=job, kind=CHECK_SERVICE_FILE.name, asked_by=member_of_staff(request))
        edited = EditedService.objects.filter(job=check)
        done = StaffJob.objects.filter(kind=IMPORT_SERVICES.name, params__job=check.pk).first()
        may_import = check.state == StaffJob.State.DONE and not check.problem_count and done is None
        if request.method == "POST":
            if not (may_import and edited.exists()):
                messages.error(request, _("This file can't be imported, or has been."))
                return HttpResponseRedirect(request.path)
            return self._import(request, check, edited.count())
        htmx = bool(request.htmx)  # type: ignore[attr-defined]  # set by django-htmx
        if htmx and not check.is_unfinished:
            return HttpResponseClientRefresh()
        title = check.title
        page = Paginator(edited.order_by("service"), ROWS_A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "content_title": title,
            "job": check,
            "page": page,
            "table": _table(list(page)),
            "may_import": may_import,
            "import_job": done,
        }
        template = "admin/catalog/service_checked.html"
        return render(request, f"{template}#progress" if htmx else template, context)

    def _import(self, request: HttpRequest, check: StaffJob, count: int) -> HttpResponse:
        words = ngettext("Import %(count)d service: %(file)s", "Import %(count)d services: %(file)s", count)
        job = ask_for(
            IMPORT_SERVICES,
            title=words % {"count": count, "file": check.params["file"]},
            by=member_of_staff(request),
            now=timezone.now(),
            params={"job": check.pk},
            back=reverse("admin:catalog_service_edits"),
        )
        return HttpResponseRedirect(reverse("admin:jobs_staffjob_change", args=[job.pk]))


def _have_it_checked(request: HttpRequest, read: ServiceFile, name: str) -> StaffJob:
    shown = name[-LONGEST_FILE_NAME:]
    with transaction.atomic():
        job = ask_for(
            CHECK_SERVICE_FILE,
            title=_("Check the file %(file)s") % {"file": shown},
            by=member_of_staff(request),
            now=timezone.now(),
            params={"columns": read.columns, "lines": len(read.lines), "file": shown},
            back=reverse("admin:catalog_service_import"),
        )
        parts = (ServiceFilePart(job=job, number=number, rows=part) for number, part in enumerate(read.parts()))
        ServiceFilePart.objects.bulk_create(parts, batch_size=PARTS_AT_ONCE)
    return job


def _table(edited: list[EditedService]) -> dict[str, Any]:
    """Return a row for each service that changes, with each value that does: before → after."""
    services = Service.objects.in_bulk([each.service_id for each in edited])
    rows = []
    for each in edited:
        service = services[each.service_id]
        rows.append([f"#{service.upstream_id}", service.title, changes_in_words(each.before, each.after)])
    return {"headers": [_("ID"), _("Service"), _("Before → after")], "rows": rows}
