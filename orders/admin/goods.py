"""How goods are written: the lines themselves nobody sees here."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import ModelAdmin
from accounts.typed_forms import ModelForm
from orders.columns.formats import FormatRefused, read_format
from orders.columns.names import label_of
from orders.models import GoodsFormat


class GoodsFormatForm(ModelForm):
    """A format that can be read."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("columns"):
            try:
                read_format(cleaned["columns"], cleaned.get("separator", ""))
            except FormatRefused as refusal:
                self.add_error("columns", ValidationError(str(refusal)))
        return cleaned


@display(description=gettext_lazy("read as"))
def read_as(rule: GoodsFormat) -> str:
    """Return the columns as customers see them."""
    try:
        return " · ".join(map(label_of, read_format(rule.columns, rule.separator).columns))
    except FormatRefused as refusal:
        return str(refusal)


@admin.register(GoodsFormat)
class GoodsFormatAdmin(ModelAdmin):
    """A rule counts at once, also for what was delivered before: lines are kept as they came, and read when opened."""

    form = GoodsFormatForm
    list_display = ("columns", read_as, "service", "category", "separator", "updated_at")
    list_select_related = ("service", "category")
    search_fields = ("columns",)
    autocomplete_fields = ("service", "category")
    readonly_fields = (read_as, "updated_at")
    fields = (("service", "category"), ("columns", "separator"), read_as, "updated_at")
