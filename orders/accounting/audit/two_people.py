"""Nobody moved money by hand for themselves or a referral relation, and what takes two people had two.

Judged is what was moved since the shop asks for it, that is, since RULES_CAME_WITH was applied. What was moved before
is counted among the figures: the rules were others, and nobody can agree to it now.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from accounts.power import are_tied
from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings, applied_at
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, MoneyRequest, TopUp
from wallet.operations.confirmations import ABOUT as ABOUT_A_PAYMENT

Kind = LedgerEntry.Kind
RULES_CAME_WITH = ("wallet", "0008_payments_and_refunds_by_hand")
BY_HAND = (Kind.TOP_UP, Kind.BONUS, Kind.ADJUSTMENT, Kind.WITHDRAWAL)
# Rows that break a rule, the first of them when; and what to say of one.
Breaches = tuple[QuerySet[Any], Callable[..., str]]


def check_two_people(findings: AuditFindings) -> None:
    """Compare who made and who approved each move by hand with its owner, and what came in with what was asked."""
    began, older = applied_at(*RULES_CAME_WITH), 0
    first = LedgerEntry.objects.order_by("pk").values_list("created_at", flat=True).first()
    has_older = began is not None and first is not None and first < began
    for rows, sentence in (_own_entries(), _own_requests(), _approved_by_a_party(), _more_than_asked(), _by_nobody()):
        judged = rows if began is None else rows.filter(Q(at__gte=began) | Q(at=None))
        findings.problems.extend(sentence(*row[1:]) for row in judged[:SHOWN_PROBLEMS])
        older += rows.filter(at__lt=began).count() if has_older else 0
    if older:
        findings.figures.append(("by hand before these rules, not judged", str(older)))


def _own_entries() -> Breaches:
    """Rows of the ledger that somebody made for themselves or a relation."""
    rows = LedgerEntry.objects.filter(are_tied("created_by", "wallet__user"), kind__in=BY_HAND).annotate(
        at=F("created_at")
    )

    def sentence(kind: str, amount: int, reference: str, owner: int, maker: int) -> str:
        what = f"{Kind(kind).label.lower()} {reference} of {_text(amount)} for customer {owner}"
        return f"{what} was made by {_party(maker, owner)}"

    columns = ("at", "kind", "amount_micros", "reference", "wallet__user", "created_by")
    return rows.order_by("pk").values_list(*columns), sentence


def _own_requests() -> Breaches:
    """Moves by hand that somebody asked for themselves or a relation."""
    columns = ("at", "pk", "kind", "amount_micros", "user", "asked_by")

    def sentence(number: int, kind: str, amount: int, owner: int, maker: int) -> str:
        return f"{_named(number, kind, amount, owner)} was made by {_party(maker, owner)}"

    return _done(are_tied("asked_by", "user")).values_list(*columns), sentence


def _approved_by_a_party() -> Breaches:
    """Moves by hand whose second person got the money, asked for it, or is tied to one of the two."""
    columns = ("at", "pk", "kind", "amount_micros", "user", "decided_by")

    def sentence(number: int, kind: str, amount: int, owner: int, second: int) -> str:
        what = f"{_named(number, kind, amount, owner)} was approved by customer {second}"
        return f"{what}, who is tied to it: as its owner, its maker, or by a referral"

    is_a_party = are_tied("decided_by", "user") | are_tied("decided_by", "asked_by")
    return _done(is_a_party).values_list(*columns), sentence


def _more_than_asked() -> Breaches:
    """Payments of which staff said that more came in than was asked for, and nobody else agreed."""
    about = Concat(Value(ABOUT_A_PAYMENT), OuterRef("reference"))
    agreed = MoneyRequest.objects.filter(
        about=about,
        state=MoneyRequest.State.DONE,
        decided_by__isnull=False,
        received_micros__gte=OuterRef("received_micros"),
    )
    entries = LedgerEntry.objects.filter(wallet__user=OuterRef("user"), reference__startswith=about)
    by_hand = entries.filter(kind=Kind.TOP_UP, created_by__isnull=False)
    rows = _credited(entries).filter(Q(gateway="manual") | Exists(by_hand), received_micros__gt=F("pay_micros"))

    def sentence(reference: str, received: int, asked: int, maker: int | None) -> str:
        who = "nobody who is named" if maker is None else f"customer {maker}"
        return (
            f"payment {reference}: {_text(received)} was confirmed by {who} where {_text(asked)} was asked for, and"
            " nobody approved it"
        )

    columns = ("at", "reference", "received_micros", "pay_micros", "confirmed_by")
    return rows.exclude(Exists(agreed)).values_list(*columns), sentence


def _by_nobody() -> Breaches:
    """Transfers that came in though nobody of the staff said so."""
    about = Concat(Value(ABOUT_A_PAYMENT), OuterRef("reference"))
    entries = LedgerEntry.objects.filter(wallet__user=OuterRef("user"), reference__startswith=about)
    rows = _credited(entries).filter(gateway="manual", received_micros__gt=0, confirmed_by=None)

    def sentence(reference: str, received: int) -> str:
        return f"payment {reference} of {_text(received)} by transfer does not say who confirmed it"

    return rows.values_list("at", "reference", "received_micros"), sentence


def _credited(entries: QuerySet[LedgerEntry]) -> QuerySet[Any]:
    """Payments, each with when it last got a row in the ledger: it may have come in long before it was confirmed."""
    newest = Subquery(entries.order_by("-pk").values("created_at")[:1])
    return TopUp.objects.annotate(at=Coalesce(newest, F("paid_at"))).order_by("pk")


def _done(which: Q) -> QuerySet[MoneyRequest]:
    done = MoneyRequest.objects.filter(which, state=MoneyRequest.State.DONE)
    return done.annotate(at=F("decided_at")).order_by("pk")


def _named(number: int, kind: str, amount: int, owner: int) -> str:
    return f"move by hand {number} ({kind}) of {_text(amount)} for customer {owner}"


def _party(maker: int, owner: int) -> str:
    return "that customer" if maker == owner else f"customer {maker}, who is tied to that one by a referral"
