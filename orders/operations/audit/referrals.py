"""Whoever brought a customer got what the earnings say, and nothing else was credited as such."""

from collections.abc import Iterator

from orders.models import ReferralEarning
from orders.operations.audit.findings import Books, rows_of
from upstream.money import text_from_micros
from wallet.models import LedgerEntry, Wallet


def check_referrals(books: Books) -> None:
    """Compare what each customer earned with what the ledger credited for it."""
    books.problems.extend(_misfits())


def _misfits() -> Iterator[str]:
    # Our own names and words: nothing in it comes from outside.
    compared = f"""
        SELECT owner, SUM(earned), SUM(credited)
        FROM (
            SELECT referrer_id AS owner, amount_micros AS earned, 0 AS credited
            FROM {ReferralEarning._meta.db_table} WHERE state = '{ReferralEarning.State.CREDITED}'
            UNION ALL
            SELECT wallet.user_id, 0, entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind = '{LedgerEntry.Kind.REFERRAL}'
        ) AS booked
        GROUP BY owner HAVING SUM(earned) <> SUM(credited)
        ORDER BY owner"""  # noqa: S608
    for owner, earned, credited in rows_of(compared):
        yield (
            f"customer {owner} earned {text_from_micros(earned)} by referrals,"
            f" but the ledger credited {text_from_micros(credited)}"
        )
