"""The sitemap: every page a visitor may open, in files of a few thousand addresses. Source: sitemaps.org/protocol.html.

Pages have one address in every language: it is chosen by the reader, not by the address. So none has alternates.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import PageRequest
from catalog.browse.category_index import category_index
from catalog.caching.page_cache import cached_page
from catalog.caching.version import recent_version
from catalog.models import Service
from sms.models import Country, Project, Site
from sms.preferences import NUMBERS_ON_SALE
from support.documents.known import KNOWN

ADDRESSES_PER_FILE = 5000  # the protocol takes ten times as many; a smaller file is made and fetched sooner
XML = "application/xml; charset=utf-8"


class _Section(Sitemap):
    """Pages of one kind; their addresses begin with SITE_URL, whatever host is asked."""

    limit = ADDRESSES_PER_FILE

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.SITE_URL).netloc


class Pages(_Section):
    """The few pages that are always there."""

    def items(self) -> Sequence[str]:
        numbers = ["sms:home"] if NUMBERS_ON_SALE.value else []
        return ["home", "catalog:index", "orders:quick", *numbers, "api:docs", "changes", "support:status"]

    def location(self, item: str) -> str:
        return reverse(item)


class Documents(_Section):
    """What the owner writes, by slug."""

    def items(self) -> Sequence[str]:
        return KNOWN.value.public

    def location(self, item: str) -> str:
        return reverse("documents:document", args=[item])


class Categories(_Section):
    """Categories with something on sale, by id."""

    def items(self) -> Sequence[int]:
        return [category.pk for category in category_index(recent_version()).on_sale]

    def location(self, item: int) -> str:
        return reverse("catalog:category", args=[item])


class Services(_Section):
    """Services on sale: id, and when upstream or staff last changed them."""

    def items(self) -> Any:
        return Service.objects.on_sale().order_by("pk").values_list("pk", "changed_at")

    def location(self, item: tuple[int, datetime]) -> str:
        return reverse("orders:place", args=[item[0]])

    def lastmod(self, item: tuple[int, datetime]) -> datetime:
        return item[1]


class Sites(_Section):
    """Websites and apps with numbers on sale, by id."""

    def items(self) -> Any:
        on_sale = Project.objects.on_sale()
        return Site.objects.filter(projects__in=on_sale).order_by("pk").values_list("pk", flat=True).distinct()

    def location(self, item: int) -> str:
        return reverse("sms:site", args=[item])


class Countries(_Section):
    """Countries with numbers on sale, by code."""

    def items(self) -> Any:
        on_sale = Project.objects.on_sale()
        return Country.objects.filter(projects__in=on_sale).order_by("code").values_list("code", flat=True).distinct()

    def location(self, item: str) -> str:
        return reverse("sms:country", args=[item])


SECTIONS: dict[str, type[_Section]] = {
    "pages": Pages,
    "documents": Documents,
    "categories": Categories,
    "services": Services,
    "sites": Sites,
    "countries": Countries,
}


@cached_page(tells_stock=False)
@require_safe
def index(request: PageRequest) -> HttpResponse:
    """List the files of the sitemap."""
    files = []
    for name, section in SECTIONS.items():
        for number in section().paginator.page_range:
            files.append({"location": f"{settings.SITE_URL}{reverse('sitemap_file', args=[name, number])}"})
    return _xml(request, "sitemap_index.xml", {"sitemaps": files})


@cached_page(tells_stock=False)
@require_safe
def file(request: PageRequest, section: str, number: int) -> HttpResponse:
    """List the pages of one file; 404 where there is no such file."""
    if section not in SECTIONS:
        raise Http404
    pages = SECTIONS[section]()
    if number not in pages.paginator.page_range:
        raise Http404
    return _xml(request, "sitemap.xml", {"urlset": pages.get_urls(page=number)})


def _xml(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, context, content_type=XML)
