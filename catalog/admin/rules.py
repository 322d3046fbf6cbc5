"""Markup rules: what is added to the upstream rate."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin_parts import ModelAdmin, money_column
from catalog.models import MarkupRule


class MarkupRuleForm(forms.ModelForm):
    """A rule and the one thing it is for; what its scope does not name is cleared, not refused."""

    targets = ("category", "subcategory", "service")

    class Meta:
        model = MarkupRule
        fields = ("scope", "category", "subcategory", "service", "percent", "fixed_micros")

    def clean_fixed_micros(self) -> int:
        fixed_micros: int = self.cleaned_data["fixed_micros"]
        if fixed_micros < 0:
            raise forms.ValidationError(_("A markup never goes below cost: enter zero or more."))
        return fixed_micros

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        scope = cleaned.get("scope")
        for target in self.targets:
            if target != scope:
                cleaned[target] = None
                self.errors.pop(target, None)
            elif cleaned.get(target) is None and target not in self.errors:
                self.add_error(target, _("Name what the rule is for."))
        if scope == MarkupRule.Scope.ALL:
            others = MarkupRule.objects.filter(scope=scope).exclude(pk=self.instance.pk)
            if others.exists():
                self.add_error("scope", _("There is a rule for everything already: change that one."))
        return cleaned


@admin.register(MarkupRule)
class MarkupRuleAdmin(ModelAdmin):
    form = MarkupRuleForm
    list_display = ("target", "scope", "percent", money_column("fixed_micros", gettext_lazy("fixed amount")))
    list_filter = ("scope",)
    list_select_related = ("category", "subcategory__category", "service")
    search_fields = ("category__name", "subcategory__name", "service__name")
    autocomplete_fields = ("category", "subcategory", "service")
    ordering = ("scope", "id")
    conditional_fields = {target: f"scope == '{target}'" for target in MarkupRuleForm.targets}

    @display(description=gettext_lazy("for"))
    def target(self, rule: MarkupRule) -> str:
        return str(rule.service or rule.subcategory or rule.category or rule.get_scope_display())
