"""The values of services that edits and files change, in words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.lists import EMPTY
from accounts.templatetags.money import money
from catalog.models import Category, Delivery

TITLES = {
    "visible": gettext_lazy("visibility"),
    "left_out": gettext_lazy("hidden by"),
    "display_name": gettext_lazy("display name"),
    "short_title_override": gettext_lazy("short name"),
    "category_id": gettext_lazy("category"),
    "delivery_override": gettext_lazy("delivery"),
    "warranty_days": gettext_lazy("warranty, days"),
    "rate_override_micros": gettext_lazy("own price"),
    "markup_percent": gettext_lazy("own markup"),
    "paused_because": gettext_lazy("pause reason"),
}


def changes_in_words(
    before: Mapping[str, Any], after: Mapping[str, Any], categories: Mapping[int, Category] | None = None
) -> str:
    """Return each value that changes, as it was and as it becomes; `categories` are all that may be named."""
    known = categories or {}
    return "; ".join(
        f"{TITLES[name]}: {_shown(name, before[name], known)} → {_shown(name, after[name], known)}"
        for name in TITLES
        if name in after and before[name] != after[name]
    )


def _shown(column: str, value: Any, categories: Mapping[int, Category]) -> str:
    if column == "visible":
        return _("shown") if value else _("hidden")
    if column == "left_out":
        return _("an import rule") if value else _("our staff")
    if column == "rate_override_micros":
        return _("by the rules") if value is None else money(value)
    if column == "category_id":
        return str(categories[value])
    if column == "markup_percent":
        return _("by the rules") if value is None else f"{Decimal(value).normalize():f} %"
    if column == "delivery_override":
        return str(Delivery(value).label).partition(":")[0] if value else _("same as category")
    return EMPTY if value in (None, "") else str(value)
