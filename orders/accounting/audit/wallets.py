"""Every balance equals its ledger."""

from django.conf import settings
from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings, total
from upstream.money import text_from_micros
from wallet.models import LedgerEntry, Wallet


def check_wallets(findings: AuditFindings) -> None:
    """Compare each balance with the sum of its ledger, and add up the ledger by kind."""
    booked = Wallet.objects.annotate(booked=Coalesce(Sum("entries__amount_micros"), 0))
    wrong = booked.exclude(balance_micros=F("booked")).order_by("pk")
    for who, balance, ledger in wrong.values_list("user__email", "balance_micros", "booked")[:SHOWN_PROBLEMS]:
        findings.problems.append(
            f"wallet of {who}: balance {text_from_micros(balance)},"
            f" but its ledger adds up to {text_from_micros(ledger)}"
        )
    rows = LedgerEntry.objects.order_by().values_list("kind").annotate(total=Sum("amount_micros"))
    by_kind = dict(rows)
    for kind in LedgerEntry.Kind:
        findings.add(f"ledger: {kind.label.lower()}", by_kind.get(kind, 0), settings.STORE_CURRENCY)
    findings.add("wallets, all together", total(Wallet.objects.all(), "balance_micros"), settings.STORE_CURRENCY)
