"""Every payment from outside was credited, taken back and owed as it says, and nothing came in without one."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import F, Q

from orders.accounting.audit.findings import (
    SHOWN_PROBLEMS,
    AuditFindings,
    names,
    rows_of,
    total,
    word_after,
)
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, Receivable, TopUp, Wallet

Kind = LedgerEntry.Kind
Status = TopUp.Status
OF_PAYMENTS = (Kind.TOP_UP, Kind.BONUS, Kind.REVERSAL)


def check_payments(findings: AuditFindings) -> None:
    """Compare each top-up with the ledger rows that name it, and each receivable with what was paid of it."""
    currency = settings.STORE_CURRENCY
    for problems in (_misfits(), _owed_misfits(), _without_a_payment()):
        findings.problems.extend(problems)
    findings.add("payments: credited", total(TopUp.objects.all(), "credited_micros"), currency)
    findings.add("payments: taken back", total(TopUp.objects.all(), "reversed_micros"), currency)
    owed = total(Receivable.objects.all(), "amount_micros") - total(Receivable.objects.all(), "paid_micros")
    findings.add("payments: still owed by customers", owed, currency)


def _misfits() -> Iterator[str]:
    """A top-up's rows add up to what it credited; what was reversed is what was taken, and what is or was owed."""
    for owner, name, status, credited, reversed, owed, came_in, taken in rows_of(_compared()):
        if status is None:
            moved = came_in - taken
            yield f"the ledger moved {_text(moved)} for payment {name} of customer {owner}, which does not exist"
            continue
        if came_in != credited:
            yield f"payment {name}: credited {_text(credited)}, but the ledger got {_text(came_in)}"
        if reversed != taken + owed:
            yield (
                f"payment {name}: {_text(reversed)} was taken back, but {_text(taken)} left the wallet"
                f" and {_text(owed)} was owed"
            )
        if status == Status.PAID and not credited:
            yield f"payment {name} is paid, but nothing was credited"


def _owed_misfits() -> Iterator[str]:
    """What was paid of a receivable left the wallet of who owed it."""
    for owner, number, known, paid, taken in rows_of(_owed_compared()):
        if not known:
            yield f"the ledger took {_text(taken)} for receivable {number} of customer {owner}, which does not exist"
        else:
            yield f"receivable {number}: {_text(paid)} was paid, but {_text(taken)} left the wallet for it"
    settled = Q(paid_micros=F("amount_micros"))
    torn = Receivable.objects.filter(settled & Q(settled_at=None) | ~settled & Q(settled_at__isnull=False))
    for number, amount, paid in torn.order_by("pk").values_list("pk", "amount_micros", "paid_micros")[:SHOWN_PROBLEMS]:
        state = "open" if amount == paid else "settled"
        yield f"receivable {number} is {state}, but {_text(paid)} of {_text(amount)} was paid"


def _without_a_payment() -> Iterator[str]:
    named = Q(reference__startswith="top_up:") | Q(reference__startswith="receivable:", kind=Kind.REVERSAL)
    stray = LedgerEntry.objects.filter(kind__in=OF_PAYMENTS).exclude(named).order_by("pk")
    rows = stray.values_list("kind", "amount_micros", "wallet__user", "reference")
    for kind, amount, owner, reference in rows[:SHOWN_PROBLEMS]:
        what = Kind(kind).label.lower()
        yield f"{what} {reference} of {_text(amount)} for customer {owner} names no payment"


def _compared() -> str:
    """Return the statement that puts top-ups beside their receivables and ledger rows and leaves what does not fit.

    A reference of the ledger is `top_up:`, the top-up's own reference, and what more there is to say.
    """
    ledger, wallets = LedgerEntry._meta.db_table, Wallet._meta.db_table
    # Our own names and words: nothing in it comes from outside.
    return f"""
        SELECT owner, name, MAX(status), SUM(credited), SUM(reversed), SUM(owed), SUM(came_in), SUM(taken)
        FROM (
            SELECT user_id AS owner, reference AS name, status, credited_micros AS credited,
                   reversed_micros AS reversed, 0 AS owed, 0 AS came_in, 0 AS taken
            FROM {TopUp._meta.db_table}
            UNION ALL
            SELECT owed.user_id, payment.reference, NULL, 0, 0, owed.amount_micros, 0, 0
            FROM {Receivable._meta.db_table} owed JOIN {TopUp._meta.db_table} payment ON payment.id = owed.top_up_id
            UNION ALL
            SELECT wallet.user_id, {word_after("top_up:")}, NULL, 0, 0, 0,
                   CASE WHEN entry.kind <> '{Kind.REVERSAL}' THEN entry.amount_micros ELSE 0 END,
                   CASE WHEN entry.kind = '{Kind.REVERSAL}' THEN -entry.amount_micros ELSE 0 END
            FROM {ledger} entry JOIN {wallets} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind IN ('{Kind.TOP_UP}', '{Kind.BONUS}', '{Kind.REVERSAL}')
                AND {names("top_up:")}
        ) AS booked
        GROUP BY owner, name
        HAVING COUNT(status) = 0 OR SUM(credited) <> SUM(came_in) OR SUM(reversed) <> SUM(taken) + SUM(owed)
            OR (MAX(status) = '{Status.PAID}' AND SUM(credited) = 0)
        ORDER BY name, owner"""  # noqa: S608 - our own names


def _owed_compared() -> str:
    # As above.
    return f"""
        SELECT owner, number, SUM(known), SUM(paid), SUM(taken)
        FROM (
            SELECT user_id AS owner, CAST(id AS text) AS number, 1 AS known, paid_micros AS paid, 0 AS taken
            FROM {Receivable._meta.db_table}
            UNION ALL
            SELECT wallet.user_id, {word_after("receivable:")}, 0, 0, -entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind = '{Kind.REVERSAL}' AND {names("receivable:")}
        ) AS booked
        GROUP BY owner, number
        HAVING SUM(known) = 0 OR SUM(paid) <> SUM(taken)
        ORDER BY length(number), number, owner"""  # noqa: S608 - our own names
