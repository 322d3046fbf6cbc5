"""Receipts as staff sees them: as they were issued, never changed."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.admin.widgets import ReadOnlyAdmin, money_column
from wallet.models import Receipt

TOTAL = money_column("total_micros", gettext_lazy("total"))
TAX = money_column("tax_micros", gettext_lazy("tax included"))


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ("number", "created_at", "user", "top_up", TOTAL, "tax_percent", TAX)
    list_filter = ("created_at",)
    search_fields = ("=number", "user__email", "top_up__reference__startswith")
    list_select_related = ("user", "top_up")
    fields = ("number", "created_at", "user", "top_up", "seller", "currency", TOTAL, "tax_percent", TAX)
    readonly_fields = (TOTAL, TAX)
