"""The list of services: a line for each, and the lists of those that lose money, are slow or are often refunded."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.lists import EMPTY, SavedFilter, ago, at_the_end, cut
from accounts.templatetags.money import money
from catalog.browse.durations import write_short_duration
from catalog.models import Service
from catalog.models.quality import DAY
from catalog.models.services import NEVER_MEASURED

SLOW_SECONDS = DAY  # from payment to the end, usually
OFTEN_PERCENT = 10  # of the orders that ended
LONGEST_TITLE, LONGEST_CATEGORY = 28, 16
LOSING, SLOW, REFUNDED = "losing", "slow", "refunded"

SHOWN = (
    *("number", "shown_title", "shown_category", "shown_upstream_rate", "shown_selling_rate"),
    *("shown_stock", "shown_state", "changed"),
)
# Those of `catalog.operations.service_files.COLUMNS` can be changed in the file, and read again.
FILE_COLUMNS = (
    *("upstream_id", "name", "category__name", "type", "rate_upstream_micros", "selling_rate_micros", "visible"),
    *("display_name", "short_title_override", "delivery_override", "warranty_days", "rate_override_micros"),
    *("markup_percent", "paused_because"),
)
# What is shown beside the title of the services with such figures, and what the list begins with.
FIGURES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    LOSING: (("orders_lately", "kept", "cost", "shown_margin"), ("margin__margin_micros", "pk")),
    SLOW: (("orders_ended", "usually_done", "mostly_done"), ("-done_seconds", "pk")),
    REFUNDED: (("orders_ended", "shown_refunded"), ("-quality__refunded", "pk")),
}
SAVED_FILTERS = (
    SavedFilter(gettext_lazy("All"), ""),
    SavedFilter(gettext_lazy("Lose money"), f"figures={LOSING}"),
    SavedFilter(gettext_lazy("Slow"), f"figures={SLOW}"),
    SavedFilter(gettext_lazy("Often refunded"), f"figures={REFUNDED}"),
)
STATE_COLOURS = {"on": "success", "hidden": "warning", "paused": "danger", "withdrawn": "info", "left": "info"}


class OnSaleFilter(admin.SimpleListFilter):
    title = gettext_lazy("availability")
    parameter_name = "sale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("on", _("On sale")),
            ("hidden", _("Hidden")),
            ("left", _("Left out by an import rule")),
            ("paused", _("Paused")),
            ("withdrawn", _("Withdrawn upstream")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        answers: dict[str | None, Callable[[], QuerySet]] = {
            "on": lambda: queryset.filter(withdrawn_at=None, visible=True, category__visible=True, paused_because=""),
            "hidden": lambda: queryset.filter(visible=False),
            "left": lambda: queryset.filter(left_out=True),
            "paused": lambda: queryset.exclude(paused_because=""),
            "withdrawn": lambda: queryset.exclude(withdrawn_at=None),
        }
        answer = answers.get(self.value())
        return answer() if answer else queryset


class FiguresFilter(admin.SimpleListFilter):
    """By what is measured of the orders of the last days and stored; each answer stands above the list."""

    title = gettext_lazy("figures of its orders")
    parameter_name = "figures"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(LOSING, _("Lose money")), (SLOW, _("Slow")), (REFUNDED, _("Often refunded"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        answers: dict[str | None, Callable[[], QuerySet]] = {
            LOSING: lambda: queryset.filter(margin__margin_micros__lt=0),
            SLOW: lambda: queryset.filter(
                withdrawn_at=None, done_seconds__gt=SLOW_SECONDS, done_seconds__lt=NEVER_MEASURED
            ),
            REFUNDED: lambda: queryset.alias(
                above=F("quality__refunded") * 100 - F("quality__orders") * OFTEN_PERCENT
            ).filter(above__gte=0),
        }
        answer = answers.get(self.value())
        return answer() if answer else queryset


class ServiceColumns:
    """The columns of the list. A row is a line: what is longer is cut, and all of it stands in the cell's title."""

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the columns: beside figures that were asked for there is no room for everything else."""
        figures = FIGURES.get(request.GET.get(FiguresFilter.parameter_name, ""))
        return SHOWN if figures is None else (*SHOWN[:3], *figures[0], "shown_state")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return what the list begins with: the worst of the figures that were asked for."""
        figures = FIGURES.get(request.GET.get(FiguresFilter.parameter_name, ""))
        return ("position", "pk") if figures is None else figures[1]

    @display(description=gettext_lazy("ID"), ordering="upstream_id")
    def number(self, service: Service) -> int:
        return service.upstream_id

    @display(description=gettext_lazy("service"), ordering="name")
    def shown_title(self, service: Service) -> SafeString | str:
        return cut(service.title, LONGEST_TITLE)

    @display(description=gettext_lazy("category"), ordering="category")
    def shown_category(self, service: Service) -> SafeString | str:
        return cut(service.category.title, LONGEST_CATEGORY)

    @display(description=gettext_lazy("upstream rate"), ordering="rate_upstream_micros")
    def shown_upstream_rate(self, service: Service) -> SafeString:
        return at_the_end(money(service.rate_upstream_micros, settings.UPSTREAM_CURRENCY))

    @display(description=gettext_lazy("selling rate"), ordering="selling_rate_micros")
    def shown_selling_rate(self, service: Service) -> SafeString:
        return at_the_end(money(service.selling_rate_micros))

    @display(description=gettext_lazy("stock"), ordering="stock")
    def shown_stock(self, service: Service) -> SafeString:
        return at_the_end(EMPTY if service.stock is None else service.stock)

    @display(description=gettext_lazy("state"), label=STATE_COLOURS)
    def shown_state(self, service: Service) -> tuple[str, str]:
        if service.withdrawn_at is not None:
            return "withdrawn", _("Withdrawn")
        if service.left_out:
            return "left", _("Left out")
        if not (service.visible and service.category.visible):
            return "hidden", _("Hidden")
        if service.paused_because:
            return "paused", _("Paused")
        return "on", _("On sale")

    @display(description=gettext_lazy("changed"), ordering="changed_at")
    def changed(self, service: Service) -> SafeString | str:
        return ago(service.changed_at)

    @display(description=gettext_lazy("orders in 30 days"), ordering="margin__orders")
    def orders_lately(self, service: Service) -> SafeString:
        return at_the_end(service.margin.orders)

    @display(description=gettext_lazy("sales less refunds"), ordering="margin__kept_micros")
    def kept(self, service: Service) -> SafeString:
        return at_the_end(money(service.margin.kept_micros))

    @display(description=gettext_lazy("upstream cost"), ordering="margin__cost_micros")
    def cost(self, service: Service) -> SafeString:
        return at_the_end(money(service.margin.cost_micros))

    @display(description=gettext_lazy("margin"), ordering="margin__margin_micros")
    def shown_margin(self, service: Service) -> SafeString:
        return at_the_end(money(service.margin.margin_micros))

    @display(description=gettext_lazy("orders that ended"), ordering="quality__orders")
    def orders_ended(self, service: Service) -> SafeString:
        return at_the_end(service.quality.orders if hasattr(service, "quality") else EMPTY)

    @display(description=gettext_lazy("usually done in"), ordering="done_seconds")
    def usually_done(self, service: Service) -> SafeString:
        return at_the_end(write_short_duration(service.done_seconds))

    @display(description=gettext_lazy("nine in ten done in"), ordering="quality__done_seconds_most")
    def mostly_done(self, service: Service) -> SafeString:
        most = service.quality.done_seconds_most if hasattr(service, "quality") else None
        return at_the_end(EMPTY if most is None else write_short_duration(most))

    @display(description=gettext_lazy("refunded"), ordering="quality__refunded")
    def shown_refunded(self, service: Service) -> SafeString:
        return at_the_end(f"{service.quality.refunded} ({service.quality.shares[2]}%)")
