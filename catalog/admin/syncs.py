"""Sync runs: what each fetched, found and changed."""

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin_parts import ReadOnlyAdmin, json_column
from catalog.models import SyncRun


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "kind",
        "status",
        "total",
        "added",
        "changed",
        "withdrawn",
        "returned",
        "rows_set_aside",
        "seconds",
        "shown_error",
    )
    list_filter = ("kind", "status", "started_at")
    fields = (
        "kind",
        "status",
        ("started_at", "finished_at"),
        ("requests", "total"),
        ("added", "changed", "withdrawn", "returned"),
        "error",
        json_column("set_aside", gettext_lazy("rows set aside")),
    )
    readonly_fields = (fields[-1],)

    @display(description=gettext_lazy("set aside"))
    def rows_set_aside(self, run: SyncRun) -> int:
        return len(run.set_aside)

    @display(description=gettext_lazy("seconds"))
    def seconds(self, run: SyncRun) -> str:
        if run.finished_at is None:
            return ""
        return f"{(run.finished_at - run.started_at).total_seconds():.1f}"

    @display(description=gettext_lazy("error"))
    def shown_error(self, run: SyncRun) -> str:
        return run.error[:100]
