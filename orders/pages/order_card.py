"""The card of an order: its form, what it costs, and the one way an order is taken from it, whatever page it is on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.access import CustomerRequest
from accounts.models import User
from accounts.templatetags.money import money
from catalog.browse.quality import shown_quality
from catalog.operations.stock_alerts import has_stock_alert, out_of_stock
from catalog.titles.warranty import warranty_hours
from catalog.titles.words import warranty_in_words
from orders.models import Order, PendingCheckout
from orders.pages.forms import PlaceOrderForm, PriceView, quote_for, why_not_orderable
from orders.placing.pay_first import pay_and_order
from orders.placing.place import place_order
from orders.placing.refusals import DiscountNotSeen, NotQuoted, OrderRefused, PriceChanged, RequestIdReused
from wallet.operations import InsufficientFunds, TopUpRefused


def take_order(
    request: CustomerRequest, form: PlaceOrderForm, *, taken: Callable[[Order], HttpResponse]
) -> HttpResponse | None:
    """Place the order of a form that was sent, or begin its payment, and return where that leads.

    `taken` says where a placed order leads. None: the form has to be shown again, with what is wrong or not seen yet.
    """
    pending = order = None
    if form.is_valid() and request.POST.get("pay"):
        pending = _pay_and_order(request.user, form, request.POST["pay"])
        order = pending.order if pending else None
    if pending is not None and order is None:
        return redirect("wallet:pay", pending.top_up.reference)
    # Without errors it was the payment that is not needed: the wallet is not short any more.
    if order is None and form.is_valid() and not form.unseen:
        order = _place(request.user, form)
    return None if order is None else taken(order)


def card_of(form: PlaceOrderForm, reader: User | None) -> dict[str, Any]:
    """Return what `orders/order_card.html` shows of this form, with the price of what stands in it."""
    service = form.service
    quote = quote_for(service, form.user, form.typed_quantity, typed_coupon=form.typed_coupon)
    if form.unseen:
        _ask_for_a_second_look(form, quote)
    sold_out, refusal = out_of_stock(service), why_not_orderable(service)
    form.fields_shown = not refusal
    return {
        "service": service,
        "form": form,
        "quote": quote,
        "refusal": refusal,
        "quality": shown_quality(service),
        "warranty": warranty_in_words(warranty_hours(service)),
        "sold_out": sold_out,
        "has_alert": sold_out and reader is not None and has_stock_alert(reader, service),
    }


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
