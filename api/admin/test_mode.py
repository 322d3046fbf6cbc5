"""Test wallets and simulated orders as staff sees them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.admin.widgets import ReadOnlyAdmin, money_column
from api.models import SimulatedOrder, SimulatedWallet
from sms.admin.numbers import FoundByPhone

BALANCE = money_column("balance_micros", gettext_lazy("balance"))
PRICE = money_column("price_micros", gettext_lazy("price"))
REFUNDED = money_column("refunded_micros", gettext_lazy("refunded"))


@admin.register(SimulatedWallet)
class SimulatedWalletAdmin(ReadOnlyAdmin):
    list_display = ("user", BALANCE)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", BALANCE)
    readonly_fields = (BALANCE,)


@admin.register(SimulatedOrder)
class SimulatedOrderAdmin(FoundByPhone, ReadOnlyAdmin):
    list_display = ("__str__", "user", "kind", "link", "phone", "quantity", PRICE, REFUNDED, "created_at")
    readonly_fields = (PRICE, REFUNDED)
    list_filter = ("kind", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "link")
    fields = (
        *("user", "kind", "service", "project", "link", "phone", "quantity", PRICE, REFUNDED),
        *("request_id", "created_at", "canceled_at", "settled_at"),
    )
