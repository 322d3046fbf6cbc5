"""Orders that wait for their payment, as staff sees them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.admin.widgets import ReadOnlyAdmin, money_column
from orders.models import PendingCheckout


@admin.register(PendingCheckout)
class PendingCheckoutAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "user",
        "service",
        "quantity",
        money_column("price_micros", gettext_lazy("promised price")),
        "state",
        "reason",
        "top_up",
        "order",
        "closed_at",
    )
    list_filter = ("state", "created_at")
    search_fields = ("top_up__reference__startswith", "order__id__exact", "user__email", "reason")
    list_select_related = ("user", "service", "top_up", "order")
    exclude = ("quote", "price_micros")
    readonly_fields = (money_column("price_micros", gettext_lazy("promised price")),)
