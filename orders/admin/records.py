"""What follows an order, as staff sees it: mails, delivered goods without their content, how long services take."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.admin.widgets import ReadOnlyAdmin, ReadOnlyInline, money_column
from orders.models import (
    DeliveredGoods,
    GoodsReveal,
    ServicePace,
    WatchedPrice,
)


class RevealInline(ReadOnlyInline):
    model = GoodsReveal
    hide_title = True
    fields = ("created_at", "user", "address", "looks", "last_at", "last_address")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[GoodsReveal]:
        return super().get_queryset(request).select_related("user", "goods")


@admin.register(DeliveredGoods)
class DeliveredGoodsAdmin(ReadOnlyAdmin):
    """How many pieces came, and who looked at them. What they are, only their buyer sees."""

    list_display = ("order", "customer", "pieces", "received_at")
    list_filter = ("received_at",)
    list_select_related = ("order__user",)
    search_fields = ("order__id__exact", "order__user__email")
    fields = ("order", "pieces", "received_at")
    readonly_fields = fields
    inlines = (RevealInline,)

    @admin.display(description=gettext_lazy("customer"), ordering="order__user__email")
    def customer(self, goods: DeliveredGoods) -> Any:
        return goods.order.user


@admin.register(GoodsReveal)
class GoodsRevealAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "order", "user", "address", "looks", "last_at")
    list_filter = ("created_at",)
    list_select_related = ("goods__order", "user")
    search_fields = ("goods__order__id__exact", "user__email", "address")
    fields = ("order", "user", ("created_at", "address"), "looks", ("last_at", "last_address"))
    readonly_fields = ("order", "user", "created_at", "address", "looks", "last_at", "last_address")

    @admin.display(description=gettext_lazy("order"), ordering="goods__order")
    def order(self, look: GoodsReveal) -> Any:
        return look.goods.order


@admin.register(ServicePace)
class ServicePaceAdmin(ReadOnlyAdmin):
    list_display = ("service", "finished", "usual_seconds")
    list_select_related = ("service",)
    search_fields = ("service__name", "service__upstream_id__exact")
    ordering = ("-finished",)
    fields = ("service", "finished", "usual_seconds")
    readonly_fields = fields


@admin.register(WatchedPrice)
class WatchedPriceAdmin(ReadOnlyAdmin):
    list_display = (
        "user",
        "service",
        money_column("rate_per_thousand_micros", gettext_lazy("selling rate per 1,000")),
        "updated_at",
    )
    list_select_related = ("user", "service")
    search_fields = ("user__email", "service__name", "service__upstream_id__exact")
    fields = list_display
    readonly_fields = fields
