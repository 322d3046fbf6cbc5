"""Every move by hand says who made it and why."""

from collections.abc import Iterator

from django.db.models import Q

from orders.operations.audit.findings import SHOWN_PROBLEMS, Books
from upstream.money import text_from_micros
from wallet.models import LedgerEntry

Kind = LedgerEntry.Kind
BY_HAND = (Kind.ADJUSTMENT, Kind.WITHDRAWAL)
COMMAND_LINE = "credit:"  # references of `manage.py credit`: somebody at the server, who is no user of the shop


def check_moves_by_hand(books: Books) -> None:
    """Find adjustments and withdrawals without a note or without a name."""
    books.problems.extend(_nameless())


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
