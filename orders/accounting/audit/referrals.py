"""Whoever referred a customer got what each earning says, and nothing else was credited as such."""

from collections.abc import Iterator

from orders.accounting.audit.findings import (
    AuditFindings,
    names,
    rows_of,
    word_after,
)
from orders.models import ReferralEarning
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, Wallet


def check_referrals(findings: AuditFindings) -> None:
    """Compare each credited earning with the ledger row of its order, in its referrer's wallet."""
    findings.problems.extend(_misfits())


def _misfits() -> Iterator[str]:
    # Our own names and words: nothing in it comes from outside.
    sql = f"""
        SELECT owner, number, SUM(earned), SUM(booked)
        FROM (
            SELECT earning.referrer_id AS owner, CAST(earning.order_id AS text) AS number,
                   earning.amount_micros AS earned, 0 AS booked
            FROM {ReferralEarning._meta.db_table} earning
            WHERE earning.state = '{ReferralEarning.State.CREDITED}'
            UNION ALL
            SELECT wallet.user_id, CASE WHEN {names("order:")} THEN {word_after("order:")} ELSE '0' END,
                   0, entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind = '{LedgerEntry.Kind.REFERRAL}'
        ) AS earnings
        GROUP BY owner, number
        HAVING SUM(earned) <> SUM(booked)
        ORDER BY length(number), number, owner"""  # noqa: S608
    for owner, order, earned, booked in rows_of(sql):
        yield (  # order 0: the row names none
            f"order {order}: it earned customer {owner} {_text(earned)} by referral,"
            f" but the ledger credited {_text(booked)}"
        )
