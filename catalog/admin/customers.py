"""What customers keep an eye on: favorites and stock alerts."""

from django.contrib import admin

from accounts.admin.widgets import ReadOnlyAdmin
from catalog.models import Favorite, StockAlert


@admin.register(Favorite)
class FavoriteAdmin(ReadOnlyAdmin):
    list_display = ("user", "service", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("user", "service")
    search_fields = ("user__email", "service__search_text")


@admin.register(StockAlert)
class StockAlertAdmin(ReadOnlyAdmin):
    list_display = ("user", "service", "created_at", "notified_at")
    list_filter = (("notified_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("user", "service")
    search_fields = ("user__email", "service__search_text")
