"""Today beside the same part of the same day a week ago, thirty days, and what is selling."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.moments import write_day
from accounts.templatetags.money import money
from catalog.caching.versioned_cache import cache_key
from catalog.models import Service
from orders.accounting.report import Begun, Line, Span, sold_by_day
from orders.admin.books_table import chart
from sms.queries.report import numbers_report
from upstream.money import nearest_cent

WEEK = timedelta(days=7)
DAYS = 30
# Days that are over change by late charges alone, and a ranking of a month hardly: they are the most of what is read.
KEPT_SECONDS = 300
BEST = 5
NONE = "–"
Read = TypeVar("Read")


@dataclass(frozen=True)
class Compared:
    """A figure of today beside that of the same part of the day a week ago; `good` says what its change means."""

    title: str
    today: str
    before: str
    change: str
    good: bool | None
    link: str


@dataclass(frozen=True)
class Best:
    """Something that sells."""

    title: str
    link: str
    sold: int
    note: str = ""


def part_of_day(now: datetime, *, weeks_ago: int = 0) -> Begun:
    """Return today as far as it went by the shop's clock, or as much of the same day of an earlier week."""
    local = timezone.localtime(now, timezone.get_default_timezone())
    # By the clock, not by hours: a week with a change of the clocks has its days nevertheless.
    until = local.replace(tzinfo=None) - weeks_ago * WEEK
    return Begun(until.date(), until.date(), until.replace(tzinfo=local.tzinfo))


def books_of_today(now: datetime) -> list[Compared]:
    """Return sales, margin and refunds of today; eight statements."""
    today, before = _sold(part_of_day(now)), _sold(part_of_day(now, weeks_ago=1))
    page = reverse("admin:orders_books_changelist")
    given_back, given_before = (line.refunds + line.claim_refunds for line in (today, before))
    return [
        _compared(_("Sales"), today.sales, before.sales, page, shown=amount),
        _compared(_("Margin"), today.margin, before.margin, page, shown=amount),
        _compared(_("Refunds"), given_back, given_before, page, shown=amount, more_is_good=False),
    ]


def customers_of_today(now: datetime) -> list[Compared]:
    """Return how many customers are new today; one statement."""
    today, before = part_of_day(now), part_of_day(now, weeks_ago=1)
    joined = User.objects.filter(is_staff=False, date_joined__gte=before.begins).aggregate(
        today=Count("pk", filter=Q(date_joined__gte=today.begins, date_joined__lt=today.ends)),
        before=Count("pk", filter=Q(date_joined__lt=before.ends)),
    )
    page = reverse("admin:accounts_user_changelist")
    return [_compared(_("New customers"), joined["today"], joined["before"], page)]


def numbers_of_today(now: datetime) -> list[Compared]:
    """Return how many numbers were bought today, and how many of those that ended got a code; two statements."""
    spans = [part_of_day(now), part_of_day(now, weeks_ago=1)]
    today, before = (numbers_report(begins=span.begins, ends=span.ends, by="site")[1] for span in spans)
    page = reverse("admin:sms_number_report")
    return [
        _compared(_("Numbers"), today.sold, before.sold, page),
        _compared(_("Numbers with a code"), today.success_percent, before.success_percent, page, shown=_percent),
    ]


def thirty_days(now: datetime) -> dict[str, Any]:
    """Return the drawing of the last days, the table behind it and their sum; four statements, or eight at times."""
    today = part_of_day(now)
    first, yesterday = today.first - timedelta(days=DAYS - 1), today.first - timedelta(days=1)
    past = _kept(cache_key("admin-home-days", first), lambda: sold_by_day(Span(first, yesterday)))
    days = past | sold_by_day(today)
    dates = [first + timedelta(days=number) for number in range(DAYS)]
    lines = [days.get(day) or Line(Span(day, day)) for day in dates]
    rows = [
        [write_day(line.span.first), *map(amount, (line.sales, line.refunds + line.claim_refunds, line.margin))]
        for line in reversed(lines)
    ]
    return {
        "chart": chart(lines),
        "sales": amount(sum(line.sales for line in lines)),
        "margin": amount(sum(line.margin for line in lines)),
        "first": write_day(first),
        "table": {"headers": [_("Day"), _("Sales"), _("Refunds"), _("Margin")], "rows": rows},
    }


def best_services() -> list[Best]:
    """Return the services with the most orders of the last thirty days, as counted every hour; one statement."""
    services = Service.objects.on_sale_in_any_category().filter(bought_lately__gt=0).order_by("-bought_lately", "-id")
    return [
        Best(service.title, reverse("admin:catalog_service_change", args=[service.pk]), service.bought_lately)
        for service in services[:BEST]
    ]


def best_numbers(now: datetime) -> list[Best]:
    """Return the websites with the most numbers of the last thirty days, and their success; one statement at times."""
    begins = part_of_day(now).begins - timedelta(days=DAYS - 1)

    def read() -> list[Best]:
        lines, _whole = numbers_report(begins=begins, ends=now, by="site")
        best = sorted((line for line in lines if line.sold), key=lambda line: -line.sold)[:BEST]
        page = reverse("admin:sms_number_report")
        return [Best(" ".join(line.names), page, line.sold, _percent(line.success_percent)) for line in best]

    return _kept(cache_key("admin-home-numbers", begins), read)


def _kept(key: str, read: Callable[[], Read]) -> Read:
    """Return what is read at times only: it is the same for everybody, in every language."""
    found: Read | None = cache.get(key)
    if found is None:
        found = read()
        cache.set(key, found, timeout=KEPT_SECONDS)
    return found


def amount(micros: int) -> str:
    """Return an amount to the cent: here it is looked at, the books have all of it."""
    return money(nearest_cent(micros))


def _sold(span: Begun) -> Line:
    return sold_by_day(span).get(span.first) or Line(span)


def _compared(
    title: str, today: int | None, before: int | None, link: str, *, shown: Any = str, more_is_good: bool = True
) -> Compared:
    change, good = "", None
    if today is not None and before is not None and today != before:
        good = (today > before) == more_is_good
        change = _change(today, before, in_points=shown is _percent)
    texts = [NONE if figure is None else shown(figure) for figure in (today, before)]
    return Compared(title, texts[0], texts[1], change, good, link)


def _change(today: int, before: int, *, in_points: bool) -> str:
    """Return how a figure changed in percent of what it was; one that is a percentage itself, by how many points."""
    if in_points:
        return f"{today - before:+d}".replace("-", "−")
    return f"{round((today - before) * 100 / before):+d}%".replace("-", "−") if before > 0 else ""


def _percent(figure: int | None) -> str:
    return NONE if figure is None else f"{figure}%"
