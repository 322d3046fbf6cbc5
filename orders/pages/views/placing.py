"""The page of a service: its price as the quantity is typed, and its order form."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import PageRequest, ask_to_sign_in, wants_part
from accounts.models import User
from accounts.templatetags.money import money
from catalog.browse.descriptions import description_html
from catalog.browse.newness import is_new
from catalog.browse.product_page import product_page
from catalog.browse.quality import shown_quality
from catalog.caching.page_cache import cached_page
from catalog.models import Service
from catalog.operations.favorites import favorites_among
from catalog.operations.stock import refresh_stock
from catalog.operations.stock_alerts import has_stock_alert, out_of_stock
from orders.models import Order, PendingCheckout
from orders.pages.forms import (
    PlaceOrderForm,
    PriceView,
    quote_for,
    why_not_orderable,
)
from orders.pages.service_page import share_with_customers
from orders.placing.pay_first import pay_and_order
from orders.placing.place import place_order
from orders.placing.refusals import DiscountNotSeen, NotQuoted, OrderRefused, PriceChanged, RequestIdReused
from wallet.operations import InsufficientFunds, TopUpRefused


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
        pending = order = None
        if form.is_valid() and request.POST.get("pay"):
            pending = _pay_and_order(request.user, form, request.POST["pay"])
            order = pending.order if pending else None
        if pending is not None and order is None:
            return redirect("wallet:pay", pending.top_up.reference)
        # Without errors it was the payment that is not needed: the wallet is not short any more.
        if order is None and form.is_valid() and not form.unseen:
            order = _place(request.user, form)
        if order is not None:
            messages.success(request, _("Thank you. Your order #%(number)s is paid.") % {"number": order.pk})
            return redirect("orders:detail", order.pk)
    quote = quote_for(service, request.user, form.typed_quantity, typed_coupon=form.typed_coupon)
    if form.unseen:
        _ask_for_a_second_look(form, quote)
    reader = request.user if isinstance(request.user, User) else None
    sold_out, refusal = out_of_stock(service), why_not_orderable(service)
    form.fields_shown = not refusal
    context = {
        "service": service,
        "form": form,
        "quote": quote,
        "refusal": refusal,
        "description": description_html(service),
        "quality": shown_quality(service),
        "new": is_new(service, timezone.now()),
        "product": product_page(service, reader, today=timezone.localdate()),
        "sold_out": sold_out,
        "favorite": reader is not None and bool(favorites_among(reader, [service.pk])),
        "has_alert": sold_out and reader is not None and has_stock_alert(reader, service),
    }
    return render(request, "orders/order_form.html", context)


def _prefilled(request: PageRequest, service: Service) -> dict[str, object]:
    """What stands in the form at first: what the address says, or what one's own older order of the service had."""
    if "again" not in request.GET or not isinstance(request.user, User):
        return {"quantity": request.GET.get("quantity")}
    typed = request.GET["again"]
    number = int(typed) if typed.isdecimal() and len(typed) < 19 else None
    order = get_object_or_404(request.user.orders.filter(service=service), pk=number)
    return {"quantity": order.quantity, "link": order.link, "comments": order.comments}


def _ask_for_a_second_look(form: PlaceOrderForm, quote: PriceView) -> None:
    """Say what was typed costs, and ask to press once more; a coupon that takes nothing off is an error beside it."""
    if quote.coupon_problem:
        form.refuse("coupon", quote.coupon_problem)
        return
    if quote.quantity is None or quote.total_micros is None:
        return  # it cannot be ordered any more: the page says so
    words = _("Price for %(pieces)s: %(price)s. Press the button again to order. Nothing has been charged yet.")
    if quote.discount:
        words = _(
            "Price for %(pieces)s with your coupon: %(price)s. Press the button again to order. Nothing "
            "has been charged yet."
        )
    pieces = number_format(quote.quantity, force_grouping=True)
    form.note = words % {"pieces": pieces, "price": money(quote.total_micros)}


def _place(user: User, form: PlaceOrderForm) -> Order | None:
    """Place the order of a valid form; a refusal becomes an error of the form."""
    with _refusals(form):
        return place_order(user=user, service=form.service, **form.order(), now=timezone.now())
    return None


def _pay_and_order(user: User, form: PlaceOrderForm, gateway: str) -> PendingCheckout | None:
    """Begin the payment of what is missing for the order of a valid form; None where nothing is, or it was refused."""
    with _refusals(form):
        return pay_and_order(user=user, service=form.service, gateway=gateway, **form.order(), now=timezone.now())
    return None


@contextmanager
def _refusals(form: PlaceOrderForm) -> Iterator[None]:
    """Turn what an operation refuses into errors of the form."""
    try:
        yield
    except PriceChanged as change:
        price = money(change.price_micros)
        form.refuse("", _("The price has changed: it is now %(price)s. Order again to accept it.") % {"price": price})
    except (NotQuoted, DiscountNotSeen):
        # Typed after the page was drawn, and no script showed the price: a second look, not an error.
        form.unseen = True
    except RequestIdReused:
        # The reader went back to a form that has bought something, and changed it: that can only mean one more.
        form.renew()
        form.refuse("", _("You have already ordered from this page. Order again to place this order too."))
    except OrderRefused as refusal:
        form.refuse(refusal.field, str(refusal))
    except InsufficientFunds as short:
        amount = money(short.missing_micros)
        form.refuse("", _("You're %(amount)s short. Nothing has been charged.") % {"amount": amount})
    except TopUpRefused as refusal:
        form.refuse("", str(refusal))
