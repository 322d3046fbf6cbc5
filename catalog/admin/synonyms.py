"""What customers type for what services are called: a change counts at once, for the catalog's version counts it."""

from django.contrib import admin

from accounts.admin.widgets import ModelAdmin
from catalog.models import SearchSynonym


@admin.register(SearchSynonym)
class SearchSynonymAdmin(ModelAdmin):
    list_display = ("typed", "finds", "created_at")
    search_fields = ("typed", "finds")
    fields = ("typed", "finds")
