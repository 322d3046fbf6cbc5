"""What claims for goods say they moved is what moved: refunds in the ledger, replacements among the orders.

And every claim has the answer it says, no line two of them, nobody answered for themselves or a referral relation.
"""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q

from accounts.power import are_tied
from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings, names, rows_of, total, word_after
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.refunds import OF_CLAIM
from orders.models import ClaimAnswer, GoodsClaim, Order
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, MoneyRequest, Wallet

Kind = ClaimAnswer.Kind


def check_claims(findings: AuditFindings, currency: str) -> None:
    """Compare answers to claims with the ledger, the replacements, the moves by hand and the claims themselves."""
    findings.problems.extend(_misbooked())
    findings.problems.extend(_unasked())
    findings.problems.extend(_replacements())
    findings.problems.extend(_claims())
    findings.problems.extend(_own())
    done = ClaimAnswer.objects.filter(carried_out_at__isnull=False)
    findings.add("claims for goods: given back", total(done, "refund_micros"), currency)
    findings.figures.append(("claims for goods: waiting", str(_waiting())))


def _waiting() -> int:
    return GoodsClaim.objects.filter(state=GoodsClaim.State.WAITING).count()


def _misbooked() -> Iterator[str]:
    """Orders whose claims gave back something else than the ledger; those of a replacement are its original's."""
    # Our own names and words: nothing in it comes from outside.
    sql = f"""
        SELECT owner, number, SUM(answered), SUM(booked)
        FROM (
            SELECT sale.user_id AS owner, CAST(COALESCE(sale.original_id, sale.id) AS text) AS number,
                   answer.refund_micros AS answered, 0 AS booked
            FROM {ClaimAnswer._meta.db_table} answer JOIN {Order._meta.db_table} sale ON sale.id = answer.order_id
            WHERE answer.kind = '{Kind.REFUNDED}' AND answer.carried_out_at IS NOT NULL
            UNION ALL
            SELECT wallet.user_id, {word_after("order:")}, 0, entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind = '{LedgerEntry.Kind.REFUND}' AND {names("order:")}
                AND entry.reference LIKE '%%{OF_CLAIM}'
        ) AS refunds
        GROUP BY owner, number
        HAVING SUM(answered) <> SUM(booked)
        ORDER BY length(number), number, owner"""  # noqa: S608 - our own names
    for _owner, order, answered, booked in rows_of(sql):
        yield f"order {order}: claims gave back {_text(answered)}, but the ledger {_text(booked)}"


def _unasked() -> Iterator[str]:
    """Answers that moved something without a move by hand of that amount, by whoever gave them."""
    done = ClaimAnswer.objects.filter(carried_out_at__isnull=False).exclude(kind=Kind.REFUSED)
    agreed = MoneyRequest.objects.filter(
        Q(amount_micros=OuterRef("refund_micros") + OuterRef("cost_micros")),
        pk=OuterRef("request"),
        state=MoneyRequest.State.DONE,
        asked_by=OuterRef("answered_by"),
    )
    for order, kind in done.exclude(Exists(agreed)).order_by("pk").values_list("order", "kind")[:SHOWN_PROBLEMS]:
        yield f"order {order}: a claim was {kind} with no move by hand that says so"


def _replacements() -> Iterator[str]:
    """Orders without a price that no claim was answered with, and answers whose order is not what they say."""
    free = Order.objects.filter(original__isnull=False, replacement_of=None).order_by("pk")
    for order in free.values_list("pk", flat=True)[:SHOWN_PROBLEMS]:
        yield f"order {order} cost its customer nothing, and replaces nothing that was claimed"
    made = ClaimAnswer.objects.filter(replacement__isnull=False)
    of_another = ~Q(replacement__user=F("order__user")) | ~Q(replacement__service=F("order__service"))
    of_another |= ~Q(replacement__original=F("order")) & ~Q(replacement__original=F("order__original"))
    of_another |= Q(order__original=None) & ~Q(replacement__original=F("order"))
    for answer in made.filter(of_another).order_by("pk")[:SHOWN_PROBLEMS]:
        yield f"order {answer.replacement_id} is not what replaces goods of order {answer.order_id}"
    pieces = made.order_by("pk").values_list("order", "lines", "replacement", "replacement__quantity").iterator()
    for order, lines, replacement, quantity in pieces:
        if len(lines) != quantity:
            yield f"order {replacement} has {quantity} pieces for {len(lines)} lines of order {order}"


def _claims() -> Iterator[str]:
    """Claims that have another answer than they say, and answers that name lines they did not settle."""
    settled = GoodsClaim.objects.filter(answer__isnull=False)
    wrong = ~Q(state=F("answer__kind")) | ~Q(order=F("answer__order")) | Q(answer__carried_out_at=None)
    for order, line in settled.filter(wrong).order_by("pk").values_list("order", "line")[:SHOWN_PROBLEMS]:
        yield f"order {order}: the claim for line {line} has the answer of another"
    # One that fell through is kept with its lines, some of which have another answer by now.
    done = ClaimAnswer.objects.filter(carried_out_at__isnull=False, fell_through_at=None).order_by("pk")
    for answer in done.prefetch_related("claims").iterator(chunk_size=500):
        lines = sorted(claim.line for claim in answer.claims.all())
        if lines != answer.lines:
            yield (
                f"order {answer.order_id}: an answer settles lines {spans_of(lines) or 'of none'}, but says"
                f" {spans_of(answer.lines)}"
            )


def _own() -> Iterator[str]:
    rows = ClaimAnswer.objects.filter(are_tied("answered_by", "order__user")).order_by("pk")
    for order, staff in rows.values_list("order", "answered_by__email")[:SHOWN_PROBLEMS]:
        yield f"order {order}: a claim was answered by {staff}, who is its customer or tied to them by a referral"
