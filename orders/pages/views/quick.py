"""Quick order: choose, enter, pay, on one page; and what its picker offers for the letters typed so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import CustomerRequest, PageRequest, ask_to_sign_in, personal_page, wants_part
from accounts.models import User
from catalog.browse.category_index import CategoryIndex, ShownCategory, category_index
from catalog.browse.descriptions import description_html
from catalog.browse.forms import whole_number
from catalog.browse.groups import by_group
from catalog.browse.picker import Choice, choices_for, listed, offered
from catalog.caching.page_cache import cached_page
from catalog.caching.version import recent_version
from catalog.models import Service
from catalog.operations.stock import refresh_stock
from catalog.titles.words import chips_of
from orders.models import Order
from orders.pages.order_card import card_of, take_order
from orders.pages.quick_form import LastOrders, QuickOrderForm


@dataclass(frozen=True)
class Quick:
    """What the card of an order needs to know of a quick order: where its form is sent, and the last links."""

    address: str
    links: list[str]


@cached_page()
@require_http_methods(["GET", "HEAD", "POST"])
def quick(request: PageRequest) -> HttpResponse:
    """Show the picker, and for the service that was chosen its order form; take the order."""
    index, reader = category_index(recent_version()), _reader(request)
    category = index.category(_number(request, "category"))
    service = _chosen(request, category)
    if request.method == "POST" and reader is None:
        return ask_to_sign_in(request)
    if request.method == "POST" and service is None:
        raise Http404
    last = LastOrders(reader)
    context: dict[str, Any] = {}
    if service is not None:
        form = _form(request, service, last)
        if request.method == "POST":
            answer = take_order(cast(CustomerRequest, request), form, taken=_next_one)
            if answer is not None:
                return answer
        elif reader is not None:
            refresh_stock(service)
        address = _address(service)
        context = {
            **card_of(form, reader),
            "quick": Quick(address, last.links_for(service)),
            "description": description_html(service),
            "chips": chips_of(service.facts),
            "category_url": reverse("catalog:category", args=[service.category.shown_as.pk]),
        }
    if wants_part(request):
        return render(request, "orders/quick.html#chosen", context)
    words = request.GET.get("q", "")
    context |= {
        "category": category or (index.category(service.category_id) if service is not None else None),
        "groups": by_group(index.on_sale),
        "words": words,
        "choices": _listed(words, category, reader, index),
        "recent": _recent(last, reader, index),
        "placed": _placed(request, reader),
    }
    return render(request, "orders/quick.html", context)


@personal_page
@require_safe
def quick_services(request: PageRequest) -> HttpResponse:
    """Return the services that fit what is typed in the picker; before anything is typed, those ordered last."""
    index, reader = category_index(recent_version()), _reader(request)
    category, words = index.category(_number(request, "category")), request.GET.get("q", "").strip()
    if words or category is not None:
        choices = choices_for(words, category, reader, index)
    else:
        choices = _recent(LastOrders(reader), reader, index)
    return render(request, "orders/quick_options.html", {"choices": choices, "asked": bool(words)})


def _reader(request: PageRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _number(request: PageRequest, name: str) -> int | None:
    return whole_number(request.GET.get(name, ""))


def _chosen(request: PageRequest, category: ShownCategory | None) -> Service | None:
    """Return the service that was chosen; none where another category has been chosen since, in the plain form."""
    number = _number(request, "service")
    if number is None:
        return None
    shown = Service.objects.shown().select_related("category__merged_into", "subcategory", "quality")
    service = shown.filter(pk=number).first()
    if service is not None and category is not None and service.category_id not in category.ids:
        return None
    return service


def _form(request: PageRequest, service: Service, last: LastOrders) -> QuickOrderForm:
    if request.method == "POST":
        return QuickOrderForm(request.POST, service=service, user=request.user)
    links = last.links_for(service)
    place = _number(request, "link")  # one of the last ones, by its place: an address keeps no link
    initial: dict[str, Any] = {"quantity": request.GET.get("quantity")}
    if place is not None and 1 <= place <= len(links):
        initial["link"] = links[place - 1]
    return QuickOrderForm(service=service, user=request.user, initial=initial)


def _next_one(order: Order) -> HttpResponse:
    """Lead back to the page, which says that the order is placed, for the next one."""
    return redirect(f"{reverse('orders:quick')}?{urlencode({'service': order.service_id or '', 'placed': order.pk})}")


def _address(service: Service) -> str:
    return f"{reverse('orders:quick')}?{urlencode({'service': service.pk})}"


def _placed(request: PageRequest, reader: User | None) -> Order | None:
    number = _number(request, "placed")
    return reader.orders.filter(pk=number).first() if reader is not None and number is not None else None


def _listed(words: str, category: ShownCategory | None, reader: User | None, index: CategoryIndex) -> list[Choice]:
    """What the plain form lists, for those without script."""
    if words:
        return choices_for(words, category, reader, index)
    return listed(category, reader, index) if category is not None else []


def _recent(last: LastOrders, reader: User | None, index: CategoryIndex) -> list[Choice]:
    ids = last.service_ids
    if not ids:
        return []
    found = {row.pk: row for row in Service.objects.on_sale().filter(pk__in=ids).select_related("category")}
    services: Iterable[Service] = (found[pk] for pk in ids if pk in found)
    return offered(services, reader, index)
