"""Categories, subcategories and services: what upstream says is shown, what the shop decides is edited."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from accounts.admin.short_count import is_longer_than_counted
from accounts.admin.widgets import (
    EditOnlyAdmin,
    ModelAdmin,
    ReadOnlyAdmin,
    go_to,
    money_column,
)
from catalog.admin.bulk_edit import BulkEdit
from catalog.admin.category_form import CategoryForm
from catalog.admin.differences import history_of
from catalog.admin.file_import import FileImport
from catalog.admin.price_graph import price_graph
from catalog.admin.price_overrides import PRICE_FIELDS, ServiceForm
from catalog.admin.repriced import reprice_and_say
from catalog.admin.service_list import FILE_COLUMNS, SAVED_FILTERS, SHOWN, FiguresFilter, OnSaleFilter, ServiceColumns
from catalog.admin.titles import read_from_title
from catalog.admin.translations import shown_translations
from catalog.models import Category, Delivery, MappedType, Service, Subcategory
from catalog.models.services import of_home
from catalog.operations.overrides import confirm_rate_units, refresh_search_text, show_or_hide
from catalog.operations.titles import refresh_titles
from catalog.pricing.repricing import lock_prices
from catalog.sync.import_rules import rules_leave_out
from catalog.sync.service_types import apply_mapped_types

upstream_rate = money_column("rate_upstream_micros", gettext_lazy("upstream rate"), currency=settings.UPSTREAM_CURRENCY)


@admin.register(Category)
class CategoryAdmin(EditOnlyAdmin):
    """The button for the preview stands in templates/admin/catalog/category/submit_line.html."""

    form = CategoryForm
    change_form_before_template = "admin/catalog/category/preview.html"
    list_display = (
        "name",
        "display_name",
        "delivery",
        "vault_proved_at",
        "rate_per",
        "rate_confirmed_at",
        "visible",
        "position",
    )
    list_editable = ("position",)  # hiding a category is shown before it is saved, on its page
    list_filter = (("rate_confirmed_at", admin.EmptyFieldListFilter), "visible", "delivery", "rate_per")
    search_fields = compared_here = ("name", "display_name")
    named_by = ("name", "display_name")
    readonly_fields = ("name", shown_translations, "delivery_now", "vault_proved_at", "rate_confirmed_at")
    fields = (
        ("name", shown_translations),
        ("display_name", "own_names"),
        "merged_into",
        "group",
        "delivery",
        ("delivery_now", "vault_proved_at"),
        ("rate_per", "rate_confirmed_at"),
        "visible",
        "position",
    )
    autocomplete_fields = ("merged_into",)
    actions = ("confirm_units",)
    actions_row = ("confirm_unit",)
    actions_detail = ("confirm_unit",)

    @display(description=gettext_lazy("delivered now"))
    def delivery_now(self, category: Category) -> str:
        """What the choice means, and whether an order has proved that it works."""
        now = Service(category=category).delivery
        text = str(Delivery(now).label)
        if now != Delivery.VAULT:
            return text
        proved = _("An order has proved it.") if category.vault_proved_at else _("No order has proved it yet.")
        return f"{text}. {proved}"

    @admin.action(description=gettext_lazy("Confirm the rate unit"), permissions=["change"])
    def confirm_units(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        count = confirm_rate_units(queryset, now=timezone.now())
        text = ngettext("%(count)d category has been confirmed.", "%(count)d categories have been confirmed.", count)
        messages.success(request, text % {"count": count})

    @action(
        description=gettext_lazy("Confirm the rate unit"),
        url_path="confirm-unit",
        permissions=["change"],
        dialog={
            "title": gettext_lazy("Confirm the rate unit"),
            "description": gettext_lazy(
                "Confirm that upstream's rates in this category use the unit the shop assumes. Orders of "
                "any size can then be placed."
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
        lock_prices()  # a sync makes searched texts and rates from what is written here
        columns = set(form.changed_data)
        if "rate_per" in columns:
            obj.rate_confirmed_at = None  # what proved the old unit says nothing about the new one
            columns.add("rate_confirmed_at")
        obj.save(update_fields=columns)  # what others have written since the row was read stays
        if {"display_name", "own_names", "merged_into"} & set(form.changed_data):
            refresh_search_text(Service.objects.filter(Q(category=obj) | Q(category__merged_into=obj)))
        if "rate_per" in form.changed_data:
            reprice_and_say(request, Service.objects.filter(of_home([obj.pk])))


@admin.register(Subcategory)
class SubcategoryAdmin(ReadOnlyAdmin):
    list_display = ("name", "category")
    list_filter = ("category",)
    list_select_related = ("category",)
    search_fields = compared_here = ("name", "category__name")
    named_by = ("name",)
    fields = ("category", "name", shown_translations)


@admin.register(MappedType)
class MappedTypeAdmin(ModelAdmin):
    """What staff says of types here counts at once; the shop's own types come first."""

    list_display = ("__str__", "order_form", "created_at")
    list_filter = ("order_form",)
    search_fields = ("type",)
    fields = ("type", "order_form")

    def save_model(self, request: HttpRequest, obj: MappedType, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._apply(request)

    def delete_model(self, request: HttpRequest, obj: MappedType) -> None:
        super().delete_model(request, obj)
        self._apply(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MappedType]) -> None:
        super().delete_queryset(request, queryset)
        self._apply(request)

    def _apply(self, request: HttpRequest) -> None:
        count = apply_mapped_types()
        text = ngettext("%(count)d service changed.", "%(count)d services changed.", count)
        messages.info(request, text % {"count": count})


@admin.register(Service)
class ServiceAdmin(ServiceColumns, BulkEdit, FileImport, EditOnlyAdmin):
    form = ServiceForm
    list_display = SHOWN
    list_display_links = ("number", "shown_title")
    list_filter = (OnSaleFilter, FiguresFilter, "type", "category")
    list_select_related = ("category", "margin", "quality")
    saved_filters = SAVED_FILTERS
    file_columns = FILE_COLUMNS
    change_form_outer_before_template = "admin/catalog/price_graph.html"
    search_fields = ("search_text", "upstream_id__exact")
    named_by = ("name", "display_name", "short_title_override")
    actions = ("hide", "show", "edit_chosen")
    linked_by = ("id__in",)
    readonly_fields = (
        "upstream_id",
        "name",
        read_from_title,
        shown_translations,
        "category",
        "subcategory",
        "upstream_category",
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
        "history",
    )
    fieldsets = (
        (
            gettext_lazy("Shop settings"),
            {
                "fields": (
                    ("display_name", "short_title_override"),
                    "facts_override",
                    "description",
                    ("visible", "position"),
                    ("delivery_override", "warranty_days"),
                    ("rate_per_override", "rate_override_micros", "markup_percent"),
                    "paused_because",
                )
            },
        ),
        (gettext_lazy("From upstream"), {"fields": readonly_fields}),
    )

    def save_model(self, request: HttpRequest, obj: Service, form: forms.ModelForm, change: bool) -> None:
        lock_prices()
        if "visible" in form.changed_data and obj.visible and rules_leave_out([obj.pk]):
            form.changed_data.remove("visible")  # a rule of just now
            self._say_what_stays_hidden(request, 1)
        columns = set(form.changed_data)
        if "visible" in columns:
            obj.left_out = False  # from now on it is staff who hides or shows it
            columns.add("left_out")
        obj.save(update_fields=columns)  # what a sync, a rule or a job has written since the row was read stays
        if {"display_name", "short_title_override"} & set(form.changed_data):
            refresh_search_text(Service.objects.filter(pk=obj.pk))
        if "facts_override" in form.changed_data:
            refresh_titles(Service.objects.filter(pk=obj.pk))
        if not PRICE_FIELDS.isdisjoint(form.changed_data):
            reprice_and_say(request, Service.objects.filter(pk=obj.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *_options: Any, **more: Any
    ) -> HttpResponse:
        """Show the service below what it sold for and what it cost."""
        context["price_graph"] = price_graph(context["original"])
        answered: HttpResponse = super().render_change_form(request, context, *_options, **more)
        return answered

    @display(description=gettext_lazy("history"))
    def history(self, service: Service) -> SafeString:
        return format_html(
            '<a class="hover:underline" href="{}">{}</a>', history_of(service.pk), _("Changes made by syncs")
        )

    @admin.action(description=gettext_lazy("Hide from customers"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Service]) -> None:
        self._set_visible(request, queryset, visible=False)

    @admin.action(description=gettext_lazy("Show to customers"), permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Service]) -> None:
        self._set_visible(request, queryset, visible=True)

    def _set_visible(self, request: HttpRequest, queryset: QuerySet[Service], *, visible: bool) -> None:
        if is_longer_than_counted(queryset):
            messages.error(request, _("The list has more services than it counts. Narrow it down first."))
            return
        count, left_out = show_or_hide(list(queryset.values_list("pk", flat=True)), visible=visible)
        self._say_what_stays_hidden(request, left_out)
        text = ngettext("%(count)d service changed.", "%(count)d services changed.", count)
        messages.success(request, text % {"count": count})

    def _say_what_stays_hidden(self, request: HttpRequest, count: int) -> None:
        if count:
            words = ngettext(
                "%(count)d service stays hidden: an import rule leaves it out.",
                "%(count)d services stay hidden: an import rule leaves them out.",
                count,
            )
            messages.warning(request, words % {"count": count})
