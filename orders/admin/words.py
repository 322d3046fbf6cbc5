"""Words of the supplier that its document does not have, and what staff says they mean."""

from django.contrib import admin

from accounts.admin_parts import ModelAdmin
from orders.models import KnownRefusal


@admin.register(KnownRefusal)
class KnownRefusalAdmin(ModelAdmin):
    list_display = ("text", "meaning", "created_at")
    list_filter = ("meaning",)
    search_fields = ("text",)
    fields = ("text", "meaning")
