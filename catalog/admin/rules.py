"""Markup rules: what is added to the upstream rate, shown before it is saved."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import ModelAdmin, money_column
from catalog.admin.repriced import reprice_and_say
from catalog.admin.rule_form import TARGETS, MarkupRuleForm
from catalog.models import MarkupRule
from catalog.pricing.rules import Timed


@admin.register(MarkupRule)
class MarkupRuleAdmin(ModelAdmin):
    """The button for the preview stands in templates/admin/catalog/markuprule/submit_line.html."""

    form = MarkupRuleForm
    list_display = (
        "target",
        "scope",
        "percent",
        money_column("fixed_micros", gettext_lazy("fixed amount")),
        "floor_percent",
        "rounding",
        "validity",
    )
    list_filter = ("scope", "valid_from", "valid_until")
    list_select_related = ("category", "subcategory__category", "service")
    search_fields = ("category__name", "subcategory__name", "service__name")
    autocomplete_fields = ("category", "subcategory", "service")
    ordering = ("scope", "id")
    conditional_fields = {target: f"scope == '{target}'" for target in TARGETS}
    change_form_before_template = "admin/catalog/markuprule/preview.html"
    fieldsets = (
        (gettext_lazy("Applies to"), {"fields": ("scope", *TARGETS)}),
        (gettext_lazy("Price"), {"fields": (("percent", "fixed_micros"), ("rounding", "floor_percent"))}),
        (gettext_lazy("When it applies"), {"fields": ("valid_from", "valid_until")}),
    )

    @display(description=gettext_lazy("applies to"))
    def target(self, rule: MarkupRule) -> str:
        return str(rule.service or rule.subcategory or rule.category or rule.get_scope_display())

    @display(description=gettext_lazy("in effect"))
    def validity(self, rule: MarkupRule) -> str:
        return validity_in_words(rule)

    def save_model(self, request: HttpRequest, obj: MarkupRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        reprice_and_say(request)

    def delete_model(self, request: HttpRequest, obj: MarkupRule) -> None:
        super().delete_model(request, obj)
        reprice_and_say(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MarkupRule]) -> None:
        with transaction.atomic():
            super().delete_queryset(request, queryset)
            reprice_and_say(request)


def validity_in_words(rule: Timed) -> str:
    """Return whether a rule of any goods counts now, and when it begins or ends."""
    now = timezone.now()
    if rule.valid_until is not None and rule.valid_until <= now:
        return _("ended %(time)s") % {"time": _moment(rule.valid_until)}
    if rule.valid_from is not None and rule.valid_from > now:
        return _("from %(time)s") % {"time": _moment(rule.valid_from)}
    return _("now") if rule.valid_until is None else _("until %(time)s") % {"time": _moment(rule.valid_until)}


def _moment(value: Any) -> str:
    return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
