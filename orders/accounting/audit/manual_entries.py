"""Every move by hand says who made it and why, and what was asked for and agreed is what was moved."""

from collections.abc import Iterator

from django.db.models import Q

from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings, names, rows_of, word_after
from orders.lifecycle.refund_requests import PART
from upstream.money import text_from_micros
from wallet.models import LedgerEntry, MoneyRequest, Wallet
from wallet.operations.confirmations import ABOUT as A_PAYMENT
from wallet.operations.manual_moves import BY_HAND as ASKED_FOR

Kind = LedgerEntry.Kind
BY_HAND = (Kind.ADJUSTMENT, Kind.WITHDRAWAL)
# The others are booked as what they are about: a payment, an order.
_QUOTED = ", ".join(f"'{kind}'" for kind in (MoneyRequest.Kind.ADJUSTMENT, MoneyRequest.Kind.WITHDRAWAL))
COMMAND_LINE = "credit:"  # references of `manage.py credit`: somebody at the server, who is no user of the shop


def check_moves_by_hand(findings: AuditFindings) -> None:
    """Find adjustments and withdrawals without a note or without a name, and requests that moved something else."""
    findings.problems.extend(_nameless())
    findings.problems.extend(_misbooked())
    findings.problems.extend(_misconfirmed())
    findings.problems.extend(_misrefunded())


def _nameless() -> Iterator[str]:
    by_hand = LedgerEntry.objects.filter(kind__in=BY_HAND).order_by("pk")
    no_name = Q(created_by=None) & ~Q(reference__startswith=COMMAND_LINE)
    rows = by_hand.filter(no_name | Q(note__regex=r"^\s*$")).values_list(
        "kind", "amount_micros", "reference", "wallet__user__email", "created_by", "note"
    )
    for kind, amount, reference, who, by, note in rows[:SHOWN_PROBLEMS]:
        lacking = [] if by or reference.startswith(COMMAND_LINE) else ["who made it"]
        lacking += [] if note.strip() else ["why"]
        yield f"{Kind(kind).label.lower()} {reference} of {text_from_micros(amount)} for {who} does not say " + (
            " and ".join(lacking)
        )


def _misbooked() -> Iterator[str]:
    # Our own names and words: nothing in it comes from outside.
    sql = f"""
        SELECT owner, reference, SUM(asked), SUM(booked)
        FROM (
            SELECT request.user_id AS owner, '{ASKED_FOR}' || request.request_id AS reference,
                   CASE WHEN request.kind = '{MoneyRequest.Kind.WITHDRAWAL}' THEN -request.amount_micros
                        ELSE request.amount_micros END AS asked, 0 AS booked
            FROM {MoneyRequest._meta.db_table} request
            WHERE request.state = '{MoneyRequest.State.DONE}' AND request.kind IN ({_QUOTED})
            UNION ALL
            SELECT wallet.user_id, entry.reference, 0, entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE substr(entry.reference, 1, {len(ASKED_FOR)}) = '{ASKED_FOR}'
        ) AS moves
        GROUP BY owner, reference
        HAVING SUM(asked) <> SUM(booked)
        ORDER BY reference, owner"""  # noqa: S608 - our own names
    for owner, reference, asked, booked in rows_of(sql):
        yield (
            f"move by hand {reference} of customer {owner}: {text_from_micros(asked)} was asked for and agreed,"
            f" but the ledger moved {text_from_micros(booked)}"
        )


def _misconfirmed() -> Iterator[str]:
    """Payments for which staff, by the requests, credited something else than by the ledger."""
    # As above.
    sql = f"""
        SELECT owner, name, SUM(asked), SUM(booked)
        FROM (
            SELECT user_id AS owner, substr(about, {len(A_PAYMENT) + 1}) AS name, amount_micros AS asked, 0 AS booked,
                   1 AS known
            FROM {MoneyRequest._meta.db_table}
            WHERE state = '{MoneyRequest.State.DONE}' AND kind = '{MoneyRequest.Kind.PAYMENT}'
            UNION ALL
            SELECT wallet.user_id, {word_after(A_PAYMENT)}, 0, entry.amount_micros, 0
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.created_by_id IS NOT NULL AND entry.kind IN ('{Kind.TOP_UP}', '{Kind.BONUS}')
                AND {names(A_PAYMENT)}
        ) AS moves
        GROUP BY owner, name
        HAVING SUM(known) > 0 AND SUM(asked) <> SUM(booked)
        ORDER BY name, owner"""  # noqa: S608 - our own names
    for _owner, name, asked, booked in rows_of(sql):
        yield (
            f"payment {name}: {text_from_micros(asked)} was confirmed by hand, but the ledger got"
            f" {text_from_micros(booked)} from staff"
        )


def _misrefunded() -> Iterator[str]:
    """Refunds in part that were agreed on, without exactly that in the ledger; see `refund_part_by_hand`."""
    # As above. The act says what had been refunded before, the ledger's reference what has been in all since.
    sql = f"""
        SELECT request.id, request.about, request.amount_micros
        FROM {MoneyRequest._meta.db_table} request
        LEFT JOIN {LedgerEntry._meta.db_table} entry
            ON entry.reference = request.about || ':refund:'
                || (CAST(substr(request.act, {len(PART) + 2}) AS bigint) + request.amount_micros)
            AND entry.amount_micros = request.amount_micros AND entry.kind = '{Kind.REFUND}'
        WHERE request.state = '{MoneyRequest.State.DONE}' AND request.kind = '{MoneyRequest.Kind.REFUND}'
            AND substr(request.act, 1, {len(PART) + 1}) = '{PART} ' AND entry.id IS NULL
        ORDER BY request.id"""  # noqa: S608 - our own names
    for number, about, amount in rows_of(sql):
        yield f"request {number}: {text_from_micros(amount)} of {about} was given back in part, but not by the ledger"
