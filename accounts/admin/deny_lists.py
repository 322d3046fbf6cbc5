"""Admin pages of the deny lists: what stands on them, and who met it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from accounts.admin.widgets import ModelAdmin, ReadOnlyAdmin, go_to, member_of_staff
from accounts.deny_list.known import rules_changed
from accounts.deny_list.values import written
from accounts.models import DenyHit, DenyRule
from accounts.typed_forms import ModelForm


class DenyRuleForm(ModelForm):
    """An entry, whose value is kept in the one spelling that everything is compared with."""

    class Meta:
        model = DenyRule
        fields = ("kind", "value", "note")
        help_texts = {
            "value": gettext_lazy(
                "A domain (and those below it), a network or address, a link (and what lies below it), or a payer: an "
                "email address or what the gateway calls the card or wallet."
            ),
            "note": gettext_lazy("Only staff reads it."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "value" in self.fields and cleaned.get("kind") and cleaned.get("value"):
            try:
                cleaned["value"] = written(cleaned["kind"], cleaned["value"])
            except ValueError as problem:
                self.add_error("value", str(problem))
            else:
                if DenyRule.objects.filter(kind=cleaned["kind"], value=cleaned["value"]).exists():
                    self.add_error("value", forms.ValidationError(_("This is on the list already.")))
        return cleaned


@admin.register(DenyRule)
class DenyRuleAdmin(ModelAdmin):
    """Entries are added and removed; of one that is there, only the note may be written anew."""

    form = DenyRuleForm
    list_display = ("value", "kind", "note", "hits", "last_hit_at", "created_by", "created_at")
    list_filter = ("kind",)
    list_select_related = ("created_by",)
    search_fields = ("value", "note")
    named_by = ("value",)
    ordering = ("-id",)
    actions_detail = ("show_hits",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what an entry is; of one that is there, show what became of it, too."""
        asked = ("kind", "value", "note")
        return asked if obj is None else (*asked, "hits", "last_hit_at", "created_by", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the note to be changed: what stands on a list is removed and added."""
        return () if obj is None else ("kind", "value", "hits", "last_hit_at", "created_by", "created_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:  # the note alone: what is counted meanwhile stays
            obj.save(update_fields=["note"])
            return
        obj.created_by = member_of_staff(request)
        super().save_model(request, obj, form, change)
        rules_changed()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Let the notes of who met it go with an entry, though nobody deletes them by themselves."""
        deleted, counted, needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counted, needed - {DenyHit._meta.verbose_name}, protected

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        rules_changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        rules_changed()

    @action(description=gettext_lazy("Show who met it"), url_path="hits", permissions=["view"], icon="history")
    def show_hits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.get_object(request, object_id)
        hits = reverse("admin:accounts_denyhit_changelist")
        return go_to(request, f"{hits}?rule__id__exact={rule.pk}" if rule else hits)


@admin.register(DenyHit)
class DenyHitAdmin(ReadOnlyAdmin):
    """Who met an entry, when, and with what."""

    list_display = ("at", "rule", "place", "user", "seen", "address")
    list_filter = ("place", "rule__kind", "at")
    list_select_related = ("rule", "user")
    search_fields = ("user__email", "seen", "rule__value")
    linked_by = ("rule__id__exact", "user__id__exact")
    named_by = ("seen",)
    ordering = ("-id",)
    fields = ("at", "rule", "place", "user", "seen", "address")
    readonly_fields = fields
