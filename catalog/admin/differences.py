"""What a sync changed, or would change, as tables for people: one kind at a time, page by page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.templatetags.money import money
from catalog.models import Service, ServiceChange, SyncRun

UPSTREAM = settings.UPSTREAM_CURRENCY
ROWS_PER_PAGE = 50
Kind = ServiceChange.Kind
Status = SyncRun.Status
Row = list[Any]


@dataclass(frozen=True)
class Table:
    """One kind of change: its word in the address, its title, how many there are, and how to show them."""

    word: str
    title: str | Promise
    count: int
    headers: tuple[str | Promise, ...]
    source: Any  # a queryset or a list
    row: Callable[[Any], Row]


SERVICE = (gettext_lazy("upstream ID"), gettext_lazy("service"))
RATES = (gettext_lazy("upstream rate before"), gettext_lazy("after"), gettext_lazy("change"))


def shown_difference(request: HttpRequest, run: SyncRun) -> dict[str, Any]:
    """Return what the run's page shows below its fields: the tables with their sizes, and a page of the chosen one."""
    tables = list(_tables(run))
    wanted = request.GET.get("show")
    filled = next((table for table in tables if table.count), None)
    chosen = next((table for table in tables if table.word == wanted), filled)
    context: dict[str, Any] = {"run": run, "waits": run.status == Status.QUARANTINED, "tables": tables}
    if chosen is None:
        return context
    page: Page = Paginator(chosen.source, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    rows = [chosen.row(entry) for entry in page]
    return {
        **context,
        "chosen": chosen,
        "page": page,
        "table": {"headers": chosen.headers, "rows": rows},
        "only_examples": run.difference.get("counts", {}).get(chosen.word, 0) > page.paginator.count,
    }


def history_of(service_id: int) -> str:
    """Return the address of everything that syncs changed about one service."""
    return f"{reverse('admin:catalog_servicechange_changelist')}?service__id__exact={service_id}"


def percent_of(before: int | None, after: int | None) -> str:
    """Return by how much a rate moved, as "+12.5%"; nothing where there is nothing to compare."""
    if not before or after is None:
        return ""
    return f"{Decimal(after - before) * 100 / before:+.1f}%"


def shown_fields(fields: dict[str, list[Any]]) -> SafeString:
    """Return changed columns with what they were and are, one a line."""
    lines = [(_label(name), _value(before), _value(after)) for name, (before, after) in fields.items()]
    return format_html_join("", "<div>{}: {} → {}</div>", lines)


def rate(micros: int | None) -> str:
    return "" if micros is None else money(micros, UPSTREAM)


def _tables(run: SyncRun) -> Iterable[Table]:
    applied = run.status in (Status.APPLIED, Status.UNCHANGED)
    yield from _of_applied(run) if applied else _of_examples(run)
    headers = (gettext_lazy("service"), gettext_lazy("field"), gettext_lazy("problem"))
    entries = run.set_aside
    yield Table("set_aside", gettext_lazy("Skipped rows"), len(entries), headers, entries, _set_aside_row)


def _of_applied(run: SyncRun) -> Iterable[Table]:
    """The tables of a run that was applied: the services it brought, and the history it wrote."""
    counted = run.changes.order_by().values_list("kind").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(counted)
    # New services have no history: they carry the moment of the sync, or of the decision to apply it.
    new = Service.objects.filter(first_seen_at=run.decided_at or run.started_at).order_by("upstream_id")
    if not run.added:
        new = new.none()
    headers = (*SERVICE, gettext_lazy("upstream rate"))
    yield Table("new", gettext_lazy("New"), run.added, headers, new, _new_row)

    def table(word: str, title: Promise, kind: str, headers: tuple[Promise, ...], row: Callable[[Any], Row]) -> Table:
        changes = run.changes.filter(kind=kind).select_related("service").order_by("id")
        return Table(word, title, counts.get(kind, 0), (*SERVICE, *headers), changes, row)

    yield table("repriced", gettext_lazy("Repriced"), Kind.RATE, RATES, _repriced_row)
    yield table("vanished", gettext_lazy("Withdrawn"), Kind.WITHDRAWN, (), _plain_row)
    yield table("back", gettext_lazy("Back on sale"), Kind.BACK, (), _plain_row)
    yield table("changed", gettext_lazy("Other changes"), Kind.FIELDS, (gettext_lazy("fields"),), _fields_row)


def _of_examples(run: SyncRun) -> Iterable[Table]:
    """The tables of a run that was held back: its counts, and the examples it kept."""
    counts = run.difference.get("counts")
    if counts is None:  # it failed, or its answer was not whole
        return

    def table(word: str, title: Promise, headers: tuple[Promise, ...], row: Callable[[Any], Row]) -> Table:
        return Table(word, title, counts[word], (*SERVICE, *headers), run.difference[word], row)

    def plain(entry: dict[str, Any]) -> Row:
        return [entry["service"], entry["name"]]

    yield table(
        "repriced",
        gettext_lazy("Repriced"),
        RATES,
        lambda entry: [*plain(entry), *_rates(entry["before"], entry["after"])],
    )
    yield table("vanished", gettext_lazy("Missing"), (), plain)
    yield table(
        "new",
        gettext_lazy("New"),
        (gettext_lazy("upstream rate"),),
        lambda entry: [*plain(entry), rate(entry["after"])],
    )
    yield table("back", gettext_lazy("Back on sale"), (), plain)
    yield table(
        "changed",
        gettext_lazy("Other changes"),
        (gettext_lazy("fields"),),
        lambda entry: [*plain(entry), shown_fields(entry["fields"])],
    )


def _named(service: Service) -> Row:
    page = reverse("admin:catalog_service_change", args=[service.pk])
    return [service.upstream_id, format_html('<a class="hover:underline" href="{}">{}</a>', page, service.name)]


def _plain_row(change: ServiceChange) -> Row:
    return _named(change.service)


def _new_row(service: Service) -> Row:
    return [*_named(service), rate(service.rate_upstream_micros)]


def _repriced_row(change: ServiceChange) -> Row:
    return [*_named(change.service), *_rates(change.rate_before_micros, change.rate_after_micros)]


def _fields_row(change: ServiceChange) -> Row:
    return [*_named(change.service), shown_fields(change.fields)]


def _set_aside_row(entry: dict[str, Any]) -> Row:
    return [entry.get("service", ""), entry.get("field", ""), entry.get("problem", "")]


def _rates(before: int | None, after: int | None) -> Row:
    return [rate(before), rate(after), percent_of(before, after)]


def _label(name: str) -> str:
    names = {field.attname: field.verbose_name for field in Service._meta.concrete_fields}
    return _("category") if name == "place" else str(names.get(name, name))


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value in (None, "") else value
