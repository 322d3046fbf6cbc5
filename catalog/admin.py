"""Admin pages of the catalog: what upstream says is shown, what the shop decides on top of it is edited."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from accounts.admin_parts import EditOnlyAdmin, ModelAdmin, ReadOnlyAdmin, go_to, json_column, money_column
from catalog.models import Category, MarkupRule, Service, Subcategory, SyncRun
from catalog.operations import confirm_rate_units, refresh_search_text

upstream_rate = money_column("rate_upstream_micros", gettext_lazy("upstream rate"), currency=settings.UPSTREAM_CURRENCY)


@admin.register(Category)
class CategoryAdmin(EditOnlyAdmin):
    list_display = ("name", "shown_name", "delivery", "rate_per", "rate_confirmed_at", "visible", "position")
    list_editable = ("visible", "position")
    list_filter = (("rate_confirmed_at", admin.EmptyFieldListFilter), "visible", "delivery", "rate_per")
    search_fields = ("name", "shown_name")
    readonly_fields = ("name", "rate_confirmed_at")
    fields = ("name", "shown_name", "delivery", ("rate_per", "rate_confirmed_at"), "visible", "position")
    actions = ("confirm_units",)
    actions_row = ("confirm_unit",)
    actions_detail = ("confirm_unit",)

    @admin.action(description=gettext_lazy("Confirm the rate unit"), permissions=["change"])
    def confirm_units(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        count = confirm_rate_units(queryset, now=timezone.now())
        text = ngettext("%(count)d category is confirmed.", "%(count)d categories are confirmed.", count)
        messages.success(request, text % {"count": count})

    @action(
        description=gettext_lazy("Confirm the rate unit"),
        url_path="confirm-unit",
        permissions=["change"],
        dialog={
            "title": gettext_lazy("Confirm the rate unit"),
            "description": gettext_lazy(
                "You know that upstream's rates in this category buy as many pieces as the shop takes them to. "
                "From here on orders of any size are sold."
            ),
            "form_class": BaseDialogForm,
            "form_submit_text": gettext_lazy("Confirm"),
        },
    )
    def confirm_unit(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        category = self.get_object(request, object_id)
        if category is not None:
            self.confirm_units(request, Category.objects.filter(pk=category.pk))
            self.log_change(request, category, _("Rate unit confirmed."))
        return go_to(request, reverse("admin:catalog_category_changelist"))

    def save_model(self, request: HttpRequest, obj: Category, form: forms.ModelForm, change: bool) -> None:
        if "rate_per" in form.changed_data:
            obj.rate_confirmed_at = None  # what proved the old unit says nothing about the new one
        super().save_model(request, obj, form, change)
        if "shown_name" in form.changed_data:
            refresh_search_text(Service.objects.filter(category=obj))


@admin.register(Subcategory)
class SubcategoryAdmin(ReadOnlyAdmin):
    list_display = ("name", "category")
    list_filter = ("category",)
    list_select_related = ("category",)
    search_fields = ("name", "category__name")


class OnSaleFilter(admin.SimpleListFilter):
    title = gettext_lazy("on sale")
    parameter_name = "sale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("on", _("On sale")),
            ("hidden", _("Hidden")),
            ("paused", _("Paused")),
            ("withdrawn", _("Withdrawn upstream")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        answers: dict[str | None, Callable[[], QuerySet]] = {
            "on": lambda: queryset.filter(withdrawn_at=None, visible=True, category__visible=True, paused_because=""),
            "hidden": lambda: queryset.filter(visible=False),
            "paused": lambda: queryset.exclude(paused_because=""),
            "withdrawn": lambda: queryset.exclude(withdrawn_at=None),
        }
        answer = answers.get(self.value())
        return answer() if answer else queryset


@admin.register(Service)
class ServiceAdmin(EditOnlyAdmin):
    list_display = (
        "upstream_id",
        "title",
        "category",
        "subcategory",
        upstream_rate,
        "limits",
        "stock",
        "visible",
        "paused_because",
        "withdrawn_at",
    )
    list_display_links = ("upstream_id", "title")
    list_filter = (OnSaleFilter, "type", "category")
    list_select_related = ("category", "subcategory__category")
    search_fields = ("search_text", "upstream_id__exact")
    actions = ("hide", "show")
    readonly_fields = (
        "upstream_id",
        "name",
        "category",
        "subcategory",
        "type",
        upstream_rate,
        "min_quantity",
        "max_quantity",
        "refill",
        "cancel",
        "stock",
        "upstream_description",
        "missed_syncs",
        "withdrawn_at",
        "first_seen_at",
        "changed_at",
    )
    fieldsets = (
        (
            gettext_lazy("Decided here"),
            {
                "fields": (
                    "shown_name",
                    "description",
                    ("visible", "position"),
                    ("own_delivery", "own_rate_per"),
                    "paused_because",
                )
            },
        ),
        (gettext_lazy("As upstream says"), {"fields": readonly_fields}),
    )

    def save_model(self, request: HttpRequest, obj: Service, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "shown_name" in form.changed_data:
            refresh_search_text(Service.objects.filter(pk=obj.pk))

    @display(description=gettext_lazy("from – to"))
    def limits(self, service: Service) -> str:
        return f"{service.min_quantity} – {service.max_quantity}"

    @admin.action(description=gettext_lazy("Hide from customers"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Service]) -> None:
        self._set_visible(request, queryset, visible=False)

    @admin.action(description=gettext_lazy("Show to customers"), permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Service]) -> None:
        self._set_visible(request, queryset, visible=True)

    def _set_visible(self, request: HttpRequest, queryset: QuerySet[Service], *, visible: bool) -> None:
        count = queryset.exclude(visible=visible).update(visible=visible)
        text = ngettext("%(count)d service changed.", "%(count)d services changed.", count)
        messages.success(request, text % {"count": count})


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
