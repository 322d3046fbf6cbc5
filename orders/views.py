"""The customer's pages: order a service, see one's orders, follow one of them."""

import html
import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.pages import (
    CustomerRequest,
    PageRequest,
    ask_to_sign_in,
    customers_only,
    personal_page,
    render_live,
    wants_part,
)
from accounts.templatetags.money import money
from catalog.models import Service
from orders.forms import OrderFilterForm, PlaceOrderForm, quote_for, why_not_orderable
from orders.models import Kind, Order, OrderEvent
from orders.operations.placing import OrderRefused, PriceChanged, RequestIdReused, place_order
from orders.timeline import Line
from wallet.operations import InsufficientFunds

ORDERS_PER_PAGE = 25


@personal_page
@require_http_methods(["GET", "HEAD", "POST"])
def place(request: PageRequest, service_id: int) -> HttpResponse:
    """Show a service with its live price and order form; take the order."""
    shown = Service.objects.filter(visible=True, category__visible=True)
    service = get_object_or_404(shown.select_related("category", "subcategory"), pk=service_id)
    if wants_part(request):
        quote = quote_for(service, request.user, request.GET.get("quantity", ""))
        return render(request, "orders/order_form.html#quote", {"quote": quote, "typing": True})
    if request.method != "POST":
        form = PlaceOrderForm(service=service, user=request.user, initial={"quantity": request.GET.get("quantity")})
    elif not request.user.is_authenticated:
        return ask_to_sign_in(request)
    else:
        form = PlaceOrderForm(request.POST, service=service, user=request.user)
        order = _place(request.user, form) if form.is_valid() else None
        if order is not None:
            messages.success(request, _("Thank you. Your order #%(number)s is paid.") % {"number": order.pk})
            return redirect("orders:detail", order.pk)
    quote = quote_for(service, request.user, form.typed_quantity)
    context = {
        "service": service,
        "form": form,
        "quote": quote,
        "refusal": why_not_orderable(service),
        "description": _description(service),
    }
    return render(request, "orders/order_form.html", context)


def _description(service: Service) -> str:
    """The admin's description, else upstream's as plain text: its HTML is a stranger's and is not shown as such."""
    if service.description:
        return service.description
    lines = re.sub(r"<(?:br|/p|/li|/div|/h\d)\b[^>]*>", "\n", service.upstream_description, flags=re.IGNORECASE)
    return html.unescape(strip_tags(lines)).strip()


def _place(user: User, form: PlaceOrderForm) -> Order | None:
    """Place the order of a valid form; a refusal becomes an error of the form."""
    try:
        return place_order(user=user, service=form.service, **form.order())
    except PriceChanged as change:
        price = money(change.price_micros)
        form.refuse("", _("The price has changed: it is now %(price)s. Order again to accept it.") % {"price": price})
    except RequestIdReused:
        # The reader went back to a form that has bought something, and changed it: that can only mean one more.
        form.renew()
        form.refuse("", _("This page has placed an order before. Order again to place this one as well."))
    except OrderRefused as refusal:
        form.refuse(refusal.field, str(refusal))
    except InsufficientFunds as short:
        amount = money(short.missing_micros)
        form.refuse("", _("Your balance is %(amount)s short. You have not paid anything.") % {"amount": amount})
    return None


@customers_only
@require_safe
def order_list(request: CustomerRequest) -> HttpResponse:
    """Show the customer's own orders; while one of those shown is open, the rows refresh themselves."""
    form = OrderFilterForm(request.GET)
    orders = form.narrow(request.user.orders.newest_first())
    page = Paginator(orders, ORDERS_PER_PAGE).get_page(request.GET.get("page"))
    rows = [(order.pk, order.status, order.remains, order.refunded_micros) for order in page]
    context = {
        "page": page,
        "form": form,
        "groups": OrderFilterForm.Group,
        "moving": any(order.is_open for order in page),
    }
    return render_live(request, "orders/order_list.html", "rows", context, state=(page.paginator.count, rows))


@customers_only
@require_safe
def detail(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show one of the customer's own orders with its timeline; it refreshes itself until it is finished."""
    order = get_object_or_404(request.user.orders.select_related("service__category"), pk=pk)
    events = order.events.exclude(code__in=OrderEvent.STAFF_ONLY)
    timeline = [Line.of(event) for event in events]
    number = order.number if order.kind == Kind.NUMBER else None
    state = (
        order.status,
        order.remains,
        order.start_count,
        order.refunded_micros,
        timeline,
        number and (number.state, number.phone, number.code, number.content),
    )
    context = {"order": order, "timeline": timeline, "number": number, "goods": _goods(order)}
    return render_live(request, "orders/order_detail.html", "live", context, state=state)


def _goods(order: Order) -> list[str]:
    """The lines of delivered accounts, where the supplier's last answer carried any."""
    goods = (order.upstream_payload or {}).get("accounts")
    return [line for line in goods if isinstance(line, str)] if isinstance(goods, list) else []
