"""The statements that reckon a day: one for everything sold, one for payments, whatever number of rows they are of.

Each is a single statement, so that what the shop books meanwhile is in all of a day's totals or in none.
"""

from django.db import connection

from orders.accounting.daily_totals.dimensions import WHOLE, dimensions
from orders.accounting.report.totals import NO_PAYMENT
from orders.lifecycle.refunds import OF_CLAIM
from orders.models import GatewayTotal, Length, LostAttempt, Order, Status, Total
from upstream.money import MICROS
from wallet.models import LedgerEntry, Receivable, TopUp, Wallet

Kind = LedgerEntry.Kind
_ENTRIES = f"""
    FROM {LedgerEntry._meta.db_table} entry JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id"""
_ORDERS, _ATTEMPTS = Order._meta.db_table, LostAttempt._meta.db_table
AMOUNTS = ("sales_micros", "discounts_micros", "refunds_micros", "claim_refunds_micros")
COSTS = ("expected_micros", "cost_micros", "replacements_micros")
COUNTS = ("orders", "completed", "partial", "failed", "refunded", "done_seconds")
MEASURES = (*AMOUNTS, *COSTS, *COUNTS)
_ADDED = (*AMOUNTS, "expected_upstream", "cost_upstream", *COUNTS)  # of lines; costs wait to be converted
_OF_CLAIM = f"entry.kind = '{Kind.REFUND}' AND entry.reference LIKE '%%{OF_CLAIM}'"


def totals_of_day() -> str:
    """Return the statement that writes the totals of a day. It takes the day, and `day_parameters`.

    Costs are converted as in the books: rounded up once a day and rate, over all orders. So that every dimension adds
    up to that, a key has what the sum rises by when it joins those of smaller keys.
    """
    # Our own names and words: nothing in it comes from outside.
    by = [f"SELECT '{WHOLE}' AS dimension, 0 AS key, lines.* FROM lines"]  # noqa: S608
    for one in dimensions().values():
        by.append(f"SELECT '{one.name}', {one.key}, lines.* FROM lines {one.joins}")  # noqa: S608
    added = ", ".join(f"SUM({name}) AS {name}" for name in _ADDED)
    given = ", ".join(f"CAST(SUM({name}) AS bigint)" for name in (*AMOUNTS, *COSTS, *COUNTS))
    cost, expected = _converted("cost_upstream"), _converted("expected_upstream")
    return f"""
        INSERT INTO {Total._meta.db_table} (span, first, dimension, key, {", ".join(MEASURES)})
        WITH lines AS MATERIALIZED ({" UNION ALL ".join(_lines())}),
        keyed AS ({" UNION ALL ".join(by)}),
        summed AS (SELECT dimension, key, rate, replaces, {added} FROM keyed GROUP BY dimension, key, rate, replaces),
        converted AS (
            SELECT dimension, key, {", ".join((*AMOUNTS, *COUNTS))},
                CASE WHEN replaces = 0 THEN {expected} ELSE 0 END AS expected_micros,
                CASE WHEN replaces = 0 THEN {cost} ELSE 0 END AS cost_micros,
                CASE WHEN replaces = 1 THEN {cost} ELSE 0 END AS replacements_micros
            FROM summed WINDOW up_to AS (PARTITION BY dimension, rate, replaces ORDER BY key)
        )
        SELECT '{Length.DAY}', %s, dimension, key, {given}
        FROM converted GROUP BY dimension, key"""  # noqa: S608


PARTS = 3  # of the lines; each takes the first moment of the day and the first after it


def added_up(length: Length) -> str:
    """Return the statement that adds up a month's days or a quarter's months; it takes the first day of the whole, and
    what the parts' first days lie between.
    """
    given = ", ".join(f"CAST(SUM({name}) AS bigint)" for name in MEASURES)
    table, part = Total._meta.db_table, Length.MONTH if length == Length.QUARTER else Length.DAY
    return f"""
        INSERT INTO {table} (span, first, dimension, key, {", ".join(MEASURES)})
        SELECT '{length}', %s, dimension, key, {given} FROM {table}
        WHERE span = '{part}' AND first >= %s AND first <= %s GROUP BY dimension, key"""  # noqa: S608


def payments_of_day() -> str:
    """Return the statement that writes what each gateway did on a day; it takes the day and its two moments.

    A payment counts with its first row. What customers paid of what they owed belongs to the payment they owed it for.
    """
    payment, owed = TopUp._meta.db_table, Receivable._meta.db_table
    gateway = f"COALESCE(owing.gateway, payment.gateway, '{NO_PAYMENT}')"
    first = f"entry.kind = '{Kind.TOP_UP}' AND entry.reference = 'top_up:' || payment.reference"
    return f"""
        INSERT INTO {GatewayTotal._meta.db_table}
            (day, gateway, payments, paid_in_micros, fees_micros, bonus_micros, taken_back_micros)
        SELECT %s, {gateway},
            SUM(CASE WHEN {first} THEN 1 ELSE 0 END),
            CAST(SUM({_of_kind(Kind.TOP_UP)}) AS bigint),
            CAST(SUM(CASE WHEN {first} THEN payment.fee_micros ELSE 0 END) AS bigint),
            CAST(SUM({_of_kind(Kind.BONUS)}) AS bigint),
            CAST(-SUM({_of_kind(Kind.REVERSAL)}) AS bigint)
        {_ENTRIES}
        LEFT JOIN {owed} owed ON entry.kind = '{Kind.REVERSAL}' AND owed.id = {_number_after("receivable:")}
        LEFT JOIN {payment} owing ON owing.id = owed.top_up_id
        LEFT JOIN {payment} payment ON payment.reference = substr(entry.reference, 8, 12)
        WHERE entry.kind IN ('{Kind.TOP_UP}', '{Kind.BONUS}', '{Kind.REVERSAL}')
            AND entry.created_at >= %s AND entry.created_at < %s
        GROUP BY {gateway}"""


def _lines() -> tuple[str, ...]:
    """Return what a day is made of: its ledger rows, the orders sold on it, and what was found beside orders on it."""
    own = "CASE WHEN sale.original_id IS NULL THEN 1 ELSE 0 END"
    placed = "sale.upstream_id IS NOT NULL"
    status = "CASE WHEN sale.original_id IS NULL AND sale.status IN ({}) THEN 1 ELSE 0 END"
    done = f"sale.original_id IS NULL AND sale.status = '{Status.COMPLETED}' AND sale.finished_at IS NOT NULL"
    booked = f"""
        SELECT sale.id AS order_id, wallet.user_id, sale.service_id, 0 AS rate, 0 AS replaces,
            -{_of_kind(Kind.CHARGE)} AS sales_micros, {_of_kind(Kind.DISCOUNT)} AS discounts_micros,
            CASE WHEN {_OF_CLAIM} THEN 0 ELSE {_of_kind(Kind.REFUND)} END AS refunds_micros,
            CASE WHEN {_OF_CLAIM} THEN entry.amount_micros ELSE 0 END AS claim_refunds_micros,
            0 AS expected_upstream, 0 AS cost_upstream, {", ".join(f"0 AS {name}" for name in COUNTS)}
        {_ENTRIES} LEFT JOIN {_ORDERS} sale ON sale.id = {_number_after("order:")}
        WHERE entry.kind IN ('{Kind.CHARGE}', '{Kind.DISCOUNT}', '{Kind.REFUND}')
            AND entry.created_at >= %s AND entry.created_at < %s"""
    sold = f"""
        SELECT sale.id, sale.user_id, sale.service_id, sale.exchange_rate_micros, 1 - {own}, 0, 0, 0, 0,
            CASE WHEN {placed} THEN sale.cost_upstream_micros ELSE 0 END,
            CASE WHEN {placed} THEN COALESCE(sale.charge_upstream_micros, sale.cost_upstream_micros) ELSE 0 END,
            {own}, {status.format(f"'{Status.COMPLETED}'")}, {status.format(f"'{Status.PARTIAL}'")},
            {status.format(f"'{Status.FAILED}', '{Status.CANCELED}'")},
            CASE WHEN sale.original_id IS NULL AND sale.refunded_micros > 0 THEN 1 ELSE 0 END,
            CASE WHEN {done} THEN {_seconds()} ELSE 0 END
        FROM {_ORDERS} sale WHERE sale.created_at >= %s AND sale.created_at < %s"""  # noqa: S608
    # As orders.accounting.audit.upstream.charges_beside has them.
    beside = f"""
        SELECT sale.id, sale.user_id, sale.service_id, sale.exchange_rate_micros, 0, 0, 0, 0, 0, 0,
            COALESCE(attempt.charge_upstream_micros, sale.cost_upstream_micros), {", ".join("0" for _name in COUNTS)}
        FROM {_ATTEMPTS} attempt JOIN {_ORDERS} sale ON sale.id = attempt.order_id
        WHERE attempt.state = '{LostAttempt.State.LOSS}' AND attempt.settled_at >= %s AND attempt.settled_at < %s
            AND (sale.upstream_id IS NULL OR sale.upstream_id <> attempt.upstream_id)"""  # noqa: S608
    return booked, sold, beside


def _converted(column: str) -> str:
    whole = f"CAST(SUM({column}) OVER up_to AS bigint)"
    return f"{_rounded_up(whole)} - {_rounded_up(f'({whole} - CAST({column} AS bigint))')}"


def _rounded_up(micros: str) -> str:
    """Return upstream's micros in the shop's, in steps that stay within 64 bits."""
    return f"({micros} / {MICROS} * rate + ({micros} % {MICROS} * rate + {MICROS - 1}) / {MICROS})".replace("%", "%%")


def _of_kind(kind: str) -> str:
    return f"CASE WHEN entry.kind = '{kind}' THEN entry.amount_micros ELSE 0 END"


def _number_after(prefix: str) -> str:
    """Return the SQL of the id that a ledger row's reference has after `prefix`; NULL where there is none."""
    if connection.vendor == "postgresql":
        named = f"entry.reference ~ '^{prefix}[0-9]{{1,18}}(:|$)'"
        return f"CASE WHEN {named} THEN CAST(split_part(entry.reference, ':', 2) AS bigint) END"
    named = f"substr(entry.reference, 1, {len(prefix)}) = '{prefix}'"
    return f"CASE WHEN {named} THEN CAST(substr(entry.reference, {len(prefix) + 1}) AS integer) END"


def _seconds() -> str:
    if connection.vendor == "postgresql":
        return "CAST(EXTRACT(EPOCH FROM sale.finished_at - sale.created_at) AS bigint)"
    return "CAST(ROUND((julianday(sale.finished_at) - julianday(sale.created_at)) * 86400) AS integer)"
