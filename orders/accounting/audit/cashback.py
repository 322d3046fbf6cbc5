"""Whoever bought got the cashback that each order says, less what was taken back, and nothing else as such."""

from django.db.models import F

from orders.accounting.audit.earnings import misfits
from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings
from orders.models import CashbackEarning
from wallet.models import LedgerEntry

State = CashbackEarning.State


def check_cashback(findings: AuditFindings) -> None:
    """Compare each cashback with the ledger rows of its order, in its customer's wallet, and with its order."""
    left = "earning.amount_micros - earning.taken_back_micros + earning.owed_micros"
    columns = {"owner": "earning.user_id", "earned": left}
    kind = LedgerEntry.Kind.CASHBACK
    findings.problems.extend(misfits(CashbackEarning, kind=kind, words="of cashback", **columns))
    strangers = CashbackEarning.objects.exclude(order__user=F("user")).order_by("pk")
    for order, owner in strangers.values_list("order", "user")[:SHOWN_PROBLEMS]:
        findings.problems.append(f"order {order}: its cashback is customer {owner}'s, who did not place it")
    credited = CashbackEarning.objects.filter(state=State.CREDITED).order_by("pk")
    too_much = credited.filter(
        amount_micros__gt=F("taken_back_micros") + F("order__price_micros") - F("order__refunded_micros")
    )
    for order in too_much.values_list("order", flat=True)[:SHOWN_PROBLEMS]:
        findings.problems.append(f"order {order}: more cashback is left than what was paid for it in the end")
