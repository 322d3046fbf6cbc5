"""The price list: when all selling rates were computed last, and the version that pages are cached under."""

from django.contrib import admin

from accounts.admin.widgets import ReadOnlyAdmin
from catalog.models import PriceList


@admin.register(PriceList)
class PriceListAdmin(ReadOnlyAdmin):
    list_display = ("version", "priced_at", "changed")
    fields = ("version", "priced_at", "changed")
