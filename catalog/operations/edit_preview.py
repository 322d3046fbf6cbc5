"""What an edit of many services would do, before it is done: one look at them and at their orders of the last days."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from catalog.models import Category, ServiceMargin, ServiceQuerySet
from catalog.operations.places import all_categories, is_shown_in
from catalog.operations.service_edits import Edit, NotEditable, Row, Values, differing, edit_rows, mark_of
from catalog.pricing import PriceBook, price_book
from catalog.pricing.formula import Formula

SHOWN_ROWS = 25
SHOWN_LEFT = 25


class Line(NamedTuple):
    """A service that changes: its values and its price before and after, the prices in store micros."""

    row: Row
    after: Values
    price_before: int
    price_after: int


@dataclass
class EditEffect:
    """What an edit does. `left` are services that stay as they are, with the reasons.

    `sales_micros` is by how much the orders of the last days would have been dearer at the new prices,
    `margin_gone_micros` what those of services that are no longer shown have brought.
    """

    services: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    dearer: int = 0
    cheaper: int = 0
    lifted: int = 0  # sold for the floor, because their own price or markup lies below it
    appearing: int = 0  # shown to customers, which they were not
    vanishing: int = 0
    sales_micros: int = 0
    margin_gone_micros: int = 0
    lines: list[Line] = field(default_factory=list)
    left_count: int = 0
    left: list[tuple[Row, str]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)  # of those that change
    marks: list[str] = field(default_factory=list)  # what stands for the change of each of them, see `mark_of`


def preview_edit(edit: Edit, services: ServiceQuerySet, *, now: datetime) -> EditEffect:
    """Return what an edit of these services does; a fixed number of queries, seconds for a hundred thousand."""
    book, categories = price_book(None, now=now), all_categories()
    margins = {
        pk: (kept, margin)
        for pk, kept, margin in ServiceMargin.objects.values_list("service_id", "kept_micros", "margin_micros")
    }
    effect = EditEffect()
    for row in edit_rows(services):
        effect.services += 1
        try:
            after = edit.of(row, exchange_rate_micros=book.exchange_rate_micros)
        except NotEditable as why:
            effect.left_count += 1
            if len(effect.left) < SHOWN_LEFT:
                effect.left.append((row, str(why)))
            continue
        if after != row.values:
            _count(effect, row, after, book, margins.get(row.id, (0, 0)))
            _count_shown(effect, row, after, categories, margins.get(row.id, (0, 0))[1])
    return effect


def _count(effect: EditEffect, row: Row, after: Values, book: PriceBook, earned: tuple[int, int]) -> None:
    effect.changed += 1
    effect.ids.append(row.id)
    effect.marks.append(mark_of(row, after))
    effect.columns.update([*differing(row.values, after)[1]])
    rate = row.rate_upstream_micros
    before_micros = _formula(book, row, row.values).rate_micros(rate, row.values.rate_override_micros)
    formula = _formula(book, row, after)
    after_micros = formula.rate_micros(rate, after.rate_override_micros)
    effect.dearer += after_micros > before_micros
    effect.cheaper += after_micros < before_micros
    if after_micros != before_micros:
        has_own = after.rate_override_micros is not None or after.markup_percent is not None
        effect.lifted += has_own and formula.is_lifted(rate, after.rate_override_micros)
    kept, _margin = earned
    if before_micros:
        effect.sales_micros += kept * (after_micros - before_micros) // before_micros
    if len(effect.lines) < SHOWN_ROWS:
        effect.lines.append(Line(row, after, before_micros, after_micros))


def _count_shown(
    effect: EditEffect, row: Row, after: Values, categories: dict[int, Category], margin_micros: int
) -> None:
    before, later = (
        values.visible and is_shown_in(categories[values.category_id], categories) for values in (row.values, after)
    )
    effect.appearing += later and not before
    if before and not later:
        effect.vanishing += 1
        effect.margin_gone_micros += margin_micros


def _formula(book: PriceBook, row: Row, values: Values) -> Formula:
    return book.visitors_formula(values.category_id, values.subcategory_id, row.id, own_percent=values.own_percent)
