"""What customers keep an eye on: favorites and stock watches."""

from django.contrib import admin

from accounts.admin.widgets import ReadOnlyAdmin
from catalog.models import Favorite, StockWatch


@admin.register(Favorite)
class FavoriteAdmin(ReadOnlyAdmin):
    list_display = ("user", "service", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("user", "service")
    search_fields = ("user__email", "service__search_text")


@admin.register(StockWatch)
class StockWatchAdmin(ReadOnlyAdmin):
    list_display = ("user", "service", "created_at", "told_at")
    list_filter = (("told_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("user", "service")
    search_fields = ("user__email", "service__search_text")
