"""The rows of a list as a file: with the list's filters and search, made in the background, newest rows first."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin.lists import NO_FILTERS
from accounts.admin.widgets import ModelAdmin, member_of_staff
from accounts.csv_export import CsvLines
from accounts.models import User
from jobs.kinds import Kind, Step, declare
from jobs.models import StaffJob
from jobs.operations import ask_for
from jobs.retention import SEARCHED
from upstream.money import text_from_micros

ROWS_AT_ONCE = 2_000
MICROS = "_micros"
SEARCH = "q"


class ListFile(Kind):
    """A CSV of what a list shows. Its params: the model ("app.model"), and the query string of the list's page."""

    name = "list_file"

    def allows(self, user: User, params: dict[str, Any]) -> bool:
        pages = pages_of(str(params.get("model", "")))
        return pages is not None and pages.has_view_permission(_request_of(user, ""))

    def noted(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"model": params["model"], SEARCHED: params[SEARCHED]}

    def total(self, job: StaffJob) -> int:
        return _rows(job).order_by().count()

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        pages = _known_pages(job.params["model"])
        rows = _rows(job)
        if job.position:
            rows = rows.filter(pk__lt=int(job.position))
        found = list(rows.order_by("-pk").values_list("pk", *pages.file_columns)[:ROWS_AT_ONCE])
        csv = CsvLines()
        lines = [] if job.position else [csv.head(title_of(column) for column in pages.file_columns)]
        lines += [csv.line(_cells(pages.file_columns, values)) for _pk, *values in found]
        position = str(found[-1][0]) if found else job.position
        return Step(position, len(found), len(found) < ROWS_AT_ONCE, lines="".join(lines))


LIST_FILE = ListFile()
declare(LIST_FILE)


def ask_page(request: HttpRequest, model: str, context: dict[str, Any]) -> HttpResponse:
    """Show what a file of a list would hold, and have it made. Raises Http404 for a list without such files."""
    pages = pages_of(model)
    if pages is None:
        raise Http404
    if not pages.has_view_permission(request):
        raise PermissionDenied
    query = request.GET.urlencode()
    back = reverse(f"admin:{model.replace('.', '_')}_changelist") + (f"?{query}" if query else "")
    staff = member_of_staff(request)
    try:
        filtered_rows(pages, staff, query)
    except IncorrectLookupParameters:
        messages.error(request, _("The list can't be filtered like that."))
        return HttpResponseRedirect(reverse(f"admin:{model.replace('.', '_')}_changelist"))
    name = str(pages.opts.verbose_name_plural)
    if request.method == "POST":
        now = timezone.now()
        params = {"model": model, SEARCHED: query}
        file_name = f"{pages.opts.model_name}-{now:%Y-%m-%d-%H%M}.csv"
        title = _("%(rows)s as CSV") % {"rows": name[:1].upper() + name[1:]}
        job = ask_for(LIST_FILE, title=title, by=staff, now=now, params=params, back=back, file_name=file_name)
        return HttpResponseRedirect(reverse("admin:jobs_staffjob_change", args=[job.pk]))
    more = {
        "title": _("Save as CSV"),
        "opts": pages.opts,
        "rows": name,
        "columns": [title_of(column) for column in pages.file_columns],
        "is_filtered": any(name not in NO_FILTERS or name == SEARCH for name in request.GET),
        "back": back,
    }
    return render(request, "admin/jobs/list_file.html", {**context, **more})


def pages_of(model: str) -> ModelAdmin | None:
    """Return the admin of a model ("app.model") whose list can be saved as a file; None for every other name."""
    found = (pages for one, pages in admin.site._registry.items() if one._meta.label_lower == model)
    pages: Any = next(found, None)
    return pages if getattr(pages, "file_columns", ()) else None


def filtered_rows(pages: ModelAdmin, user: User, query: str) -> QuerySet[Any]:
    """Return the rows of a list as its page would show them to `user`. Raises IncorrectLookupParameters."""
    request = _request_of(user, query)
    shown: Any = type("Shown", (pages.get_changelist(request),), {"get_results": lambda _self, _request: None})
    listed = shown(
        request,
        pages.model,
        list(pages.get_list_display(request)),
        [],
        pages.get_list_filter(request),
        None,
        pages.get_search_fields(request),
        False,
        pages.list_per_page,
        pages.list_max_show_all,
        (),
        pages,
        (),
        "",
    )
    rows: QuerySet[Any] = listed.queryset
    return rows


def title_of(column: str) -> str:
    """Return what a column is called in a file: as in the shop's other files, by its name in the database."""
    return column.removesuffix(MICROS).replace("__", "_")


def _rows(job: StaffJob) -> QuerySet[Any]:
    return filtered_rows(_known_pages(job.params["model"]), job.asked_by, job.params[SEARCHED])


def _known_pages(model: str) -> ModelAdmin:
    pages = pages_of(model)
    if pages is None:
        raise LookupError(f"{model} has no files of its list any more")
    return pages


def _request_of(user: User, query: str) -> HttpRequest:
    """Return the request for a list's page, for code that asks who looks and what for."""
    request: Any = HttpRequest()
    request.method, request.user, request.htmx, request.session = "GET", user, False, {}
    asked = QueryDict(query, mutable=True)
    asked.pop("e", None)
    request.GET = asked
    return request  # type: ignore[no-any-return]  # Any only to set what middleware sets


def _cells(columns: tuple[str, ...], values: list[Any]) -> list[object]:
    return [_cell(column, value) for column, value in zip(columns, values, strict=True)]


def _cell(column: str, value: Any) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if column.endswith(MICROS) and value is not None:
        return text_from_micros(value)
    return value
