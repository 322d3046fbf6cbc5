"""What changed: new, gone, back, cheaper and dearer services of the last days, as a page and as a feed.

Which way a price went is the same for every customer, since a group's discount is a share; what a service costs now is
the reader's own price.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from catalog.browse.category_index import CategoryIndex, ShownCategory
from catalog.browse.rows import LEFT_OUT, Pricing, unit_of
from catalog.models import ServiceNews
from catalog.models.services import of_home
from catalog.operations.service_news import SHOWN_DAYS
from catalog.titles.words import Chip, chips_of

Kind = ServiceNews.Kind
MOST_CHIPS = 3
OF_PRICES = (Kind.CHEAPER, Kind.DEARER)
TONES = {Kind.NEW: "good", Kind.BACK: "good", Kind.CHEAPER: "good", Kind.GONE: "bad", Kind.DEARER: "warn"}


@dataclass(frozen=True)
class Change:
    """A line of the page. `price` and `unit` are "" where there is none to tell."""

    day: datetime  # its midnight
    kind: str
    label: str
    tone: str
    name: str
    url: str
    category: str
    price: str
    unit: str
    chips: list[Chip]


def changes(index: CategoryIndex, *, today: date, kind: str = "", category: ShownCategory | None = None) -> QuerySet:
    """Return the news that may be shown, the newest first; of one kind, or of one category."""
    rows = ServiceNews.objects.filter(day__gt=today - timedelta(days=SHOWN_DAYS), service__visible=True)
    if kind:
        rows = rows.filter(kind=kind)
    if category is not None:
        rows = rows.filter(service__category__in=category.ids)
    # A price that nobody is told has not changed either.
    untold = Q(kind__in=OF_PRICES, service__rate_per_override=None) & of_home(index.unconfirmed_ids, "service__")
    rows = rows.exclude(service__category__in=index.hidden_ids).exclude(untold)
    return rows.order_by("-id").select_related("service")


def lines(rows: Iterable[ServiceNews], index: CategoryIndex, user: User | None, language: str) -> list[Change]:
    """Return the lines for some news, with the reader's own prices; no query but those for a group's prices."""
    rows, pricing = list(rows), Pricing(user)
    index.put_categories(row.service for row in rows)
    return [_line(row, index, pricing, language) for row in rows]


def _line(row: ServiceNews, index: CategoryIndex, pricing: Pricing, language: str) -> Change:
    service = row.service
    place = index.category(service.category_id)
    told = service.rate_confirmed and service.withdrawn_at is None
    return Change(
        day=timezone.make_aware(datetime.combine(row.day, time.min)),
        kind=row.kind,
        label=_label(row),
        tone=TONES[Kind(row.kind)],
        name=service.short_name,
        url=reverse("orders:place", args=[service.pk]),
        category=place.title if place is not None else "",
        price=money(pricing.rate_micros(service)) if told else "",
        unit=unit_of(service.rate_per, language) if told else "",
        chips=chips_of(service.facts, without=LEFT_OUT)[:MOST_CHIPS],
    )


def _label(row: ServiceNews) -> str:
    label = row.get_kind_display()
    if row.kind == Kind.CHEAPER and row.percent:
        return _("%(change)s, −%(percent)d%%") % {"change": label, "percent": row.percent}
    if row.kind == Kind.DEARER and row.percent:
        return _("%(change)s, +%(percent)d%%") % {"change": label, "percent": row.percent}
    return label
