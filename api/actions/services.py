"""The actions of the API that tell what is for sale.

Source: the HstockPlus API document, sections "Get Categories", "Services List" and "Check Stock".
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import msgspec
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.fast_queries.reads import Prepared
from api.actions.calls import NOT_FOUND, Call
from api.actions.params import ApiError, whole_number
from api.service_list.list_files import file_of
from api.service_list.listing import (
    Format,
    Paging,
    category_name_in,
    name_in,
    orderable_stock,
    written,
)
from catalog.caching.replica import read_at
from catalog.caching.version import Version
from catalog.caching.versioned_cache import (
    cache_key,
    cached,
    look_up,
    one_maker,
    store,
)
from catalog.models import Category, Service, ServiceQuerySet
from catalog.operations.stock import refresh_stock
from catalog.pricing import discount_of, next_price_change

SERVICE_NOT_FOUND = "Service not found"
SHORT = 250  # rows: fifty kilobytes, as much as a page of the shop


_SERVICE, _CATEGORY = (tuple(field.attname for field in model._meta.concrete_fields) for model in (Service, Category))
_service_with_category = Prepared(
    lambda: (
        Service.objects.filter(pk=0).order_by().values_list(*_SERVICE, *(f"category__{name}" for name in _CATEGORY))
    ),
    example=(0,),
)


def categories(call: Call) -> dict[str, Any]:
    """Every category with something on sale, and the subcategories that have."""
    language = call.names_language
    key = cache_key("api", "categories", language)
    version, answer = look_up(key, tells_stock=False)
    if answer is None:
        answer = {"categories": read_at(version, lambda: _categories(language))}
        store(key, version, answer, shows_prices=False)
    return cast(dict[str, Any], answer)


def _categories(language: str) -> list[dict[str, Any]]:
    pairs = Service.objects.on_sale().with_price().order_by("category__position", "category__name", "subcategory__name")
    found: dict[str, list[str]] = {}
    names: tuple[Any, ...] = ("category__display_name", "category__name", "subcategory__name")
    if language:
        names += (category_name_in(language, "category__"), name_in(language, "subcategory__"))
    for display_name, name, subcategory, *translated in pairs.values_list(*names).distinct():
        category_here, subcategory_here = translated or ("", "")
        subcategories = found.setdefault(category_here or display_name or name, [])
        shown = subcategory_here or subcategory
        if shown and shown not in subcategories:
            subcategories.append(shown)
    return [{"category": name, "subcategories": inside} for name, inside in found.items()]


def services(call: Call) -> msgspec.Raw | HttpResponseBase:
    """What is on sale, at this customer's prices per 1,000; a `limit` above zero gives it in pages.

    It is JSON already, formatted for the key that asks. Short lists are kept in the cache and long ones in files, both
    for everybody with the same discount, until the catalog or a price changes; a long one comes as a response.
    """
    # As they were sent: a name may begin with a blank upstream.
    place = call.params.get("category", ""), call.params.get("subcategory", "")
    limit = max(whole_number(call.text("limit")) or 0, 0)
    page = max(whole_number(call.text("page")) or 1, 1)
    format_ = Format() if call.key is None else Format(call.key.bare_services, call.key.numbers_as_text)
    language = call.names_language
    key = cache_key("api", "services", place, limit, page, format_, discount_of(call.user), language)
    version, body = look_up(key)
    if body is not None:
        return msgspec.Raw(body)
    paging = Paging(_how_many(place, version.without_stock), page, limit)
    now = timezone.now()

    def pieces() -> Iterator[bytes]:
        return written(_placed(place), call.user, paging, format_, now=now, language=language)

    if paging.rows <= SHORT:
        with one_maker(key):
            body = cached(key, version)  # another may have made it meanwhile
            if body is None:
                body = read_at(version, lambda: b"".join(pieces()))
                store(key, version, body, priced_at=now)
        return msgspec.Raw(body)

    def write(file: BinaryIO) -> None:
        def whole() -> None:
            file.seek(0)  # made once more, where the replica fails in the middle
            file.truncate()
            file.writelines(pieces())

        read_at(version, whole)

    # Another writer is waited for before the database is asked: no snapshot of a replica is held meanwhile.
    file = file_of(key, version, lambda: next_price_change(now), write)
    if file is None:
        return StreamingHttpResponse(pieces(), content_type="application/json")
    response = FileResponse(file, content_type="application/json")
    del response["Content-Disposition"]
    return response


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
    for row in _service_with_category.rows(service_id):
        service = Service.from_db(DEFAULT_DB_ALIAS, _SERVICE, row[: len(_SERVICE)])
        service.category = Category.from_db(DEFAULT_DB_ALIAS, _CATEGORY, row[len(_SERVICE) :])
        return service
    raise ApiError(SERVICE_NOT_FOUND, NOT_FOUND)


def is_on_sale(service: Service) -> bool:
    """Whether the service is listed; it comes with its category.

    One whose price may be a thousand times wrong is not: the document has no word for that.
    """
    on_sale = service.withdrawn_at is None and service.visible and service.category.visible
    return on_sale and service.rate_confirmed


def stock_of(service: Service) -> int:
    """What one could order of it."""
    return orderable_stock(service.order_form, service.stock, service.max_quantity, service.paused_because)


def _service_on_sale(call: Call) -> Service:
    service = any_service(call)
    if not is_on_sale(service):
        raise ApiError(SERVICE_NOT_FOUND, NOT_FOUND)
    return service


def _inventory(service: Service) -> dict[str, Any]:
    return {"service": service.pk, "stock": stock_of(service), "available": service.orderable}


def _how_many(place: tuple[str, str], version: Version) -> int:
    key = cache_key("api", "how many", place)
    found = cached(key, version)
    if found is None:
        found = read_at(version, lambda: _placed(place).count())
        store(key, version, found, shows_prices=False)
    return cast(int, found)


def _placed(place: tuple[str, str]) -> ServiceQuerySet:
    category, subcategory = place
    found = Service.objects.on_sale().with_price()
    if category:
        shown_as = Q(display_name=category) | Q(display_name="", name=category)
        found = found.filter(category__in=Category.objects.filter(shown_as))
    if subcategory:
        found = found.filter(subcategory__name=subcategory)
    return found
