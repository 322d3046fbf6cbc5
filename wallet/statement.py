"""The statement of a wallet: its movements by kind, time and order, each with the balance after it, also as CSV.

The balance after a movement counts all that came before it, whatever the filter shows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection
from django.db.models import BooleanField, Case, Count, Q, Sum, Value, When
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.csv_export import CsvLines
from accounts.typed_forms import FilterForm
from upstream.money import text_from_micros
from upstream.reading.amounts import MAX_INTEGER
from upstream.reading.text import line
from wallet.models import LedgerEntry, Wallet

ROWS_AT_ONCE = 1000
# The order that earned a referral is somebody else's: nothing leads there.
ORDER_REFERENCE = re.compile(r"order:(\d+)(?!:referral$)(?::|$)")
PAYMENT_REFERENCE = re.compile(r"top_up:([A-Z0-9]+)(?::|$)")
# Of one wallet, for the list of its months: beyond that it would take longer than a page may.
MOST_ADDED_UP = 20_000
Kind = LedgerEntry.Kind
# Beyond these a day may have no midnight in some time zone.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
SENSIBLE = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]


@dataclass(frozen=True)
class LedgerRow:
    """One movement as the page shows it: with the order or payment it belongs to, and the balance afterwards."""

    entry: LedgerEntry
    balance_after_micros: int

    @property
    def order_id(self) -> int | None:
        return order_of(self.entry.reference)

    @property
    def payment(self) -> str:
        named = PAYMENT_REFERENCE.match(self.entry.reference)
        return named[1] if named else ""


@dataclass(frozen=True)
class Month:
    """A month of a wallet, by the shop's time zone: what came in, what went out (below zero), what was left.

    None where there are too many movements to add them up for a list.
    """

    begins: date
    movements: int | None = None
    in_micros: int | None = None
    out_micros: int | None = None
    balance_micros: int | None = None


class StatementForm(FilterForm):
    """Which movements a customer wants to see. Nonsense in the address means: no filter."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Transaction"), choices=[("", gettext_lazy("Everything")), *Kind.choices], required=False
    )
    since = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        validators=SENSIBLE,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=gettext_lazy("To"),
        required=False,
        validators=SENSIBLE,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    q = forms.CharField(label=gettext_lazy("Order or payment number"), required=False, max_length=100)

    def wanted(self) -> Q:
        """Return the condition on ledger entries that the filter stands for."""
        self.is_valid()
        chosen = self.cleaned_data
        wanted = Q()
        if chosen.get("kind"):
            wanted &= Q(kind=chosen["kind"])
        if chosen.get("since"):
            wanted &= Q(created_at__gte=_midnight(chosen["since"]))
        if chosen.get("until"):
            wanted &= Q(created_at__lt=_midnight(chosen["until"] + timedelta(days=1)))
        if words := line(chosen.get("q", "")).lstrip("#"):
            wanted &= _named(words)
        return wanted


def _named(words: str) -> Q:
    if words.isdecimal():
        return Q(reference=f"order:{words}") | Q(reference__startswith=f"order:{words}:")
    name = words.upper()
    return Q(reference=f"top_up:{name}") | Q(reference__startswith=f"top_up:{name}:") | Q(note__icontains=words)


def of_month(begins: date) -> Q:
    """Return the condition for the movements of the month that begins on this day. Raises ValueError far away."""
    if not FIRST_DAY <= begins <= LAST_DAY:
        raise ValueError(begins)
    ends = (begins + timedelta(days=31)).replace(day=1)
    return Q(created_at__gte=_midnight(begins), created_at__lt=_midnight(ends))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def order_of(reference: str) -> int | None:
    """Return the number of the order that a ledger reference names."""
    named = ORDER_REFERENCE.match(reference)
    return int(named[1]) if named else None


def with_balances(wallet: Wallet, entries: Iterable[LedgerEntry]) -> list[LedgerRow]:
    """Return some of a wallet's entries with the balance after each, in their order; one statement for all of them.

    It is today's balance less what came later: nearly always the newest entries are looked at, of very many. What moved
    between each of them and the next newer one is added up once. Balance and entries are read in one statement, so that
    no movement comes in between.
    """
    entries = list(entries)
    if not entries:
        return []
    newest_first = sorted((entry.pk for entry in entries), reverse=True)
    gaps = list(zip(newest_first, [MAX_INTEGER, *newest_first], strict=False))
    ledger, wallets = LedgerEntry._meta.db_table, Wallet._meta.db_table
    # Without names of its own a list of values has these on either database.
    sql = f"""
        SELECT wallet.balance_micros, gap.column1, (
            SELECT COALESCE(SUM(newer.amount_micros), 0) FROM {ledger} newer
            WHERE newer.wallet_id = wallet.id AND newer.id > gap.column1 AND newer.id <= gap.column2
        ) FROM {wallets} wallet, (VALUES {", ".join(["(%s, %s)"] * len(gaps))}) AS gap WHERE wallet.id = %s"""  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.execute(sql, [*chain.from_iterable(gaps), wallet.pk])
        found = sorted(cursor.fetchall(), key=lambda row: -row[1])
    after, later = {}, 0
    for balance_micros, pk, moved in found:
        later += int(moved)
        after[pk] = balance_micros - later
    return [LedgerRow(entry, after[entry.pk]) for entry in entries]


def months_of(wallet: Wallet, *, most: int = MOST_ADDED_UP) -> list[Month]:
    """Return the months in which something moved, the newest first; two statements.

    A wallet with more than `most` movements has all months since its first one, and no sums: each month's own file
    has them.
    """
    if wallet.entries.order_by()[: most + 1].count() > most:
        return _months_between(wallet.entries.earliest("pk").created_at, wallet.entries.latest("pk").created_at)
    grouped = wallet.entries.values(month=TruncMonth("created_at")).order_by("month")
    months, balance_micros = [], 0
    for row in grouped.annotate(
        movements=Count("pk"),
        came_in=Sum("amount_micros", filter=Q(amount_micros__gt=0)),
        went_out=Sum("amount_micros", filter=Q(amount_micros__lt=0)),
    ):
        in_micros, out_micros = row["came_in"] or 0, row["went_out"] or 0
        balance_micros += in_micros + out_micros
        begins = timezone.localdate(row["month"])
        months.append(Month(begins, row["movements"], in_micros, out_micros, balance_micros))
    return months[::-1]


def _months_between(first: datetime, last: datetime) -> list[Month]:
    begins, months = timezone.localdate(first).replace(day=1), []
    while begins <= timezone.localdate(last):
        months.append(Month(begins))
        begins = (begins + timedelta(days=31)).replace(day=1)
    return months[::-1]


def csv_lines(wallet: Wallet, wanted: Q) -> Iterator[str]:
    """Return the wanted movements as lines of CSV under a header, the oldest first, with the balance after each.

    Money is plain decimals of the shop's currency, times are ISO 8601 in the shop's time zone. The words are in the
    language of the moment this is called: while it streams, the request's language is gone.
    """
    header = [
        _("Time"),
        _("Transaction"),
        _("Order"),
        _("Note"),
        _("Amount"),
        _("Balance after"),
        _("Currency"),
        _("Reference"),
    ]
    words = {value: str(label) for value, label in Kind.choices}
    # Every movement is read, whatever is wanted: the balance is their sum.
    flag = Case(When(wanted, then=Value(True)), default=Value(False), output_field=BooleanField()) if wanted else None
    flagged = wallet.entries.order_by("id").annotate(wanted=flag or Value(True, output_field=BooleanField()))
    rows = flagged.values_list("wanted", "created_at", "kind", "reference", "note", "amount_micros")
    return _lines(header, words, rows.iterator(chunk_size=ROWS_AT_ONCE))


def _lines(header: list[str], words: dict[str, str], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    csv = CsvLines()
    yield csv.head(header)
    balance_micros = 0
    for wanted, created_at, kind, reference, note, amount_micros in rows:
        balance_micros += amount_micros
        if wanted:
            yield csv.line(
                [
                    timezone.localtime(created_at).isoformat(timespec="seconds"),
                    words.get(kind, kind),
                    order_of(reference) or "",
                    note,
                    text_from_micros(amount_micros),
                    text_from_micros(balance_micros),
                    settings.STORE_CURRENCY,
                    reference,
                ]
            )
