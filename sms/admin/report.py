"""The page of the report about numbers: a period, by website or app or by country, and as CSV."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin.widgets import EMPTY
from accounts.templatetags.money import money
from accounts.typed_forms import Form
from orders.accounting.report.periods import Span, today
from sms.queries.report import (
    Line,
    csv_of,
    name_titles,
    numbers_report,
)

DAYS = 30
MAX_SHOWN = 300  # the CSV has all


class ReportForm(Form):
    """A period of days, both included, and what the lines are. What is nonsense shows the last 30 days."""

    first = forms.DateField(label=gettext_lazy("From"), widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("To"), widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    by = forms.ChoiceField(
        label=gettext_lazy("Group by"),
        choices=[
            ("both", gettext_lazy("website or app, and country")),
            ("site", gettext_lazy("website or app")),
            ("country", gettext_lazy("country")),
        ],
        widget=UnfoldAdminSelectWidget,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and cleaned["first"] > cleaned["last"]:
            self.add_error("last", _("The period can't end before it starts."))
        return cleaned


def report_page(admin: ModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """Show the report or hand it out as CSV. Who may see the numbers may see it."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    last = today()
    usual = {"first": (last - timedelta(days=DAYS - 1)).isoformat(), "last": last.isoformat(), "by": "both"}
    form = ReportForm(request.GET if "first" in request.GET else usual)
    span, by = Span(last - timedelta(days=DAYS - 1), last), "both"
    if form.is_valid():
        span, by = Span(form.cleaned_data["first"], form.cleaned_data["last"]), form.cleaned_data["by"]
    lines, whole = numbers_report(begins=span.begins, ends=span.ends, by=by)
    if request.GET.get("format") == "csv":
        download = StreamingHttpResponse(csv_of(lines, by), content_type="text/csv; charset=utf-8")
        download["Content-Disposition"] = f'attachment; filename="numbers-{span.first}-{span.last}.csv"'
        return download
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Numbers by website or app and country"),
        "form": form,
        "table": _table(lines[:MAX_SHOWN], whole, by),
        "left": max(0, len(lines) - MAX_SHOWN),
        "csv_query": f"first={span.first}&last={span.last}&by={by}&format=csv",
    }
    return render(request, "admin/sms/report.html", context)


def _table(lines: list[Line], whole: Line, by: str) -> dict[str, Any]:
    titles = name_titles(by)
    figures = [_("Sold"), _("Received"), _("Success"), _("Revenue"), _("Upstream charge"), _("Margin")]
    total = [whole.names[0], *[""] * (len(titles) - 1), *_figures(whole)]
    return {"headers": [*titles, *figures], "rows": [[*line.names, *_figures(line)] for line in lines] + [total]}


def _figures(line: Line) -> list[Any]:
    success = EMPTY if line.success_percent is None else f"{line.success_percent}%"
    charge = money(line.charge, settings.UPSTREAM_CURRENCY)
    return [line.sold, line.received, success, money(line.revenue), charge, money(line.margin)]
