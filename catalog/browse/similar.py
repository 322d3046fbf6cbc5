"""Services like one: of the same place and kind, the cheaper and faster ones first."""

from dataclasses import dataclass

from django.db.models import Case, IntegerField, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.browse.category_index import category_index
from catalog.browse.rows import LEFT_OUT, Pricing
from catalog.caching.version import recent_version
from catalog.models import HAS_STOCK, Service
from catalog.titles.words import Chip, chips_of

MAX_SIMILAR = 6
_ENOUGH_CHIPS = 4


@dataclass(frozen=True)
class SimilarService:
    """One of them as the page shows it; `why` says what speaks for it, if anything does."""

    url: str
    name: str
    chips: list[Chip]
    rate_micros: int
    rate_per: int
    why: list[str]


def similar_services(service: Service, pricing: Pricing) -> list[SimilarService]:
    """Return up to MAX_SIMILAR services on sale that do the same; one query. Needs the category loaded."""
    index = category_index(recent_version())
    category = index.category(service.category_id)
    if category is None:
        return []
    subcategory = index.subcategory(service.subcategory_id)
    place = Q(subcategory__in=subcategory.ids) if subcategory else Q(category__in=category.ids, subcategory=None)
    better = Q(selling_per_thousand_micros__lt=service.selling_per_thousand_micros)
    if service.speed_per_day:
        better |= Q(speed_per_day__gt=service.speed_per_day)
    rank = Case(
        When(better & Q(country=service.country), then=Value(0)),
        When(better, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    rows = list(
        Service.objects.on_sale_in_any_category()
        .filter(place, HAS_STOCK, type=service.type, paused_because="")
        .exclude(pk=service.pk)
        .defer("search_text", "upstream_description", "description")
        .order_by(rank, "-bought_lately", "selling_per_thousand_micros", "id")[:MAX_SIMILAR]
    )
    index.put_categories(rows)
    return [_shown(row, service, pricing) for row in rows if row.rate_confirmed]


def _shown(row: Service, service: Service, pricing: Pricing) -> SimilarService:
    why = []
    if row.selling_per_thousand_micros < service.selling_per_thousand_micros:
        why.append(_("Cheaper"))
    if service.speed_per_day and row.speed_per_day and row.speed_per_day > service.speed_per_day:
        why.append(_("Faster"))
    url = reverse("orders:place", args=[row.pk])
    chips = chips_of(row.facts, without=LEFT_OUT)[:_ENOUGH_CHIPS]
    return SimilarService(url, row.short_name, chips, pricing.rate_micros(row), row.rate_per, why)
