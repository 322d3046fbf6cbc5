"""The page of a service as a customer opens it: the same for all with the same prices, but for a few words.

It is cached until the catalog or a price changes, with marks in the place of those words: see
catalog/caching/personal_parts.py.
Every other request to the page, one with a quantity or a form, is answered by the view itself.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from accounts.access import PageRequest, wants_part
from accounts.models import User
from catalog.browse.descriptions import description_html
from catalog.browse.newness import is_new
from catalog.browse.product_page import product_page
from catalog.browse.quality import shown_quality
from catalog.caching.personal_parts import (
    BALANCE,
    EMAIL,
    FAVORITES_FORM,
    HEADER,
    MESSAGES,
    REQUEST_ID,
    TOKEN,
    SharedPage,
    fill_personal_parts,
    mark,
    prices_of,
)
from catalog.caching.replica import read_at
from catalog.caching.version import Version
from catalog.caching.versioned_cache import cache_key, look_up, store
from catalog.models import Service
from catalog.operations.stock import refresh_stock
from catalog.titles.warranty import warranty_hours
from catalog.titles.words import warranty_in_words
from orders.pages.forms import PlaceOrderForm, quote_for, why_not_orderable
from preferences.face import STORE_NAME, SUPPORT_EMAIL

P = ParamSpec("P")
NO_MENU = "/"  # no entry of the menu leads to a service's page


@dataclass(frozen=True)
class AnyCustomer:
    """Stands for whoever is signed in, in a page that is made for all of them."""

    email: str
    is_authenticated: bool = True
    is_staff: bool = False


@dataclass(frozen=True)
class AnyRequest:
    """Stands for a request of the page, whosever it is."""

    path: str

    def get_full_path(self) -> str:
        return self.path


@dataclass(frozen=True)
class CachedServicePage:
    """The page, and the service as it stood then: what has to be asked upstream before the page is shown again."""

    page: SharedPage
    service: Service


def share_with_customers(
    view: Callable[Concatenate[PageRequest, int, P], HttpResponseBase],
) -> Callable[Concatenate[PageRequest, int, P], HttpResponseBase]:
    """Answer plain requests of customers for a service that can be ordered from the cached page; let others through."""

    @wraps(view)
    def handler(request: PageRequest, service_id: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        plain = request.method == "GET" and not request.GET and not wants_part(request)
        if plain and isinstance(request.user, User) and settings.PAGE_CACHE_SECONDS > 0:
            page = _shared_page(request.user, service_id)
            if page is not None:
                return HttpResponse(fill_personal_parts(request, page, request.user, menu=NO_MENU))
        return view(request, service_id, *args, **kwargs)

    return handler


def _shared_page(user: User, service_id: int) -> SharedPage | None:
    """Return the page with marks, or None where a customer sees more than the form: nothing to order, or a change."""
    key = cache_key("service", service_id, get_language(), *prices_of(user))
    version, cached = look_up(key)
    if cached is None:
        shown = Service.objects.shown().select_related("category__merged_into", "subcategory", "quality")
        service = shown.filter(pk=service_id).first()
        if service is None:
            return None
    else:
        service = copy(cached.service)  # in this process, others have the same one
    before = service.stock
    refresh_stock(service)
    if cached is None or service.stock != before:
        if why_not_orderable(service):
            return None
        cached = CachedServicePage(SharedPage.of(_made(service, user, version)), service)
        store(key, version, cached)
    page: SharedPage = cached.page
    return page


def _made(service: Service, user: User, version: Version) -> str:
    """Make the page at this version; of the customer it takes the group's discount alone."""
    customer: Any = AnyCustomer(email=mark(EMAIL))  # as far as form and template look at one
    quote = replace(quote_for(service, user, ""), balance_micros=0)  # shown by a mark
    personal = {name: mark(name) for name in (HEADER, MESSAGES, FAVORITES_FORM, BALANCE)}
    context = {
        "service": service,
        "form": PlaceOrderForm(service=service, user=customer, initial={"request_id": mark(REQUEST_ID)}),
        "quote": quote,
        "refusal": "",
        "description": description_html(service),
        "quality": shown_quality(service),
        "warranty": warranty_in_words(warranty_hours(service)),
        "new": is_new(service, timezone.now()),
        "product": read_at(version, lambda: product_page(service, user, today=timezone.localdate())),
        "user": customer,
        "request": AnyRequest(reverse("orders:place", args=[service.pk])),
        "csrf_token": mark(TOKEN),
        "personal": personal,
        "store_name": STORE_NAME.value,
        "support_email": SUPPORT_EMAIL.value,
    }
    return render_to_string("orders/order_form.html", context)
