"""The page of many orders at once: type, look at names, prices and the total, then pay all with one press."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import CustomerRequest, customers_only
from accounts.templatetags.money import money
from orders.models import Order
from orders.pages.mass_form import MassOrderForm, bill_of
from orders.pages.quick_form import mass_text
from orders.placing.mass import LinesRefused, PricesChanged, place_orders
from orders.placing.refusals import OrderRefused, RequestIdReused
from upstream.reading.text import line
from wallet.operations import InsufficientFunds


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mass(request: CustomerRequest) -> HttpResponse:
    """Ask for lines, show what they come to, and take them all or none; nothing is ordered before the second press."""
    if request.method != "POST":
        return render(request, "orders/mass.html", {"form": MassOrderForm(user=request.user)})
    form = MassOrderForm(_typed(request), user=request.user)
    if "several" in request.POST and line(request.POST.get("coupon", "")):
        messages.warning(request, _("A coupon is for a single order: these orders are at their full price."))
    if form.is_valid():
        form.price()
        orders = _pay(form) if "pay" in request.POST else None
        if orders:
            thanks = ngettext(
                "Thank you. Your order is paid.", "Thank you. Your %(count)d orders are paid.", len(orders)
            )
            messages.success(request, thanks % {"count": len(orders)})
            return redirect("orders:list")
    return render(request, "orders/mass.html", {"form": form, "bill": bill_of(form) if form.ready else None})


def _typed(request: CustomerRequest) -> Mapping[str, Any]:
    """What was typed: here, or on the page of a quick order, which sends one service with many links."""
    if "several" not in request.POST:
        return request.POST
    service, links, quantity = (request.POST.get(name, "") for name in ("several", "link", "quantity"))
    return {"text": mass_text(service, links, quantity)}


def _pay(form: MassOrderForm) -> list[Order] | None:
    """Place all lines of a priced form; a refusal becomes an error of the form."""
    if any(row.line is None for row in form.rows):
        return None
    if form.doubtful and not form.cleaned_data["again"]:
        form.add_error("again", _("Check this box if you want these orders as well."))
        return None
    request_id = form.cleaned_data["request_id"] or form.next_request_id
    try:
        return place_orders(user=form.user, lines=form.lines(), request_id=str(request_id), now=timezone.now())
    except LinesRefused as refusal:
        form.refuse_lines(refusal)
    except PricesChanged as change:
        form.show_changes(change)
        form.add_error(None, str(change))
    except RequestIdReused:
        form.add_error(
            None, _("You have already ordered from this page. Press the button again to place these orders too.")
        )
    except OrderRefused as refusal:
        form.add_error(None, str(refusal))
    except InsufficientFunds as short:
        amount = money(short.missing_micros)
        form.add_error(None, _("You're %(amount)s short. Nothing has been charged.") % {"amount": amount})
    return None
