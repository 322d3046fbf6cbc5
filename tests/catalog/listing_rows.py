"""Rows for the tests of the listings: categories and services straight into the database."""

from typing import Any

from django.utils import timezone

from catalog.models import Category, Service, Subcategory
from upstream.reading.text import searchable


def put_on_sale(name: str, *, category: str = "Instagram", subcategory: str = "Followers", **fields: Any) -> Service:
    """Create a service that can be ordered: 10 to 10,000 pieces at 1.50 per 1,000 upstream."""
    of_category, _created = Category.objects.get_or_create(
        name=category, defaults={"rate_confirmed_at": timezone.now()}
    )
    of_subcategory, _created = Subcategory.objects.get_or_create(category=of_category, name=subcategory)
    newest = Service.objects.order_by("-upstream_id").first()
    row: dict[str, Any] = {
        "upstream_id": 1 if newest is None else newest.upstream_id + 1,
        "category": of_category,
        "subcategory": of_subcategory,
        "name": name,
        "type": "Default",
        "rate_upstream_micros": 1_500_000,
        "min_quantity": 10,
        "max_quantity": 10_000,
        "search_text": searchable(f"{name} {category} {subcategory}"),
    }
    return Service.objects.create(**{**row, **fields})
