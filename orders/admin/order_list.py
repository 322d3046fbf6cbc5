"""The list of orders: a line for each, the parts of it that work begins with, and how it is searched."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, FloatField, Q, QuerySet
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.lists import SavedFilter, ago_column, amount_column, cut, cut_column
from accounts.admin.widgets import ModelAdmin
from orders.admin.order_search import find_orders
from orders.attempts.losses import BOOKS_ARE_OPEN
from orders.lifecycle.attention import attention_of
from orders.models import AttentionFlag, LostAttempt, Order, ServiceRequest, Status
from upstream.money import MICROS

STUCK = timedelta(hours=1)
LOOKED_BACK = timedelta(days=30)
STATUS_COLOURS = {
    Status.UNKNOWN: "danger",
    Status.FAILED: "danger",
    Status.CANCELED: "warning",
    Status.PARTIAL: "warning",
    Status.COMPLETED: "success",
    Status.PENDING: "info",
    Status.IN_PROGRESS: "info",
}
LONGEST_TITLE, LONGEST_ADDRESS, LONGEST_REASON = 28, 20, 18


class AttentionFilter(admin.SimpleListFilter):
    title = gettext_lazy("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = [(code.value, str(code.label)) for code in AttentionFlag.Code]
        in_bulk = [("restored", _("Perhaps sent before a restore")), ("too_wide", _("Too many IDs to ask about"))]
        return [("yes", _("Needs attention")), ("no", _("No attention needed")), *in_bulk, *codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        flagged = AttentionFlag.objects.open()
        if self.value() == "restored":
            return queryset.filter(pk__in=LostAttempt.objects.of_a_restore().values("order"))
        if self.value() == "too_wide":
            return queryset.filter(pk__in=LostAttempt.objects.too_wide().values("order"))
        if self.value() in AttentionFlag.Code.values:
            return queryset.filter(pk__in=flagged.filter(code=self.value()).values("order"))
        if self.value() == "yes":
            return queryset.filter(pk__in=flagged.values("order"))
        return queryset.exclude(pk__in=flagged.values("order")) if self.value() == "no" else queryset


class BooksFilter(admin.SimpleListFilter):
    title = gettext_lazy("open question")
    parameter_name = "books"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", _("Upstream may have more than we know"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(BOOKS_ARE_OPEN) if self.value() == "open" else queryset


class WorkFilter(admin.SimpleListFilter):
    """What somebody has to look after; each answer is one of the saved filters above the list."""

    title = gettext_lazy("work")
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("stuck", _("Stuck for over an hour")),
            ("held", _("Held back")),
            ("refill", _("Waiting for a refill")),
            ("loss", _("Lost money in 30 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        now = timezone.now()
        if self.value() == "stuck":
            unsent = Q(status__in=(Status.PAID, Status.SENDING, Status.UNKNOWN))
            return queryset.filter(unsent, created_at__lt=now - STUCK)
        if self.value() == "held":
            return queryset.filter(status=Status.PAID).exclude(held_because="")
        if self.value() == "refill":
            asked = ServiceRequest.objects.filter(kind=ServiceRequest.Kind.REFILL, state=ServiceRequest.State.OPEN)
            return queryset.filter(pk__in=asked.values("order"))
        if self.value() == "loss":
            return queryset.filter(pk__in=losing_orders(after=now - LOOKED_BACK).values("pk"))
        return queryset


def losing_orders(*, after: Any) -> QuerySet[Order]:
    """Return the orders placed since a moment that cost more upstream than their customers have paid and kept.

    As in the books: what upstream charged, or is expected to charge while it has not said so. A replacement of goods is
    none: it was paid for with the order that it replaces.
    """
    # As floats: the product of two amounts in micros may be more than a column holds.
    charge = Cast(Coalesce("charge_upstream_micros", "cost_upstream_micros"), FloatField())
    cost = charge * Cast("exchange_rate_micros", FloatField()) / float(MICROS)
    sent = Order.objects.filter(created_at__gte=after, upstream_id__isnull=False, original=None).order_by()
    return sent.alias(lost=cost - F("price_micros") + F("refunded_micros")).filter(lost__gte=1.0)


class OrderList(ModelAdmin):
    """The list's part of the orders' admin."""

    list_display: Any = (
        "id",
        "shown_item",
        cut_column("user", gettext_lazy("customer"), longest=LONGEST_ADDRESS),
        amount_column("price_micros", gettext_lazy("price")),
        "shown_status",
        "shown_work",
        ago_column("created_at", gettext_lazy("ordered"), sortable=True),
    )
    list_display_links: Any = ("id", "shown_item")
    list_filter: Any = (WorkFilter, AttentionFilter, BooksFilter, "status", "kind", "created_at")
    list_select_related: Any = ("user",)
    search_fields: Any = ("id__exact", "upstream_id", "user__email", "link", "title")
    search_help_text = gettext_lazy("Number, upstream ID, email, link, phone or words")
    named_by = ("title",)
    linked_by = ("user__id__exact",)
    sortable_by: Any = (list_display[-1],)  # no index helps with the others
    saved_filters = (
        SavedFilter(gettext_lazy("All"), ""),
        SavedFilter(gettext_lazy("Stuck for over an hour"), "work=stuck"),
        SavedFilter(gettext_lazy("Held back"), "work=held"),
        SavedFilter(gettext_lazy("Being checked"), "status__exact=unknown"),
        SavedFilter(gettext_lazy("Waiting for a refill"), "work=refill"),
        SavedFilter(gettext_lazy("Lost money in 30 days"), "work=loss"),
    )
    file_columns = (
        *("id", "created_at", "user__email", "kind", "title", "quantity", "link", "status"),
        *("price_micros", "refunded_micros", "cost_upstream_micros", "charge_upstream_micros"),
        *("upstream_id", "start_count", "remains", "finished_at"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by what was typed, see `orders.admin.order_search`."""
        return find_orders(request, queryset, search_term), False

    @display(description=gettext_lazy("item"))
    def shown_item(self, order: Order) -> SafeString | str:
        """Return what was ordered, with how many of it where it is more than one."""
        many = f"{number_format(order.quantity, force_grouping=True)} × " if order.quantity > 1 else ""
        return cut(f"{many}{order.title}", LONGEST_TITLE)

    @display(description=gettext_lazy("status"), label=STATUS_COLOURS)
    def shown_status(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=gettext_lazy("waits because"))
    def shown_work(self, order: Order) -> SafeString | str:
        return cut(attention_of(order), LONGEST_REASON) if order.open_flags else ""  # type: ignore[attr-defined]  # prefetched
