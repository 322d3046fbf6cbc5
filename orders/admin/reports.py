"""The pages of the reports: what the shop earned, by time and by thing, and the services that do badly."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.admin.widgets import may_see
from accounts.moments import write_day, write_moment
from orders.accounting.daily_totals.dimensions import WHOLE, Dimension, dimensions
from orders.accounting.daily_totals.keeping import beginning
from orders.accounting.daily_totals.reading import PERIODS, Reader, Sums, span_before
from orders.accounting.report import Line, Span, today
from orders.accounting.report.totals import NO_PAYMENT
from orders.admin.books_table import chart
from orders.admin.report_form import GATEWAY, ReportForm, presets
from orders.admin.report_table import (
    Column,
    Header,
    Row,
    Table,
    add_bars,
    before_column,
    csv_of,
    figures,
    gateway_columns,
    period_title,
    profit_columns,
    rows_of,
)
from wallet.gateways import enabled_gateways

MAX_SHOWN = 100  # the CSV has all
MAX_PERIODS = 400
NAMED_AT_ONCE = 1000


def report_page(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Show what was earned in a period, or hand it out as CSV. Who may see the books may see it."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    now = today()
    form = ReportForm(request.GET, now, request.user)
    span, by = form.span(), form.grouped_by
    reader, before = Reader(span), Reader(span_before(span))
    as_csv = request.GET.get("format") == "csv"
    if by in PERIODS:
        shown = _by_period(form, request, reader, by, as_csv=as_csv)
    elif by == GATEWAY:
        shown = _by_gateway(reader)
    else:
        shown = _by_thing(form, request, reader, before, dimensions()[by], as_csv=as_csv)
    if as_csv:
        return download(shown["csv"], f"report-{by}-{span.first}-{span.last}.csv")
    only = by in dimensions() and dimensions()[by].only_with_key
    about = by if only else WHOLE  # what every line comes to is kept as one row
    context = {
        **admin.admin_site.each_context(request),
        **shown,
        **period_context(reader, form, before.span),
        "opts": admin.opts,
        "title": _("Reports"),
        "form": form,
        "figures": None if by == GATEWAY else figures(reader.whole(about), before.whole(about)),
        "presets": [
            {"title": preset.title, "query": query_of(form, preset.span), "here": preset.span == span}
            for preset in presets(now)
        ],
        "csv_query": f"{query_of(form, span)}&format=csv",
        "time_zone": settings.TIME_ZONE,
    }
    return render(request, "admin/orders/report.html", context)


def period_context(reader: Reader, form: Any, before: Span | None = None) -> dict[str, Any]:
    """Return what a page says of its period: which, and how far its totals go."""
    standing = reader.standing(since=beginning(), until=form.today)
    return {
        "first": write_day(reader.span.first),
        "last": write_day(reader.span.last),
        "before_first": write_day(before.first) if before else "",
        "before_last": write_day(before.last) if before else "",
        "never_reckoned": standing.reckoned_at is None and standing.missing > 0,
        "missing": standing.missing,
        "as_of": write_moment(standing.reckoned_at) if standing.reckoned_at and standing.last == form.today else "",
    }


def query_of(form: Any, span: Span, **changed: str) -> str:
    """Return the query string that asks for the same of a period."""
    kept = {name: str(form.data[name]) for name in form.fields if form.data.get(name)}
    return urlencode({**kept, "first": span.first.isoformat(), "last": span.last.isoformat(), **changed})


def download(lines: Iterator[str], name: str) -> HttpResponseBase:
    """Hand out lines of CSV as a file."""
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _by_period(form: ReportForm, request: HttpRequest, reader: Reader, length: str, *, as_csv: bool) -> dict[str, Any]:
    columns = profit_columns()
    lines = reader.by_period(length)
    about = ([line.span.first.isoformat(), line.span.last.isoformat()] for line in lines if line.span)
    if as_csv:
        return {"csv": csv_of([_("From"), _("To")], columns, zip(about, lines, strict=True))}
    drawn = chart([_as_line(line) for line in lines[-MAX_PERIODS:]], lambda line: period_title(line.span, length))
    name, ascending = form.sorted_by
    column = next((column for column in columns if name and column.sort == name), None)
    ordered = sorted(lines, key=lambda line: column.value(line) or 0, reverse=not ascending) if column else lines[::-1]
    shown = ordered[:MAX_PERIODS]
    rows = rows_of(shown, columns, [period_title(_span(line), length) for line in shown])
    links_to_orders = may_see(request.user, "orders.order")
    for row, line in zip(rows, shown, strict=True):
        row.orders_link = _orders_of(_span(line)) if line.orders and links_to_orders else ""
        if length != "day":
            row.link = f"?{query_of(form, _span(line), by='day', sort='')}"
    _bars(rows, shown)
    return {
        "chart": drawn,
        "table": Table(_headers(form, reader.span, _period_head(length), columns), rows, _("Report")),
        "left": len(ordered) - len(shown),
        "anything": any(line.orders or line.net_micros or line.given_back_micros for line in lines),
    }


def _by_thing(
    form: ReportForm, request: HttpRequest, reader: Reader, before: Reader, dimension: Dimension, *, as_csv: bool
) -> dict[str, Any]:
    name, ascending = form.sorted_by
    if as_csv:
        columns = [*profit_columns(), before_column(before.all_things(dimension.name))]
        column = next(column for column in columns if column.sort == name)
        lines = sorted(
            reader.all_things(dimension.name).values(), key=lambda line: column.value(line) or 0, reverse=not ascending
        )
        return {"csv": csv_of([_("ID"), str(dimension.title)], columns, _named(dimension, lines))}
    lines = reader.by_thing(dimension.name, sort=name, ascending=ascending, limit=MAX_SHOWN + 1)
    shown = lines[:MAX_SHOWN]
    keys = [line.key for line in shown]
    columns = [*profit_columns(), before_column(before.of_keys(dimension.name, keys))]
    rows = rows_of(shown, columns, titles_of(dimension, keys))
    links_to_orders = may_see(request.user, "orders.order")
    for row, line in zip(rows, shown, strict=True):
        if line.key:
            row.link = reverse(f"admin:{dimension.page}", args=[line.key])
            row.orders_link = _orders_of(reader.span, **{dimension.orders: line.key}) if links_to_orders else ""
    _bars(rows, shown)
    return {
        "table": Table(_headers(form, reader.span, str(dimension.title), columns), rows, _("Report")),
        "more": len(lines) > MAX_SHOWN,
        "anything": bool(lines),
        "bars": True,
    }


def _by_gateway(reader: Reader) -> dict[str, Any]:
    columns, lines = gateway_columns(), reader.by_gateway()
    names = {name: str(gateway.title) for name, gateway in enabled_gateways().items()}
    names[NO_PAYMENT] = _("unknown payment")
    titles = [names.get(line["gateway"], line["gateway"]) for line in lines]
    rows = rows_of(lines, columns, titles)
    sums = [line["paid_in_micros"] for line in lines]
    add_bars(rows, sums, [0] * len(sums))
    table = Table([Header(_("Payment method")), *(Header(column.title) for column in columns)], rows, _("Report"))
    about = ([title] for title in titles)
    return {
        "csv": csv_of([_("Payment method")], columns, zip(about, lines, strict=True)),
        "table": table,
        "anything": bool(lines),
        "of_payments": True,
    }


def titles_of(dimension: Dimension, keys: Sequence[int]) -> list[str]:
    """Return how things are called; one that is gone by its number."""
    names = dimension.names([key for key in keys if key])
    return [names.get(key) or (f"#{key}" if key else str(dimension.none)) for key in keys]


def _named(dimension: Dimension, lines: Sequence[Sums]) -> Iterator[tuple[list[Any], Sums]]:
    for start in range(0, len(lines), NAMED_AT_ONCE):
        part = lines[start : start + NAMED_AT_ONCE]
        for line, title in zip(part, titles_of(dimension, [line.key for line in part]), strict=True):
            yield [line.key or "", title], line


def _headers(form: ReportForm, span: Span, first: str, columns: Sequence[Column]) -> list[Header]:
    """Return the heads of the columns: each sorts by its own, and turns round what is sorted by it."""
    sorted_by, ascending = form.sorted_by
    found = [Header(first)]
    for column in columns:
        here = bool(column.sort) and column.sort == sorted_by
        wanted = f"-{column.sort}" if here and not ascending else column.sort
        link = f"?{query_of(form, span, sort=wanted)}" if column.sort else ""
        found.append(Header(column.title, link, ("ascending" if ascending else "descending") if here else ""))
    return found


def _period_head(length: str) -> str:
    return {"day": _("Day"), "week": _("Week"), "month": _("Month")}[length]


def _bars(rows: Sequence[Row], lines: Sequence[Sums]) -> None:
    add_bars(rows, [line.net_micros for line in lines], [line.margin_micros for line in lines])


def _span(line: Sums) -> Span:
    assert line.span is not None  # noqa: S101 - lines by period have one
    return line.span


def _as_line(line: Sums) -> Line:
    """Return what the drawing of the books is made of."""
    return Line(
        _span(line),
        sales=line.net_micros,
        refunds=line.refunds_micros,
        claim_refunds=line.claim_refunds_micros,
        cost=line.cost_micros,
        replacements=line.replacements_micros,
    )


def _orders_of(span: Span, **filters: Any) -> str:
    """Return where the orders are that were sold in a period."""
    begins, ends = (timezone.localtime(moment, timezone.get_default_timezone()) for moment in (span.begins, span.ends))
    asked = {**filters, "created_at__gte": str(begins), "created_at__lt": str(ends)}
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(asked)}"
