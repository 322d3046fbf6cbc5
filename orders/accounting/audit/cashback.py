"""Whoever bought got the cashback that each order says, less what was taken back, and nothing else as such."""

from collections.abc import Iterator

from django.db.models import F

from orders.accounting.audit.findings import (
    SHOWN_PROBLEMS,
    AuditFindings,
    names,
    rows_of,
    word_after,
)
from orders.models import CashbackEarning
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, Wallet

State = CashbackEarning.State


def check_cashback(findings: AuditFindings) -> None:
    """Compare each cashback with the ledger rows of its order, in its customer's wallet, and with its order."""
    findings.problems.extend(_misfits())
    strangers = CashbackEarning.objects.exclude(order__user=F("user")).order_by("pk")
    for order, owner in strangers.values_list("order", "user")[:SHOWN_PROBLEMS]:
        findings.problems.append(f"order {order}: its cashback is customer {owner}'s, who did not place it")
    credited = CashbackEarning.objects.filter(state=State.CREDITED).order_by("pk")
    too_much = credited.filter(
        amount_micros__gt=F("taken_back_micros") + F("order__price_micros") - F("order__refunded_micros")
    )
    for order in too_much.values_list("order", flat=True)[:SHOWN_PROBLEMS]:
        findings.problems.append(f"order {order}: more cashback is left than what was paid for it in the end")


def _misfits() -> Iterator[str]:
    # Our own names and words: nothing in it comes from outside.
    sql = f"""
        SELECT owner, number, SUM(earned), SUM(booked)
        FROM (
            SELECT earning.user_id AS owner, CAST(earning.order_id AS text) AS number,
                   earning.amount_micros - earning.taken_back_micros + earning.owed_micros AS earned, 0 AS booked
            FROM {CashbackEarning._meta.db_table} earning
            WHERE earning.state = '{State.CREDITED}'
            UNION ALL
            SELECT wallet.user_id, CASE WHEN {names("order:")} THEN {word_after("order:")} ELSE '0' END,
                   0, entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind = '{LedgerEntry.Kind.CASHBACK}'
        ) AS earnings
        GROUP BY owner, number
        HAVING SUM(earned) <> SUM(booked)
        ORDER BY length(number), number, owner"""  # noqa: S608
    for owner, order, earned, booked in rows_of(sql):
        yield (  # order 0: the row names none
            f"order {order}: it earned customer {owner} {_text(earned)} of cashback,"
            f" but the ledger credited {_text(booked)}"
        )
