"""Rules for reading titles, shown before they are saved: how many names they would change."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from accounts.admin.widgets import ModelAdmin
from catalog.admin.previewed import PreviewedForm
from catalog.models import Service, TitleRule
from catalog.operations.titles import TitleEffect, preview_rule, refresh_titles
from catalog.titles.facts import read_value
from catalog.titles.words import chips_of
from notifications.wake_worker import wake_worker

SHOWN_UNASKED_ABOVE = 100  # changed titles: a save of more than that is shown first
WHILE_SOMEBODY_WAITS = 10_000  # services: about a second; a hundred thousand take several

FIELDS = ("pattern", "kind", "replacement", "fact", "value", "active", "position")


@display(description=gettext_lazy("read from the title"))
def read_from_title(service: Service) -> str:
    """Show the short name and the facts of a service, as its page has them."""
    return " · ".join([service.short_title or "–", *(chip.label for chip in chips_of(service.facts))])


class TitleRuleForm(PreviewedForm):
    """A rule for titles; what it would change is counted before it is saved."""

    effect: TitleEffect | None = None

    class Meta:
        model = TitleRule
        fields = FIELDS

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == TitleRule.Kind.FACT and cleaned.get("fact"):
            try:
                read_value(cleaned["fact"], cleaned.get("value", "").replace("#", "1"))
            except ValueError:
                self.add_error("value", ValidationError(_("This fact can't have this value.")))
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        if self.errors:
            return
        self.effect = preview_rule(self.instance)
        values = [getattr(self.instance, name) for name in FIELDS]
        self.show_first(values, many=self.effect.changed > SHOWN_UNASKED_ABOVE)


@admin.register(TitleRule)
class TitleRuleAdmin(ModelAdmin):
    """The button for the preview stands in templates/admin/catalog/titlerule/submit_line.html."""

    form = TitleRuleForm
    list_display = FIELDS
    list_filter = ("kind", "fact", "active")
    search_fields = ("pattern", "replacement", "value")
    fields = ("pattern", "kind", "replacement", ("fact", "value"), ("active", "position"))
    conditional_fields = {"replacement": "kind == 'replace'", "fact": "kind == 'fact'", "value": "kind == 'fact'"}
    change_form_before_template = "admin/catalog/titlerule/preview.html"

    def save_model(self, request: HttpRequest, obj: TitleRule, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _refresh_and_say(request)

    def delete_model(self, request: HttpRequest, obj: TitleRule) -> None:
        super().delete_model(request, obj)
        _refresh_and_say(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TitleRule]) -> None:
        super().delete_queryset(request, queryset)
        _refresh_and_say(request)


def _refresh_and_say(request: HttpRequest) -> None:
    """Read titles anew as the rules are now; many of them are left to a worker, and to the next full sync at last."""
    if Service.objects.count() > WHILE_SOMEBODY_WAITS:
        wake_worker("catalog.tasks.refresh_titles")
        messages.info(request, _("Names are being read anew in the background."))
        return
    count = refresh_titles()
    text = ngettext("%(count)d service changed.", "%(count)d services changed.", count)
    messages.info(request, text % {"count": count})
