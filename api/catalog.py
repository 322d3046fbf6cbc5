"""The actions of the API that tell what is for sale.

Source: the HstockPlus API document, sections "Get Categories", "Services List" and "Check Stock".
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from api.calls import NOT_FOUND, Call
from api.params import ApiError, whole_number
from catalog.models import Category, OrderForm, Service, ServiceQuerySet
from catalog.pricing import price_book
from catalog.stock import refresh_stock
from upstream.money import text_from_micros

SERVICE_NOT_FOUND = "Service not found"


def categories(call: Call) -> dict[str, Any]:
    """Every category with something on sale, and the subcategories that have."""
    pairs = Service.objects.on_sale().order_by("category__position", "category__name", "subcategory__name")
    found: dict[str, list[str]] = {}
    names = pairs.values_list("category__shown_name", "category__name", "subcategory__name").distinct()
    for shown_name, name, subcategory in names:
        subcategories = found.setdefault(shown_name or name, [])
        if subcategory and subcategory not in subcategories:
            subcategories.append(subcategory)
    return {"categories": [{"category": name, "subcategories": inside} for name, inside in found.items()]}


def services(call: Call) -> dict[str, Any]:
    """What is on sale, at this customer's prices per 1,000; a `limit` above zero gives it in pages."""
    found = _filtered(call).select_related("category").defer("search_text", "upstream_description", "description")
    total = found.count()
    limit = max(whole_number(call.text("limit")) or 0, 0)
    page = max(whole_number(call.text("page")) or 1, 1)
    if limit:
        start = (page - 1) * limit
        # Beyond the end nothing has to be asked, and a database could not count that far anyway.
        rows: Iterable[Service] = found[start : start + limit] if start < total else []
        pages = -(-total // limit)
    else:
        rows, page, limit, pages = found.iterator(chunk_size=2000), 1, total, 1
    book = price_book(call.user)
    listed = [
        {
            "service": service.pk,
            "name": service.title,
            "type": service.type,
            "category": service.category.title,
            "rate": text_from_micros(book.rate_per_thousand_micros(service)),
            "min": service.min_quantity,
            "max": service.max_quantity,
            "refill": service.refill,
            "cancel": service.cancel,
            "stock": stock_of(service),
        }
        for service in rows
    ]
    return {"services": listed, "total": total, "page": page, "limit": limit, "total_pages": max(pages, 1)}


def inventory(call: Call) -> dict[str, Any]:
    """How many of one service there are, and whether it can be ordered."""
    service = _service_on_sale(call)
    refresh_stock(service)
    return _inventory(service)


def stored_inventory(call: Call) -> dict[str, Any]:
    """The same from what the shop has stored: upstream is not asked."""
    return _inventory(_service_on_sale(call))


def any_service(call: Call) -> Service:
    """Return the service that `service` names, on sale or not. Raises ApiError."""
    if not call.text("service"):
        raise ApiError("Service ID is required")
    service_id = whole_number(call.text("service")) or 0
    service = Service.objects.select_related("category").filter(pk=service_id).first()
    if service is None:
        raise ApiError(SERVICE_NOT_FOUND, NOT_FOUND)
    return service


def is_on_sale(service: Service) -> bool:
    """Whether the service is listed; it comes with its category."""
    return service.withdrawn_at is None and service.visible and service.category.visible


def stock_of(service: Service) -> int:
    """What one could order of it: the document has no word for "not limited" nor for "paused"."""
    if service.paused_because or service.order_form == OrderForm.UNKNOWN:
        return 0
    return service.max_quantity if service.stock is None else service.stock


def _service_on_sale(call: Call) -> Service:
    service = any_service(call)
    if not is_on_sale(service):
        raise ApiError(SERVICE_NOT_FOUND, NOT_FOUND)
    return service


def _inventory(service: Service) -> dict[str, Any]:
    return {"service": service.pk, "stock": stock_of(service), "available": service.orderable}


def _filtered(call: Call) -> ServiceQuerySet:
    found = Service.objects.on_sale()
    # As they were sent: a name may begin with a blank upstream.
    if category := call.params.get("category"):
        shown_as = Q(shown_name=category) | Q(shown_name="", name=category)
        found = found.filter(category__in=Category.objects.filter(shown_as))
    if subcategory := call.params.get("subcategory"):
        found = found.filter(subcategory__name=subcategory)
    return found
