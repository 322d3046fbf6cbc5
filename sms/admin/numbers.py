"""The numbers that customers bought, how often codes come, and what a customer may have; codes are not shown here."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.lists import SavedFilter
from accounts.admin.own_favors import NoOwnFavors
from accounts.admin.widgets import (
    EMPTY,
    ModelAdmin,
    ReadOnlyAdmin,
    may_see,
    money_column,
)
from accounts.models import User
from accounts.power import may_move_money_of, refuse_own_money
from orders.admin.order_search import also_found_by
from sms.admin.report import report_page
from sms.models import Number, NumberLimit, ReplacementRule, SuccessRate
from sms.queries.phones import newest_with_phone
from upstream.reading.text import digits

FEWEST_DIGITS = 7  # fewer are an order's number
MOST_ORDERS, MOST_ROWS = 20, 1000  # the newest: who leafs through more types more digits


class OpenFilter(admin.SimpleListFilter):
    title = gettext_lazy("open")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Open")), ("no", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.still_open()  # type: ignore[attr-defined]  # the rows are numbers
        if self.value() == "no":
            return queryset.exclude(state__in=[Number.State.ORDERED, Number.State.WAITING])
        return queryset


class FoundByPhone(ModelAdmin):
    """Rows that are found by a telephone number however it is written: digits are compared."""

    phone_column = "phone"

    def also_found(self, request: HttpRequest, typed: str) -> Q:
        """Return the rows with the digits typed."""
        rows = self.model._default_manager.all()
        return Q(pk__in=newest_with_phone(rows, self.phone_column, typed, MOST_ROWS))


def orders_with_phone(request: HttpRequest, typed: str) -> list[int]:
    """Return the newest orders of numbers with this phone, for the search box of orders."""
    if len(digits(typed)) < FEWEST_DIGITS or not may_see(request.user, "sms.number"):
        return []
    numbers = newest_with_phone(Number.objects.all(), "phone", typed, MOST_ORDERS)
    return list(Number.objects.filter(pk__in=numbers).values_list("order_id", flat=True))


also_found_by(orders_with_phone)


@admin.register(Number)
class NumberAdmin(FoundByPhone, ReadOnlyAdmin):
    """Code and message are their buyer's alone: staff sees that one came, and when."""

    list_display = ("order", "phone", "project", "state", "expires_at", "received_at", "created_at")
    list_filter = (OpenFilter, "state", "created_at")
    list_select_related = ("order", "project__country")
    search_fields = ("order__user__email", "project__search_text", "order__id__exact")
    named_by = ("phone",)
    linked_by = ("order__user__id__exact",)
    exclude = ("code", "content")
    sortable_by = ("created_at",)
    saved_filters = (
        SavedFilter(gettext_lazy("All"), ""),
        SavedFilter(gettext_lazy("Open"), "open=yes"),
    )
    file_columns = (
        *("order__id", "order__user__email", "phone", "project__name", "project__country__name", "state"),
        *("created_at", "expires_at", "received_at"),
    )

    def get_urls(self) -> list[URLPattern]:
        report = path("report/", self.admin_site.admin_view(self.report), name="sms_number_report")
        return [report, *super().get_urls()]

    def report(self, request: HttpRequest) -> Any:
        """Show what was sold by website or app and country."""
        return report_page(self, request)


@admin.register(SuccessRate)
class SuccessRateAdmin(ReadOnlyAdmin):
    list_display = ("project", "percent", "observed", "received", "median_seconds", "counted_at")
    list_select_related = ("project__country",)
    search_fields = ("project__search_text", "project__country__search_text")

    @display(description=gettext_lazy("success"))
    def percent(self, rate: SuccessRate) -> str:
        return f"{rate.percent}%" if rate.observed else EMPTY


@admin.register(ReplacementRule)
class ReplacementRuleAdmin(FoundByPhone, ReadOnlyAdmin):
    """What customers opted into."""

    phone_column = "number__phone"

    list_display = (
        "number",
        "after_seconds",
        money_column("cap_micros", gettext_lazy("maximum price")),
        "any_country",
        "left",
        "next_at",
        "outcome",
    )
    list_filter = ("any_country",)
    list_select_related = ("number",)
    search_fields = ("number__order__user__email",)


@admin.register(NumberLimit)
class NumberLimitAdmin(NoOwnFavors):
    """Limits of single customers; everybody else has the shop's."""

    list_display = ("user", "max_open", "max_per_day", "note")
    list_select_related = ("user",)
    search_fields = ("user__email", "note")
    autocomplete_fields = ("user",)

    def favored(self, staff: User, row: NumberLimit, changed: Collection[str]) -> User | None:
        """Return whose limit it is; one that was somebody else's before is theirs as well."""
        before = NumberLimit.objects.select_related("user").filter(pk=row.pk).first()
        if before is not None and not may_move_money_of(staff, before.user):
            return before.user
        return row.user if changed else None

    def check_removal(self, staff: User, row: NumberLimit) -> None:
        """Raise NotYourOwnMoney for one's own limit: without it the shop's holds, which may be higher."""
        refuse_own_money(staff, row.user, permission="sms.delete_numberlimit")
