"""What numbers brought, by website or app and by country: sold, received, revenue, cost and margin of a period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.csv_export import CsvLines
from sms.models import Number
from upstream.money import MICROS, text_from_micros

State = Number.State
BY = {
    "site": ("project__site__name",),
    "country": ("project__country__name",),
    "both": ("project__site__name", "project__country__name"),
}


@dataclass
class Line:
    """One line of the report; money is in micros of the shop, but `charge` in upstream's.

    `sold` are the numbers that upstream gave, `ended` those of them that wait no longer.
    """

    names: tuple[str, ...]
    sold: int = 0
    ended: int = 0
    received: int = 0
    revenue: int = 0
    charge: int = 0
    cost: int = 0

    @property
    def margin(self) -> int:
        return self.revenue - self.cost

    @property
    def success_percent(self) -> int | None:
        """The share of ended numbers with a code, rounded down; None where none has ended."""
        return self.received * 100 // self.ended if self.ended else None

    def add(self, other: "Line") -> None:
        for name in ("sold", "ended", "received", "revenue", "charge", "cost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def numbers_report(*, begins: datetime, ends: datetime, by: str) -> tuple[list[Line], Line]:
    """Return the lines of numbers ordered from `begins` until before `ends`, most revenue first, and their sum.

    `by` is a key of BY. What upstream has not charged yet counts with the price that was expected, as in the books;
    costs are converted at the rates of each order. One query.
    """
    fetched = Q(order__upstream_id__isnull=False)
    over = Q(state__in=[State.RECEIVED, State.EXPIRED, State.CANCELED])
    charged = Coalesce("order__charge_upstream_micros", "order__cost_upstream_micros")
    rows = (
        Number.objects.filter(created_at__gte=begins, created_at__lt=ends)
        .order_by()
        .values_list(*BY[by], "order__exchange_rate_micros")
        .annotate(
            sold=Count("pk", filter=fetched),
            ended=Count("pk", filter=fetched & over),
            received=Count("pk", filter=fetched & Q(state=State.RECEIVED)),
            revenue=Sum(F("order__price_micros") - F("order__refunded_micros")),
            charge=Coalesce(Sum(charged, filter=fetched), 0),
        )
    )
    lines: dict[tuple[str, ...], Line] = {}
    whole = Line((_("Total"),))
    for row in rows:
        *names, rate, sold, ended, received, revenue, charge = row
        part = Line(tuple(names), sold, ended, received, revenue, charge, -(-charge * rate // MICROS))
        lines.setdefault(part.names, Line(part.names)).add(part)
        whole.add(part)
    return sorted(lines.values(), key=lambda line: (-line.revenue, line.names)), whole


def csv_of(lines: list[Line], by: str) -> Iterator[str]:
    """Return the report as lines of CSV under a header; amounts are plain decimals."""
    csv = CsvLines()
    store, upstream = settings.STORE_CURRENCY, settings.UPSTREAM_CURRENCY
    yield csv.head(
        [
            *name_titles(by),
            *(_("Sold"), _("Received"), _("Success, %")),
            f"{_('Revenue')}, {store}",
            f"{_('Upstream charge')}, {upstream}",
            f"{_('Margin')}, {store}",
        ]
    )
    for line in lines:
        success = "" if line.success_percent is None else line.success_percent
        amounts = [text_from_micros(micros) for micros in (line.revenue, line.charge, line.margin)]
        yield csv.line([*line.names, line.sold, line.received, success, *amounts])


def name_titles(by: str) -> list[str]:
    """Return the headers of the columns that say what a line is about."""
    titles = {"site": [_("Website or app")], "country": [_("Country")]}
    return titles.get(by, [_("Website or app"), _("Country")])
