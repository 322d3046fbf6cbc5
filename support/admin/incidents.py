"""Incidents and planned work: support writes them, with an update for everything there is to say."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.admin.widgets import EMPTY, ModelAdmin, member_of_staff
from support.admin.language_fields import TextsForm, fields_of, names_of
from support.models import Incident, IncidentUpdate, Part
from support.shown_now import tell_of_change
from support.status.incidents import IncidentRefused, lasting, write_update

Severity = Incident.Severity


class IncidentForm(TextsForm):
    """What it is, since when and what is affected."""

    text_columns = ("titles",)
    vars().update(fields_of("titles", gettext_lazy("Title"), longest=120, required=True))
    parts = forms.MultipleChoiceField(
        label=gettext_lazy("Parts"),
        choices=Part.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("The status page shows them as slow or not working while it lasts."),
    )

    class Meta:
        model = Incident
        fields = ("severity", "parts", "started_at", "planned_until")
        help_texts = {
            "started_at": gettext_lazy("Planned work is told of from two weeks ahead."),
            "planned_until": gettext_lazy("For planned work only; it is over then, whether or not anybody says so."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        severity, until, since = cleaned.get("severity"), cleaned.get("planned_until"), cleaned.get("started_at")
        if severity == Severity.MAINTENANCE and until is None and "planned_until" not in self.errors:
            self.add_error("planned_until", _("Say until when the work is planned."))
        elif severity != Severity.MAINTENANCE and until is not None:
            self.add_error("planned_until", _("Only planned work has a planned end. Others end with an update."))
        elif until is not None and since is not None and until <= since:
            self.add_error("planned_until", _("It must end after it starts."))
        return cleaned


class UpdateForm(TextsForm):
    """What there is to say now."""

    text_columns = ("texts",)
    vars().update(fields_of("texts", gettext_lazy("Text"), longest=2000, lines=True, required=True))

    class Meta:
        model = IncidentUpdate
        fields = ("stage",)


class UpdateInline(StackedInline):
    """What was said stays as it was said; something new can be added."""

    model = IncidentUpdate
    form = UpdateForm
    fields = ("stage", *names_of("texts"))
    verbose_name = gettext_lazy("new update")
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentUpdate]:
        """Return none: what was said before is shown above the form, and nobody rewrites it."""
        return super().get_queryset(request).none()

    def get_extra(self, request: HttpRequest, obj: Incident | None = None, **_rest: Any) -> int:
        return 0 if obj is None else 1

    def get_min_num(self, request: HttpRequest, obj: Incident | None = None, **_rest: Any) -> int:
        return 1 if obj is None else 0

    def get_max_num(self, request: HttpRequest, obj: Incident | None = None, **_rest: Any) -> int:
        return 1

    def get_formset(self, request: HttpRequest, obj: Incident | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_min=obj is None, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        return bool(request.user.has_perm("support.change_incident"))

    has_view_permission = has_change_permission = has_add_permission


@admin.register(Incident)
class IncidentAdmin(ModelAdmin):
    """What was said before stands above the form, see templates/admin/support/incident/said.html."""

    form = IncidentForm
    list_display = ("__str__", "severity", "is_current", "started_at", "planned_until", "resolved_at", "created_by")
    list_filter = ("severity", "started_at")
    list_select_related = ("created_by",)
    fields = (*names_of("titles"), "severity", "parts", "started_at", "planned_until", "resolved_at")
    readonly_fields = ("resolved_at",)
    inlines = (UpdateInline,)
    conditional_fields = {"planned_until": f"severity == '{Severity.MAINTENANCE}'"}
    change_form_before_template = "admin/support/incident/said.html"

    @display(description=gettext_lazy("now"))
    def is_current(self, incident: Incident) -> str:
        return _("Lasts") if lasting(incident, timezone.now()) else EMPTY

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = member_of_staff(request)
        super().save_model(request, obj, form, change)
        tell_of_change()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Add what is said now; "resolved" ends the incident."""
        for update in formset.save(commit=False):
            try:
                write_update(
                    update.incident_id,
                    stage=update.stage,
                    texts=update.texts,
                    actor=member_of_staff(request),
                    now=timezone.now(),
                )
            except IncidentRefused as refusal:
                messages.error(request, str(refusal))

    def delete_model(self, request: HttpRequest, obj: Incident) -> None:
        super().delete_model(request, obj)
        tell_of_change()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        super().delete_queryset(request, queryset)
        tell_of_change()
