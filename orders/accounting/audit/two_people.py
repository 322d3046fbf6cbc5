"""Nobody moved money by hand for themselves or a referral relation, and what takes two people had two.

Judged is what was moved since the shop asks for it, that is, since RULES_CAME_WITH was applied. What was moved before
is counted among the figures: the rules were others, and nobody can agree to it now.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Left, StrIndex, Substr

from accounts.power import are_tied
from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings, applied_at
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, MoneyRequest, TopUp
from wallet.operations.confirmations import ABOUT as ABOUT_A_PAYMENT

Kind = LedgerEntry.Kind
RULES_CAME_WITH = ("wallet", "0008_payments_and_refunds_by_hand")
BY_HAND = (Kind.TOP_UP, Kind.BONUS, Kind.ADJUSTMENT, Kind.WITHDRAWAL)
# A rule's own columns of a row that breaks it; what to say of one takes them in their order.
Sentence = Callable[..., str]


class Breaches(NamedTuple):
    """Rows that break a rule, what to say of one, and which of them count from a moment on."""

    rows: QuerySet[Any]
    sentence: Sentence
    since: Callable[[datetime], Q]


def check_two_people(findings: AuditFindings) -> None:
    """Compare who made and who approved each move by hand with its owner, and what came in with what was asked."""
    began, older = applied_at(*RULES_CAME_WITH), 0
    first = LedgerEntry.objects.order_by("pk").values_list("created_at", flat=True).first()
    has_older = began is not None and first is not None and first < began
    for rows, sentence, since in (
        _own_entries(),
        _own_requests(),
        _approved_by_a_party(),
        _more_than_asked(),
        _by_nobody(),
    ):
        judged = rows if began is None else rows.filter(since(began))
        findings.problems.extend(sentence(*row) for row in judged[:SHOWN_PROBLEMS])
        older += rows.count() - judged.count() if has_older else 0
    if older:
        findings.figures.append(("by hand before these rules, not judged", str(older)))


def _own_entries() -> Breaches:
    """Rows of the ledger that somebody made for themselves or a relation."""
    rows = LedgerEntry.objects.filter(are_tied("created_by", "wallet__user"), kind__in=BY_HAND)

    def sentence(kind: str, amount: int, reference: str, owner: int, maker: int) -> str:
        what = f"{Kind(kind).label.lower()} {reference} of {_text(amount)} for customer {owner}"
        return f"{what} was made by {_party(maker, owner)}"

    columns = ("kind", "amount_micros", "reference", "wallet__user", "created_by")
    return Breaches(rows.order_by("pk").values_list(*columns), sentence, lambda began: Q(created_at__gte=began))


def _own_requests() -> Breaches:
    """Moves by hand that somebody asked for themselves or a relation."""
    columns = ("pk", "kind", "amount_micros", "user", "asked_by")

    def sentence(number: int, kind: str, amount: int, owner: int, maker: int) -> str:
        return f"{_named(number, kind, amount, owner)} was made by {_party(maker, owner)}"

    return Breaches(_done(are_tied("asked_by", "user")).values_list(*columns), sentence, _decided_since)


def _approved_by_a_party() -> Breaches:
    """Moves by hand whose second person got the money, asked for it, or is tied to one of the two."""
    columns = ("pk", "kind", "amount_micros", "user", "decided_by")

    def sentence(number: int, kind: str, amount: int, owner: int, second: int) -> str:
        what = f"{_named(number, kind, amount, owner)} was approved by customer {second}"
        return f"{what}, who is tied to it: as its owner, its maker, or by a referral"

    is_a_party = are_tied("decided_by", "user") | are_tied("decided_by", "asked_by")
    return Breaches(_done(is_a_party).values_list(*columns), sentence, _decided_since)


def _more_than_asked() -> Breaches:
    """Payments of which staff said that more came in than was asked for, and nobody else agreed."""
    agreed = MoneyRequest.objects.filter(
        about=Concat(Value(ABOUT_A_PAYMENT), OuterRef("reference")),
        state=MoneyRequest.State.DONE,
        decided_by__isnull=False,
        received_micros__gte=OuterRef("received_micros"),
    )
    by_hand = _named_by(Q(kind=Kind.TOP_UP, created_by__isnull=False))
    by_staff = _one_of(by_hand, TopUp.objects.filter(gateway="manual"))
    more = TopUp.objects.filter(by_staff, received_micros__gt=F("pay_micros"))

    def sentence(reference: str, received: int, asked: int, maker: int | None) -> str:
        who = "nobody who is named" if maker is None else f"customer {maker}"
        return (
            f"payment {reference}: {_text(received)} was confirmed by {who} where {_text(asked)} was asked for, and"
            " nobody approved it"
        )

    columns = ("reference", "received_micros", "pay_micros", "confirmed_by")
    return Breaches(more.exclude(Exists(agreed)).order_by("pk").values_list(*columns), sentence, _booked_since)


def _by_nobody() -> Breaches:
    """Transfers that came in though nobody of the staff said so."""
    rows = TopUp.objects.filter(gateway="manual", received_micros__gt=0, confirmed_by=None)

    def sentence(reference: str, received: int) -> str:
        return f"payment {reference} of {_text(received)} by transfer does not say who confirmed it"

    return Breaches(rows.order_by("pk").values_list("reference", "received_micros"), sentence, _booked_since)


def _booked_since(began: datetime) -> Q:
    """Payments that came in, or got a row in the ledger, since then: one may have come in long before it did."""
    newer = TopUp.objects.filter(Q(created_at__gte=began) | Q(paid_at__gte=began))
    return _one_of(newer, _named_by(Q(created_at__gte=began)))


def _named_by(which: Q) -> QuerySet[TopUp]:
    """Payments that such rows of the ledger name: `top_up:`, the payment's reference, and what more there is to say.

    The rows are read once: to look for those of each payment takes hours where there are many of both.
    """
    rest = Substr("reference", len(ABOUT_A_PAYMENT) + 1)
    name = Left(rest, StrIndex(Concat(rest, Value(":")), Value(":")) - 1)
    rows = LedgerEntry.objects.filter(which, reference__startswith=ABOUT_A_PAYMENT)
    return TopUp.objects.filter(reference__in=rows.values(name=name))


def _one_of(*found: QuerySet[TopUp]) -> Q:
    """Return the condition that a payment is one of these.

    As one list: PostgreSQL joins with that, however long it is. With an OR of lists it reads each anew for every
    payment once they are longer than its memory for it (`work_mem`).
    """
    first, *others = (rows.order_by().values("pk") for rows in found)
    return Q(pk__in=first.union(*others))


def _done(which: Q) -> QuerySet[MoneyRequest]:
    return MoneyRequest.objects.filter(which, state=MoneyRequest.State.DONE).order_by("pk")


def _decided_since(began: datetime) -> Q:
    return Q(decided_at__gte=began) | Q(decided_at=None)


def _named(number: int, kind: str, amount: int, owner: int) -> str:
    return f"move by hand {number} ({kind}) of {_text(amount)} for customer {owner}"


def _party(maker: int, owner: int) -> str:
    return "that customer" if maker == owner else f"customer {maker}, who is tied to that one by a referral"
