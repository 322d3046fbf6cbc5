"""The customer's wallet: what is in it, and the ledger that explains it."""

import re
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import CustomerRequest, customers_only
from wallet.models import LedgerEntry
from wallet.operations import wallet_of

ENTRIES_PER_PAGE = 25
ORDER_REFERENCE = re.compile(r"order:(\d+)(?::|$)")


@dataclass(frozen=True)
class LedgerRow:
    """One movement as the page shows it: with the order it belongs to, and what the balance was afterwards."""

    entry: LedgerEntry
    order_id: int | None
    balance_after_micros: int


@customers_only
@require_safe
def home(request: CustomerRequest) -> HttpResponse:
    """Show the balance, how to add to it, and every movement, the newest first."""
    wallet = wallet_of(request.user)
    page = Paginator(wallet.entries.newest_first(), ENTRIES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"wallet": wallet, "page": page, "rows": _rows(list(page))}
    return render(request, "wallet/home.html", context)


def _rows(entries: list[LedgerEntry]) -> list[LedgerRow]:
    """Explain a page of the ledger, newest first; one query for the balance below it."""
    if not entries:
        return []
    upto = LedgerEntry.objects.filter(wallet=entries[0].wallet_id, pk__lte=entries[0].pk)
    balance_micros = upto.aggregate(sum=Sum("amount_micros"))["sum"]
    rows = []
    for entry in entries:
        named = ORDER_REFERENCE.match(entry.reference)
        rows.append(LedgerRow(entry, int(named[1]) if named else None, balance_micros))
        balance_micros -= entry.amount_micros
    return rows
