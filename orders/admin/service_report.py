"""The page of the services that do badly: slow, failing, often given back; only those with enough orders to say so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from orders.accounting.daily_totals.dimensions import dimensions
from orders.accounting.daily_totals.reading import Reader, Sums
from orders.accounting.report import today
from orders.admin.report_form import PeriodForm, presets
from orders.admin.report_table import Column, Header, Table, csv_of, rows_of
from orders.admin.reports import download, period_context, query_of, titles_of

SHOWN = 20
IN_CSV = 1000
ENOUGH = 20


class ServicesForm(PeriodForm):
    """A period, and how many orders a service needs for its shares to say anything."""

    least = forms.IntegerField(
        label=gettext_lazy("Orders at least"),
        min_value=1,
        max_value=1_000_000,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )

    @property
    def defaults(self) -> dict[str, str]:
        return {"least": str(ENOUGH)}

    def enough(self) -> int:
        """Return how many orders are enough."""
        return int(self.cleaned_data["least"]) if self.is_valid() else ENOUGH


@dataclass(frozen=True)
class Sort:
    """A way to do badly: what its list is called and shows."""

    name: str
    title: str
    about: str
    columns: Sequence[Column]


def service_report_page(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Show the worst services of a period, or one of the lists as CSV. Who may see the books may."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    now = today()
    form = ServicesForm(request.GET, now)
    span, least = form.span(), form.enough()
    reader = Reader(span)
    if request.GET.get("format") == "csv":
        sort = next((one for one in _sorts() if one.name == request.GET.get("list")), _sorts()[0])
        lines = reader.worst("service", least=least, limit=IN_CSV)[sort.name]
        titles = titles_of(dimensions()["service"], [line.key for line in lines])
        about = [[line.key, title] for line, title in zip(lines, titles, strict=True)]
        made = csv_of([_("ID"), _("Service")], sort.columns, zip(about, lines, strict=True))
        return download(made, f"services-{sort.name}-{span.first}-{span.last}.csv")
    worst, query = reader.worst("service", least=least, limit=SHOWN), query_of(form, span)
    context = {
        **admin.admin_site.each_context(request),
        **period_context(reader, form),
        "opts": admin.opts,
        "title": _("Services that do badly"),
        "form": form,
        "least": least,
        "lists": [_list(sort, worst[sort.name], query) for sort in _sorts()],
        "presets": [
            {"title": preset.title, "query": query_of(form, preset.span), "here": preset.span == span}
            for preset in presets(now)
        ],
    }
    return render(request, "admin/orders/service_report.html", context)


def _list(sort: Sort, lines: Sequence[Sums], query: str) -> dict[str, Any]:
    rows = rows_of(lines, sort.columns, titles_of(dimensions()["service"], [line.key for line in lines]))
    for row, line in zip(rows, lines, strict=True):
        row.link = reverse("admin:catalog_service_change", args=[line.key])
    headers = [Header(_("Service")), *(Header(column.title) for column in sort.columns)]
    return {
        "title": sort.title,
        "about": sort.about,
        "table": Table(headers, rows, label=sort.title),
        "csv_query": f"{query}&list={sort.name}&format=csv",
    }


def _sorts() -> list[Sort]:
    orders = Column(_("Orders"), lambda line: line.orders, "count")
    given_back = Column(_("Refunds"), lambda line: line.given_back_micros)
    return [
        Sort(
            "slow",
            _("Slow"),
            _("The longest from payment to completion, on average."),
            [
                orders,
                Column(_("Completed orders"), lambda line: line.completed, "count"),
                Column(_("Time to completion"), lambda line: line.seconds, "seconds"),
                Column(_("Sales"), lambda line: line.net_micros),
            ],
        ),
        Sort(
            "failing",
            _("Failing"),
            _("The largest share of orders that failed or were canceled."),
            [
                orders,
                Column(_("Failed or canceled"), lambda line: line.failed, "count"),
                Column(_("Share"), _share("failed"), "percent"),
                given_back,
            ],
        ),
        Sort(
            "refunded",
            _("Often refunded"),
            _("The largest share of orders of which money was given back, also in part."),
            [
                orders,
                Column(_("Refunded orders"), lambda line: line.refunded, "count"),
                Column(_("Share"), _share("refunded"), "percent"),
                given_back,
                Column(_("Margin"), lambda line: line.margin_micros),
            ],
        ),
    ]


def _share(name: str) -> Callable[[Sums], int | None]:
    return lambda line: line.percent(getattr(line, name))
