"""The page of a service: its price as the quantity is typed, and its order form."""

from functools import partial
from typing import cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import CustomerRequest, PageRequest, ask_to_sign_in, wants_part
from accounts.models import User
from catalog.browse.descriptions import description_html
from catalog.browse.newness import is_new
from catalog.browse.product_page import product_page
from catalog.caching.page_cache import cached_page
from catalog.models import Service
from catalog.operations.favorites import favorites_among
from catalog.operations.stock import refresh_stock
from orders.models import Order
from orders.pages.forms import PlaceOrderForm, quote_for
from orders.pages.order_card import card_of, take_order
from orders.pages.service_page import share_with_customers


@cached_page()
@share_with_customers
@require_http_methods(["GET", "HEAD", "POST"])
def place(request: PageRequest, service_id: int) -> HttpResponse:
    """Show a service with its live price and order form; take the order."""
    shown = Service.objects.shown().select_related("category__merged_into", "subcategory", "quality")
    service = get_object_or_404(shown, pk=service_id)
    if wants_part(request):
        typed = request.GET
        quote = quote_for(service, request.user, typed.get("quantity", ""), typed_coupon=typed.get("coupon", ""))
        return render(request, "orders/order_quote.html", {"quote": quote, "typing": True})
    if request.method == "GET" and request.user.is_authenticated:
        refresh_stock(service)
    if request.method != "POST":
        form = PlaceOrderForm(service=service, user=request.user, initial=_prefilled(request, service))
    elif not request.user.is_authenticated:
        return ask_to_sign_in(request)
    else:
        form = PlaceOrderForm(request.POST, service=service, user=request.user)
        answer = take_order(cast(CustomerRequest, request), form, taken=partial(_thank, request))
        if answer is not None:
            return answer
    reader = request.user if isinstance(request.user, User) else None
    context = {
        **card_of(form, reader),
        "description": description_html(service),
        "new": is_new(service, timezone.now()),
        "product": product_page(service, reader, today=timezone.localdate()),
        "favorite": reader is not None and bool(favorites_among(reader, [service.pk])),
    }
    return render(request, "orders/order_form.html", context)


def _thank(request: PageRequest, order: Order) -> HttpResponse:
    messages.success(request, _("Thank you. Your order #%(number)s is paid.") % {"number": order.pk})
    return redirect("orders:detail", order.pk)


def _prefilled(request: PageRequest, service: Service) -> dict[str, object]:
    """What stands in the form at first: what the address says, or what one's own older order of the service had."""
    if "again" not in request.GET or not isinstance(request.user, User):
        return {"quantity": request.GET.get("quantity")}
    typed = request.GET["again"]
    number = int(typed) if typed.isdecimal() and len(typed) < 19 else None
    order = get_object_or_404(request.user.orders.filter(service=service), pk=number)
    return {"quantity": order.quantity, "link": order.link, "comments": order.comments}
