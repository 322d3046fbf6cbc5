"""The money upstream as staff sees it: the account's balance over time, and what services cost against expectation."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import EMPTY, ReadOnlyAdmin, money_column
from orders.admin.widgets import UPSTREAM
from orders.fulfilment.margin import REDUCED
from orders.models import ServiceCost, UpstreamBalance

SHOWN_DAYS = 30


@admin.register(UpstreamBalance)
class UpstreamBalanceAdmin(ReadOnlyAdmin):
    list_display = (
        "asked_at",
        money_column("amount_upstream_micros", gettext_lazy("balance"), currency=UPSTREAM),
        "low",
    )
    list_filter = ("low", "asked_at")


@admin.register(ServiceCost)
class ServiceCostAdmin(ReadOnlyAdmin):
    """Services that upstream charged for lately, what differs most first. Orders done in part say nothing here."""

    list_display = (
        "title",
        "upstream_id",
        "charged_orders",
        money_column("expected_micros", gettext_lazy("expected"), currency=UPSTREAM),
        money_column("charged_micros", gettext_lazy("charged"), currency=UPSTREAM),
        "difference",
        "paused_because",
    )
    list_filter = (("paused_because", admin.EmptyFieldListFilter), "category")
    list_select_related = ("category",)
    search_fields = ("search_text", "upstream_id__exact")
    fields = (*list_display[:-1], "rate_per", "paused_because")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        whole = Q(orders__created_at__gte=timezone.now() - timedelta(days=SHOWN_DAYS))
        whole &= Q(orders__charge_upstream_micros__gt=0) & ~Q(orders__status__in=REDUCED)
        with_whole = ServiceCost.objects.annotate(charged=FilteredRelation("orders", condition=whole))
        return with_whole.filter(charged__isnull=False).annotate(
            orders_charged=Count("charged"),
            expected_micros=Sum("charged__cost_upstream_micros"),
            charged_micros=Sum("charged__charge_upstream_micros"),
            surplus_micros=F("charged_micros") - F("expected_micros"),
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-surplus_micros", "pk")

    @display(description=gettext_lazy("orders"), ordering="orders_charged")
    def charged_orders(self, service: Any) -> int:
        count: int = service.orders_charged
        return count

    @display(description=gettext_lazy("difference"), ordering="surplus_micros")
    def difference(self, service: Any) -> str:
        if not service.expected_micros:
            return EMPTY
        return f"{service.surplus_micros * 100 // service.expected_micros:+d}%"
