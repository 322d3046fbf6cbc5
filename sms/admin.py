"""Admin pages of SMS numbers: what upstream offers, and the numbers that customers bought."""

from django.conf import settings
from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.admin_parts import EditOnlyAdmin, ReadOnlyAdmin, money_column
from sms.models import Country, Number, Project

upstream_price = money_column(
    "price_upstream_micros", gettext_lazy("upstream price"), currency=settings.UPSTREAM_CURRENCY
)


@admin.register(Country)
class CountryAdmin(EditOnlyAdmin):
    list_display = ("flag", "name", "code", "visible")
    list_display_links = ("name",)
    list_editable = ("visible",)
    list_filter = ("visible",)
    search_fields = ("name", "code")
    readonly_fields = ("name", "code")


@admin.register(Project)
class ProjectAdmin(EditOnlyAdmin):
    list_display = ("name", "country", "upstream_id", upstream_price, "visible", "withdrawn_at")
    list_editable = ("visible",)
    list_filter = ("visible", ("withdrawn_at", admin.EmptyFieldListFilter))
    list_select_related = ("country",)
    search_fields = ("name", "country__name", "upstream_id")
    readonly_fields = ("name", "country", "upstream_id", upstream_price, "missed_syncs", "withdrawn_at")
    fields = ("visible", *readonly_fields)


@admin.register(Number)
class NumberAdmin(ReadOnlyAdmin):
    list_display = ("order", "phone", "project", "state", "code", "expires_at", "created_at")
    list_filter = ("state", "created_at")
    list_select_related = ("order", "project__country")
    search_fields = ("phone", "order__user__email", "project__name", "order__id__exact")
