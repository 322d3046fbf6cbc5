"""The goods of an order, shown to their buyer after a press that is logged, on the page or as a file."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import (
    CustomerRequest,
    address_of,
    customers_only,
    wants_part,
)
from accounts.encryption import CannotDecrypt
from accounts.security.fresh_sign_in import confirm_url, is_fresh, needs_fresh_sign_in
from accounts.security.notices import tell_of_goods
from orders.columns import read_goods
from orders.columns.files import FILES
from orders.lifecycle.goods import NothingDelivered, reveal
from orders.lifecycle.warranty import warranty_of
from orders.models import Order
from orders.pages.goods_page import all_lines, claims_of, page_of


@customers_only
@needs_fresh_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
def goods(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show the delivered goods of an own order; opened without the press, as after a sign-in, go to the order."""
    order = _own_order(request, pk)
    lines = _reveal(request, order) if request.method == "POST" else None
    if lines is None:
        address = reverse("orders:detail", args=[order.pk])
        return HttpResponseClientRedirect(address) if wants_part(request) else redirect(address)
    template = "orders/goods.html#goods" if wants_part(request) else "orders/goods.html"
    found = read_goods(order, lines)
    claims = claims_of(order)
    page, shown = page_of(found, request.POST.get("page"), claims)
    context = {"order": order, "goods": found, "page": page, "shown_lines": shown, "all_lines": all_lines(found)}
    context["warranty"] = warranty_of(order, order.goods, now=timezone.now())
    return render(request, template, context)


@customers_only
@require_POST
def goods_file(request: CustomerRequest, pk: int) -> HttpResponse:
    """Send the delivered goods of an own order as a file: text, one a line, unless `format` asks for CSV or JSON."""
    order = _own_order(request, pk)
    if not is_fresh(request):
        # A file would leave the page that asks who it is on the screen, as if nothing had come of it.
        return redirect(confirm_url(reverse("orders:detail", args=[order.pk])))
    lines = _reveal(request, order)
    if lines is None:
        return redirect("orders:detail", order.pk)
    ending = request.POST.get("format", "txt")
    file = FILES.get(ending) or FILES[ending := "txt"]
    response = HttpResponse("".join(file.write(order.pk, read_goods(order, lines))), content_type=file.content_type)
    response["Content-Disposition"] = f'attachment; filename="order-{order.pk}.{ending}"'
    return response


def _own_order(request: CustomerRequest, pk: int) -> Order:
    return get_object_or_404(request.user.orders.select_related("goods", "service"), pk=pk)


def _reveal(request: CustomerRequest, order: Order) -> list[str] | None:
    try:
        lines = reveal(order, request.user, address_of(request))
    except NothingDelivered:
        messages.info(request, _("Nothing has been delivered yet."))
    except CannotDecrypt:
        text = _("Your goods can't be opened right now. They are not lost: please write to us.")
        messages.error(request, text)
    else:
        tell_of_goods(request, order.pk)
        return lines
    return None
