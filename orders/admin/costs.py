"""The money upstream as staff sees it: the account's balance over time, and what services cost against expectation."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.lists import at_the_end
from accounts.admin.widgets import EMPTY, ReadOnlyAdmin, money_column
from accounts.templatetags.money import money
from orders.admin.widgets import UPSTREAM
from orders.models import ServiceCost, UpstreamBalance


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
    """Services that upstream charged for lately, what differs most first. Orders done in part say nothing here.

    The figures are those of `orders.accounting.service_margin`, which measures them hourly.
    """

    list_display = (
        "title",
        "upstream_id",
        "charged_orders",
        "expected",
        "charged",
        "difference",
        "paused_because",
    )
    list_filter = (("paused_because", admin.EmptyFieldListFilter), "category")
    list_select_related = ("category", "margin")
    search_fields = ("search_text", "upstream_id__exact")
    fields = (*list_display[:-1], "rate_per", "paused_because")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return ServiceCost.objects.filter(margin__charged_orders__gt=0)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-margin__surplus_upstream_micros", "margin__service")

    @display(description=gettext_lazy("orders"), ordering="margin__charged_orders")
    def charged_orders(self, service: Any) -> int:
        count: int = service.margin.charged_orders
        return count

    @display(description=gettext_lazy("expected"), ordering="margin__expected_upstream_micros")
    def expected(self, service: Any) -> SafeString:
        return at_the_end(money(service.margin.expected_upstream_micros, UPSTREAM))

    @display(description=gettext_lazy("charged"), ordering="margin__charged_upstream_micros")
    def charged(self, service: Any) -> SafeString:
        return at_the_end(money(service.margin.charged_upstream_micros, UPSTREAM))

    @display(description=gettext_lazy("difference"), ordering="margin__surplus_upstream_micros")
    def difference(self, service: Any) -> str:
        figures = service.margin
        if not figures.expected_upstream_micros:
            return EMPTY
        return f"{figures.surplus_upstream_micros * 100 // figures.expected_upstream_micros:+d}%"
