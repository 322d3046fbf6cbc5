"""For the customer's own books: receipts to print, and the months of the statement to download."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import CustomerRequest, customers_only
from wallet.gateways import find_gateway
from wallet.operations import wallet_of
from wallet.statement import months_of

RECEIPTS_PER_PAGE = 25


@customers_only
@require_safe
def receipts(request: CustomerRequest) -> HttpResponse:
    """List one's receipts and the months in which something moved."""
    mine = request.user.receipts.select_related("top_up").order_by("-number")
    page = Paginator(mine, RECEIPTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "wallet/receipts.html", {"page": page, "months": months_of(wallet_of(request.user))})


@customers_only
@require_safe
def receipt(request: CustomerRequest, number: int) -> HttpResponse:
    """Show one of one's own receipts, made for paper, with what has become of the payment since."""
    found = get_object_or_404(request.user.receipts.select_related("top_up"), number=number)
    top_up = found.top_up
    gateway = find_gateway(top_up.gateway)
    context = {
        "receipt": found,
        "top_up": top_up,
        "how": gateway.title if gateway else top_up.gateway,
        "more_micros": top_up.received_micros - found.total_micros,
        "net_micros": found.total_micros - found.tax_micros,
    }
    return render(request, "wallet/receipt.html", context)
