"""What orders earned somebody is what the ledger credited as such and nothing else, for every kind of earning alike."""

from collections.abc import Iterator

from django.db.models import Model

from orders.accounting.audit.findings import names, rows_of, word_after
from upstream.money import text_from_micros
from wallet.models import LedgerEntry, Wallet


def misfits(earnings: type[Model], *, kind: str, owner: str, earned: str, words: str) -> Iterator[str]:
    """Yield orders whose credited earnings are not what the ledger's rows of a kind came to.

    `owner` and `earned` are SQL over `earning`: whose it is, and how much of it was booked; `words` names the kind.
    """
    # Our own names and words: nothing in it comes from outside.
    sql = f"""
        SELECT owner, number, SUM(earned), SUM(booked)
        FROM (
            SELECT {owner} AS owner, CAST(earning.order_id AS text) AS number, {earned} AS earned, 0 AS booked
            FROM {earnings._meta.db_table} earning
            WHERE earning.state = 'credited'
            UNION ALL
            SELECT wallet.user_id, CASE WHEN {names("order:")} THEN {word_after("order:")} ELSE '0' END,
                   0, entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind = '{kind}'
        ) AS earnings
        GROUP BY owner, number
        HAVING SUM(earned) <> SUM(booked)
        ORDER BY length(number), number, owner"""  # noqa: S608 - our own names
    for whose, order, due, booked in rows_of(sql):
        yield (  # order 0: the row names none
            f"order {order}: it earned customer {whose} {text_from_micros(due)} {words},"
            f" but the ledger credited {text_from_micros(booked)}"
        )
