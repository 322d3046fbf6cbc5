"""Import rules, shown before they are saved: how many of today's services each is for, and what it changes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from accounts.admin.widgets import EMPTY, ModelAdmin
from catalog.admin.previewed import PreviewedForm, fingerprint_of
from catalog.models import ImportRule, Service
from catalog.sync.import_rules import ImportEffect, apply_import_rules, preview_import_rule
from notifications.wake_worker import wake_worker

SHOWN_UNASKED_ABOVE = 100  # changed services: a save of more than that is shown first
WHILE_SOMEBODY_WAITS = 10_000  # services: a quarter of a second; a hundred thousand take some

FIELDS = ("position", "active", "category", "type", "name", "outcome", "markup_percent")
Outcome = ImportRule.Outcome
COLOURS = {Outcome.TAKE: "success", Outcome.HIDDEN: "warning", Outcome.LEAVE: "danger"}


class ImportRuleForm(PreviewedForm):
    """An import rule; what it would change is counted before it is saved."""

    effect: ImportEffect | None = None

    class Meta:
        model = ImportRule
        fields = FIELDS

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        if self.errors:
            return
        self.effect = preview_import_rule(self.instance)
        told = _told([getattr(self.instance, name) for name in FIELDS], self.effect)
        self.show_first(told, many=self.effect.changed > SHOWN_UNASKED_ABOVE)


@admin.register(ImportRule)
class ImportRuleAdmin(ModelAdmin):
    """The button for the preview stands in templates/admin/catalog/importrule/submit_line.html."""

    form = ImportRuleForm
    list_display = ("position", "shown_rule", "shown_outcome", "shown_markup", "active")
    list_display_links = ("position", "shown_rule")
    list_filter = ("outcome", "active")
    search_fields = ("category", "type", "name")
    fieldsets = (
        (gettext_lazy("Which services"), {"fields": ("category", ("type", "name"))}),
        (gettext_lazy("What becomes of them"), {"fields": (("outcome", "markup_percent"), ("active", "position"))}),
    )
    change_form_before_template = "admin/catalog/importrule/preview.html"
    delete_confirmation_template = "admin/catalog/importrule/delete.html"

    @display(description=gettext_lazy("services"))
    def shown_rule(self, rule: ImportRule) -> str:
        return str(rule)

    @display(description=gettext_lazy("what becomes of them"), ordering="outcome", label=COLOURS)
    def shown_outcome(self, rule: ImportRule) -> tuple[str, str]:
        return rule.outcome, rule.get_outcome_display()

    @display(description=gettext_lazy("markup of new categories"), ordering="markup_percent")
    def shown_markup(self, rule: ImportRule) -> str:
        return EMPTY if rule.markup_percent is None else f"{rule.markup_percent.normalize():f}%"

    def save_model(self, request: HttpRequest, obj: ImportRule, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _apply_and_say(request)

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave out deleting from the list: the page of one rule says first what its end changes."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Show what changes without the rule; delete it once that was seen."""
        rule = self.get_object(request, object_id)
        if rule is None or not self.has_delete_permission(request, rule):
            return super().delete_view(request, object_id, extra_context)
        effect = preview_import_rule(rule, deleted=True)
        fingerprint = fingerprint_of(_told([rule.pk], effect))
        many = effect.changed > SHOWN_UNASKED_ABOVE
        if request.method == "POST" and many and request.POST.get("previewed") != fingerprint:
            messages.warning(request, _("Something has changed since. Nothing has been done yet; look again."))
            return HttpResponseRedirect(request.path)
        context = {**(extra_context or {}), "effect": effect, "fingerprint": fingerprint}
        return super().delete_view(request, object_id, context)

    def delete_model(self, request: HttpRequest, obj: ImportRule) -> None:
        super().delete_model(request, obj)
        _apply_and_say(request)


def _told(values: list[Any], effect: ImportEffect) -> tuple[Any, ...]:
    """Return what a preview tells."""
    return values, effect.matching, effect.gone, effect.back


def _apply_and_say(request: HttpRequest) -> None:
    """Go by the rules as they are now; many services are left to a worker, which beat asks, too."""
    if Service.objects.count() > WHILE_SOMEBODY_WAITS:
        wake_worker("catalog.tasks.apply_import_rules")
        messages.info(request, _("Services are being hidden and shown in the background."))
        return
    effect = apply_import_rules()
    gone = ngettext("%(count)d service is no longer sold.", "%(count)d services are no longer sold.", effect.gone)
    back = ngettext("%(count)d service is sold again.", "%(count)d services are sold again.", effect.back)
    messages.info(request, f"{gone % {'count': effect.gone}} {back % {'count': effect.back}}")
