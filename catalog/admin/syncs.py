"""Sync runs: what each fetched, found and changed; and the decision about an answer that was held back."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from accounts.admin.widgets import ReadOnlyAdmin, go_to, member_of_staff
from accounts.models import User
from catalog.admin.differences import percent_of, rate, shown_difference, shown_fields
from catalog.admin.sync_now import SyncNow, shown_progress
from catalog.admin.translations import shown_left, shown_missing
from catalog.models import QuarantinedAnswer, ServiceChange, SyncRun
from catalog.sync.quarantine import NotWaiting
from catalog.sync.runs import SyncAlreadyRunning
from catalog.sync.sync_catalog import accept_quarantined, drop_quarantined

Status = SyncRun.Status
STATUS_COLOURS = {
    Status.APPLIED: "success",
    Status.RUNNING: "info",
    Status.QUARANTINED: "danger",
    Status.REJECTED: "warning",
    Status.FAILED: "warning",
}


@admin.register(SyncRun)
class SyncRunAdmin(SyncNow, ReadOnlyAdmin):
    list_display = (
        "started_at",
        "kind",
        "shown_status",
        "total",
        "added",
        "repriced",
        "changed",
        "withdrawn",
        "returned",
        "rows_set_aside",
        "seconds",
        "shown_error",
    )
    list_filter = ("kind", "status", "started_at")
    list_select_related = ("decided_by",)
    search_fields = ("error",)
    fields = (
        ("kind", "status"),
        "error",
        ("started_at", "seconds"),
        ("requests", "bytes"),
        ("total", "read_in_full"),
        ("added", "repriced", "changed"),
        ("withdrawn", "returned", "rows_set_aside"),
        ("decided_by", "decided_at"),
    )
    translation_fields = (
        ("kind", "status"),
        "error",
        ("started_at", "seconds"),
        ("requests", "bytes"),
        ("total", "changed"),
        (shown_missing, shown_left),
    )
    actions_list = ("sync_now",)
    actions_detail = ("accept", "drop")
    change_form_outer_before_template = "admin/catalog/sync_progress.html"
    change_form_after_template = "admin/catalog/sync_difference.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        shown: dict[str, Any] = {"sync_progress": shown_progress(run)}
        if run is not None and request.method == "GET":
            shown["difference"] = shown_difference(request, run)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def get_fields(self, request: HttpRequest, obj: SyncRun | None = None) -> Any:
        of_names = obj is not None and obj.kind in (SyncRun.Kind.TRANSLATIONS, SyncRun.Kind.SMS_TRANSLATIONS)
        return self.translation_fields if of_names else self.fields

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, run: SyncRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=gettext_lazy("skipped"))
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

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_syncrun")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer a decision where one is wanted; whether it still is when the button is pressed, the operation says."""
        run = self.get_object(request, object_id)
        waits = run is not None and run.status == Status.QUARANTINED
        return super().get_actions_detail(request, object_id) if waits else []

    @action(
        description=gettext_lazy("Accept"),
        url_path="accept",
        permissions=["decide"],
        variant=ActionVariant.WARNING,
        dialog={
            "title": gettext_lazy("Apply this answer"),
            "description": gettext_lazy(
                "Exactly this answer will be applied: new rates take effect at once, and missing services "
                "are withdrawn after the next sync without them."
            ),
            "form_class": BaseDialogForm,
            "form_submit_text": gettext_lazy("Accept"),
        },
    )
    def accept(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        def decide(actor: User) -> None:
            accept_quarantined(int(object_id), actor=actor, now=timezone.now())

        return self._decide(request, object_id, decide, _("The answer has been applied."))

    @action(
        description=gettext_lazy("Drop"),
        url_path="drop",
        permissions=["decide"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": gettext_lazy("Drop this answer"),
            "description": gettext_lazy(
                "The catalog stays as it is. If upstream gives the same answer next time, it is held back again."
            ),
            "form_class": BaseDialogForm,
            "form_submit_text": gettext_lazy("Drop"),
        },
    )
    def drop(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        def decide(actor: User) -> None:
            drop_quarantined(int(object_id), actor=actor, now=timezone.now())

        return self._decide(request, object_id, decide, _("The answer has been dropped; the catalog stays as it is."))

    def _decide(self, request: HttpRequest, object_id: str, decide: Callable[[User], None], done: str) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is None:
            return go_to(request, reverse("admin:catalog_syncrun_changelist"))
        try:
            decide(member_of_staff(request))
        except (NotWaiting, SyncAlreadyRunning) as refusal:  # their texts are written for the admin
            messages.error(request, str(refusal))
        else:
            self.log_change(request, run, done)
            messages.success(request, done)
        return go_to(request, reverse("admin:catalog_syncrun_change", args=[run.pk]))


@admin.register(ServiceChange)
class ServiceChangeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "service", "kind", "rates", "shown_percent", "details", "from_run")
    list_filter = ("kind", "created_at")
    list_select_related = ("service", "run")
    search_fields = ("service__upstream_id__exact", "service__search_text")
    linked_by = ("service__id__exact",)
    ordering = ("-id",)
    fields = ("service", "kind", "rates", "details", "run", "created_at")

    @display(description=gettext_lazy("upstream rate"))
    def rates(self, change: ServiceChange) -> str:
        if change.kind != ServiceChange.Kind.RATE:
            return ""
        return f"{rate(change.rate_before_micros)} → {rate(change.rate_after_micros)}"

    @display(description=gettext_lazy("change"))
    def shown_percent(self, change: ServiceChange) -> str:
        return percent_of(change.rate_before_micros, change.rate_after_micros)

    @display(description=gettext_lazy("fields"))
    def details(self, change: ServiceChange) -> SafeString:
        return shown_fields(change.fields)

    @display(description=gettext_lazy("sync run"), ordering="run")
    def from_run(self, change: ServiceChange) -> SafeString:
        page = reverse("admin:catalog_syncrun_change", args=[change.run_id])
        return format_html('<a class="hover:underline" href="{}">{}</a>', page, change.run)


@admin.register(QuarantinedAnswer)
class QuarantinedAnswerAdmin(ReadOnlyAdmin):
    list_display = ("run", "size")
    list_select_related = ("run",)
    fields = ("run", "size")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(octets=Length("packed")).defer("packed")

    @display(description=gettext_lazy("bytes"))
    def size(self, answer: Any) -> int:
        octets: int = answer.octets
        return octets
