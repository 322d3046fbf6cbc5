"""Who has accepted which terms, for staff that is asked about it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.admin.widgets import ReadOnlyAdmin
from support.models import TermsAcceptance


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin):
    """Rows that the customers' own presses made."""

    list_display = ("user", "version_number", "door", "accepted_at", "address")
    list_filter = ("door",)
    list_select_related = ("user", "version")
    search_fields = ("user__email",)
    fields = ("user", "version_number", "door", "accepted_at", "address")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("version__texts", "version__summaries", "version__titles")

    @display(description=_("version"), ordering="version")
    def version_number(self, acceptance: TermsAcceptance) -> int:
        return acceptance.version.number
