"""The page of the books: a month by days or a year by months, with bars, and as CSV."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.widgets import ReadOnlyAdmin
from accounts.typed_forms import Form
from orders.accounting.report import (
    days_of_month,
    first_year,
    months_of_year,
    report,
)
from orders.accounting.report.periods import Span, today
from orders.admin.books_table import chart, csv_of, tables
from orders.admin.reports import report_page
from orders.admin.service_report import service_report_page
from orders.models import Books

WHOLE_YEAR = 0


class PeriodForm(Form):
    """A year, and a month of it or all of them. What is no period shows this month."""

    year = forms.TypedChoiceField(label=gettext_lazy("Year"), coerce=int, widget=UnfoldAdminSelectWidget)
    month = forms.TypedChoiceField(
        label=gettext_lazy("Month"),
        coerce=int,
        choices=[(WHOLE_YEAR, gettext_lazy("Whole year")), *MONTHS.items()],
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, asked: Any, now: date) -> None:
        super().__init__(asked if "year" in asked else {"year": now.year, "month": now.month})
        years = range(now.year, min(first_year(today=now), now.year) - 1, -1)
        self.fields["year"].choices = [(year, str(year)) for year in years]  # type: ignore[attr-defined]

    def spans(self, now: date) -> list[Span]:
        """Return the spans to show, at least one."""
        year, month = now.year, now.month
        if self.is_valid():
            year, month = self.cleaned_data["year"], self.cleaned_data["month"]
        found = months_of_year(year, until=now) if month == WHOLE_YEAR else days_of_month(year, month, until=now)
        return found or days_of_month(now.year, now.month, until=now)


@admin.register(Books)
class BooksAdmin(ReadOnlyAdmin):
    """Who may see the books is a permission of its own; the rows behind them are at the ledger's page."""

    def get_urls(self) -> list[URLPattern]:
        protected = self.admin_site.admin_view
        return [
            path("reports/", protected(self.reports), name="orders_reports"),
            path("reports/services/", protected(self.service_report), name="orders_service_report"),
            *super().get_urls(),
        ]

    def reports(self, request: HttpRequest) -> HttpResponseBase:
        """Show what was earned, by time and by thing."""
        return report_page(self, request)

    def service_report(self, request: HttpRequest) -> HttpResponseBase:
        """Show the services that do badly."""
        return service_report_page(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = today()
        form = PeriodForm(request.GET, now)
        found = report(form.spans(now))
        whole = found.whole.span
        if request.GET.get("format") == "csv":
            download = StreamingHttpResponse(list(csv_of(found)), content_type="text/csv; charset=utf-8")
            download["Content-Disposition"] = f'attachment; filename="books-{whole.first}-{whole.last}.csv"'
            return download  # type: ignore[return-value]  # Django's annotation leaves out streams
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": _("Books"),
            "form": form,
            "tables": tables(found),
            "whole": found.whole,
            "chart": chart(found.lines),
            "csv_query": f"year={whole.first.year}&month={form['month'].value()}&format=csv",
            "upstream_currency": settings.UPSTREAM_CURRENCY,
            "time_zone": settings.TIME_ZONE,
        }
        return render(request, "admin/orders/books.html", context)
