"""The text of a mass order: one line each, `service | link | quantity`, read, checked and priced line by line."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.form_problems import Problem
from accounts.models import User
from accounts.typed_forms import AsTypedField, Form
from catalog.browse.number_format import write_number
from catalog.models import Delivery, Service
from catalog.pricing import price_book, price_for
from orders.models import Order
from orders.placing.mass import (
    LinesRefused,
    MassLine,
    PricesChanged,
    check_lines,
)
from orders.preferences import MASS_ORDER_LINES, MOST_LINES
from upstream.reading.amounts import MAX_INTEGER, typed_quantity
from upstream.reading.text import line, split_lines
from wallet.operations import wallet_of

LINES_IN_SUMMARY = 10
LONGEST_TEXT = MOST_LINES * 2100  # the longest link is 2,000 characters


@dataclass(frozen=True)
class Row:
    """A line of the text as the page shows it: its number there, what it says, and what it would buy or why not."""

    number: int
    text: str
    line: MassLine | None = None
    service: Service | None = None
    link: str = ""
    rate_micros: int = 0
    price_micros: int = 0
    problem: str = ""
    same_as: int | None = None  # the number of an earlier line for the same service and link
    open_order: Order | None = None  # an order of the customer's for the same service and link
    was_micros: int | None = None  # the price that the customer saw, where it has risen since

    @property
    def quoted_rate_micros(self) -> int:
        """The rate per thousand, which the form brings back."""
        return 0 if self.service is None else self.rate_micros * (1000 // self.service.rate_per)

    @property
    def doubtful(self) -> bool:
        """Whether the customer should be asked first: two orders at once for one link spoil each other's count."""
        return self.same_as is not None or self.open_order is not None


def read_rows(text: str) -> list[Row]:
    """Return the lines that say something, numbered as they stand in the text; with a problem where unreadable."""
    return [_read_row(number, typed) for number, typed in enumerate(split_lines(text), start=1) if line(typed)]


def _read_row(number: int, typed: str) -> Row:
    service, link, quantity = _parts(typed)
    service_id, pieces = _count(line(service).removeprefix("#")), _count(quantity or "")
    problem = ""
    if quantity is None:
        problem = _("Use this format: service | link | quantity.")
    elif service_id is None:
        problem = _("Start with the service number.")
    elif pieces is None:
        problem = _("End with the quantity, as a whole number.")
    if problem or service_id is None or pieces is None:
        return Row(number, line(typed), problem=problem)
    return Row(number, line(typed), MassLine(service_id, link.strip(), pieces))


def _count(typed: str) -> int | None:
    found = typed_quantity(typed)
    return found if found is not None and 0 <= found <= MAX_INTEGER else None


def _parts(typed: str) -> tuple[str, str, str | None]:
    """Return service, link and quantity, parted by bars or, in a row of a spreadsheet, by tabs; None for what lacks.

    The first and the last of them count: a link may have bars of its own.
    """
    bar = "|"
    if "\t" in typed and _count(line(typed.partition(bar)[0]).removeprefix("#")) is None:
        bar, typed = "\t", typed.strip()
    service, _bar, rest = typed.partition(bar)
    link, found, quantity = rest.rpartition(bar)
    return (service, link, quantity) if found else (service, "", None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19  # what a 64-bit column can hold


class MassOrderForm(Form):
    """A mass order: what was typed, what it comes to, and the rates that the customer has seen beside each line."""

    text = AsTypedField(
        label=gettext_lazy("Your orders, one per line"),
        help_text=gettext_lazy("service | link | quantity"),
        max_length=LONGEST_TEXT,
        strip=False,  # an empty line at the top counts in the numbers that the customer sees
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocapitalize": "off", "class": "code-text"}),
        error_messages={"required": gettext_lazy("Enter at least one line.")},
    )
    quoted_rates = forms.CharField(required=False, widget=forms.HiddenInput)
    again = forms.BooleanField(label=gettext_lazy("Order these again anyway"), required=False)
    request_id = forms.UUIDField(required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.rows: list[Row] = []
        self.priced = False
        self.max_lines = MASS_ORDER_LINES.value
        # Every preview is an order of its own; the one that is being paid keeps its id.
        self.next_request_id = str(uuid.uuid4())

    def clean_text(self) -> str:
        text = self.cleaned_data["text"]
        rows = read_rows(text)
        if not rows:
            raise forms.ValidationError(self.fields["text"].error_messages["required"])
        if len(rows) > self.max_lines:
            message = _("That's %(count)s lines; you can order up to %(maximum)s at once.")
            raise forms.ValidationError(
                message % {"count": write_number(len(rows)), "maximum": write_number(self.max_lines)}
            )
        self.rows = rows
        return text

    def clean(self) -> dict[str, Any]:
        if "request_id" in self.errors:
            raise forms.ValidationError(_("This page is out of date or damaged. Check the lines again."))
        return self.cleaned_data

    def price(self) -> None:
        """Look up every readable line: its service and price, or why it cannot be ordered, and what it repeats."""
        readable = [row.line for row in self.rows if row.line is not None]
        checked_lines = iter(check_lines(readable, book=price_book(self.user)))
        rows = []
        for row in self.rows:
            if row.line is not None:
                checked = next(checked_lines)
                row = replace(
                    row,
                    service=checked.service,
                    link=checked.link,
                    rate_micros=checked.rate_micros,
                    price_micros=checked.price_micros,
                    problem=checked.problem,
                )
            rows.append(row)
        self.rows, self.priced = self._with_doubts(rows), True

    def _with_doubts(self, rows: list[Row]) -> list[Row]:
        """Mark the lines that repeat an earlier one or an open order, other than those this very form has placed."""
        open_orders = self._open_orders(rows)
        seen: dict[tuple[int, str], int] = {}
        marked = []
        for row in rows:
            if row.service is None or row.service.delivery != Delivery.LINK:
                marked.append(row)
                continue
            key = (row.service.pk, row.link.rstrip("/"))
            marked.append(replace(row, same_as=seen.get(key), open_order=open_orders.get(key)))
            seen.setdefault(key, row.number)
        return marked

    def _open_orders(self, rows: Iterable[Row]) -> dict[tuple[int, str], Order]:
        bare_links = {row.link.rstrip("/") for row in rows if row.service is not None}
        links = [link for bare in sorted(bare_links) for link in (bare, f"{bare}/")]
        services = {row.service.pk for row in rows if row.service is not None}
        same = self.user.orders.open().filter(service__in=services, link__in=links).order_by("id")
        if request_id := self.cleaned_data.get("request_id"):
            same = same.exclude(checkout__request_id=str(request_id))
        return {(order.service_id or 0, order.link.rstrip("/")): order for order in same}

    def lines(self) -> list[MassLine]:
        """Return the lines with the rates that were on the page when the button was pressed.

        A page that showed another number of rates has not shown these lines: then none of them counts as seen.
        """
        typed = self.cleaned_data.get("quoted_rates", "").split(",")
        lines = [row.line for row in self.rows if row.line is not None]
        if len(typed) != len(lines) or not all(map(_is_number, typed)):
            return [replace(line, quoted_rate_micros=0) for line in lines]
        return [replace(line, quoted_rate_micros=int(rate)) for line, rate in zip(lines, typed, strict=True)]

    def refuse_lines(self, refusal: LinesRefused) -> None:
        """Show refusals of `place_orders` beside their lines; the places count readable lines from 0."""
        places = [place for place, row in enumerate(self.rows) if row.line is not None]
        for place, problem in refusal.problems.items():
            self.rows[places[place]] = replace(self.rows[places[place]], problem=problem)

    def show_changes(self, change: PricesChanged) -> None:
        """Say beside the lines whose price has risen what they cost before; the places count readable lines from 0."""
        places = [place for place, row in enumerate(self.rows) if row.line is not None]
        seen = self.lines()
        for place in change.places:
            row, rate_micros = self.rows[places[place]], seen[place].quoted_rate_micros
            if row.line is not None and rate_micros:
                self.rows[places[place]] = replace(row, was_micros=price_for(rate_micros, row.line.quantity, 1000))

    @property
    def problems(self) -> int:
        return sum(1 for row in self.rows if row.problem)

    @property
    def ready(self) -> bool:
        """Whether every line can be ordered, so that the page offers to pay."""
        return self.priced and not self.problems

    @property
    def doubtful(self) -> bool:
        return any(row.doubtful for row in self.rows)

    @property
    def what_is_wrong(self) -> str:
        """Say how many lines have to be changed."""
        text = ngettext(
            "Fix %(count)d of %(all)d lines. Nothing has been ordered.",
            "Fix %(count)d of %(all)d lines. Nothing has been ordered.",
            self.problems,
        )
        return text % {"count": self.problems, "all": len(self.rows)}

    def further_problems(self) -> list[Problem]:
        """Return what is wrong with the lines, for the summary of the page: with all, then with the first of each."""
        if not self.problems:
            return []
        wrong = [row for row in self.rows if row.problem][:LINES_IN_SUMMARY]
        text = self["text"].auto_id
        return [
            Problem(self.what_is_wrong, text),
            *(
                Problem(row.problem, f"line-{row.number}", text, _("Line %(number)d") % {"number": row.number})
                for row in wrong
            ),
        ]

    @property
    def rates_now(self) -> str:
        """The rates of this page, for the hidden field."""
        return ",".join(str(row.quoted_rate_micros) for row in self.rows)

    @property
    def total_micros(self) -> int:
        return sum(row.price_micros for row in self.rows)


@dataclass(frozen=True)
class Bill:
    """What the preview says about money."""

    total_micros: int
    balance_micros: int

    @property
    def missing_micros(self) -> int:
        """How much the balance is short of the total; 0 when it covers it."""
        return max(0, self.total_micros - self.balance_micros)


def bill_of(form: MassOrderForm) -> Bill:
    """Return the bill of a priced form."""
    return Bill(form.total_micros, wallet_of(form.user).balance_micros)
