"""The customer's wallet: what is in it, what is reserved or owed, and the ledger that explains it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import CustomerRequest, customers_only
from accounts.paging import open_page
from wallet.extensions import reserved_of
from wallet.models import OPEN_TOP_UPS
from wallet.operations import debt_of, wallet_of
from wallet.statement import StatementForm, with_balances

ENTRIES_PER_PAGE = 25
OPEN_PAYMENTS_SHOWN = 5


@customers_only
@require_safe
def home(request: CustomerRequest) -> HttpResponse:
    """Show the balance, what is on its way to it or from it, and the movements that the filter asks for."""
    wallet = wallet_of(request.user)
    form = StatementForm(request.GET)
    wanted = form.wanted()
    page = open_page(wallet.entries.newest_first().filter(wanted), request.GET, ENTRIES_PER_PAGE)
    context = {
        "wallet": wallet,
        "reserved": reserved_of(request.user),
        "debt": debt_of(request.user),
        "open_top_ups": request.user.top_ups.newest_first().filter(status__in=OPEN_TOP_UPS)[:OPEN_PAYMENTS_SHOWN],
        "form": form,
        "filtered": bool(wanted),
        "page": page,
        "rows": with_balances(wallet, page),
    }
    return render(request, "wallet/home.html", context)
