"""What the shelves show: categories with their counts, and one priced page of services."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from accounts.pages import PageRequest
from catalog.forms import ShelfQuery, Sort
from catalog.models import Category, Service, ServiceQuerySet, Subcategory
from catalog.pricing import price_book

SERVICES_PER_PAGE = 30
_ON_SALE = Q(services__withdrawn_at=None, services__visible=True)


@dataclass(frozen=True)
class ShelfRow:
    """A service and what it costs this visitor, in micros for `service.rate_per` pieces."""

    service: Service
    rate_micros: int


@dataclass(frozen=True)
class SortLink:
    """One way to sort the shelf."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Shelf:
    """One page of a list of services."""

    query: ShelfQuery
    page: Page[Service]
    rows: Sequence[ShelfRow]

    @property
    def words(self) -> str:
        return self.query.words

    @property
    def sorts(self) -> list[SortLink]:
        return [SortLink(sort.value, str(sort.label), sort == self.query.sort) for sort in Sort]


def fill_shelf(request: PageRequest, query: ShelfQuery, services: ServiceQuerySet) -> Shelf:
    """Find, sort, page and price the services a request asks for; a page out of range is the nearest one.

    `services` come in their usual order. Two queries for the page, and those of the price book.
    """
    found = query.order(query.find(services))
    shown = found.select_related("category", "subcategory").defer("search_text", "upstream_description", "description")
    page = Paginator(shown, SERVICES_PER_PAGE).get_page(request.GET.get("page"))
    book = price_book(request.user)
    return Shelf(query, page, [ShelfRow(service, book.rate_micros(service)) for service in page])


def categories_for_tiles() -> QuerySet[Category]:
    """Return the categories customers see, each with its `services_count`."""
    return Category.objects.on_sale().annotate(services_count=Count("services", filter=_ON_SALE))


def subcategories_for_tabs(category: Category) -> QuerySet[Subcategory]:
    """Return the subcategories with something on sale, each with its `services_count`."""
    counted = category.subcategories.annotate(services_count=Count("services", filter=_ON_SALE))
    return counted.filter(services_count__gt=0)
