"""What a markup makes of prices, shown on services that the first sync brought, before it is saved."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Min
from django.utils import timezone

from catalog.models import Service
from catalog.pricing.book import cost_micros, open_book
from catalog.pricing.previews import Line, Moved
from catalog.pricing.rules import read_rules
from preferences.stored import trying

SHOWN = 6


def sample_prices(rows: Mapping[str, Any]) -> list[Line]:
    """Return a service of each of some categories: what it costs and what it would sell for; three statements or so.

    `rows` are preferences by name that are not saved, as they would be stored.
    """
    of_each = Service.objects.on_sale_in_any_category().filter(rate_upstream_micros__gt=0).values("category_id")
    first = of_each.annotate(first=Min("pk")).order_by("first").values("first")[:SHOWN]
    services = Service.objects.filter(pk__in=[row["first"] for row in first]).select_related("category").order_by("pk")
    with trying(rows):
        book = open_book(read_rules(), now=timezone.now())
        return [_line(service, book.rate_micros(service)) for service in services]


def _line(service: Service, rate_micros: int) -> Line:
    cost = cost_micros(service.rate_upstream_micros)
    share = Moved(service.pk, cost, rate_micros).share
    return Line(service.pk, service.upstream_id, service.title, service.rate_per, cost, rate_micros, share)
