"""The customer's history as CSV, for spreadsheets: a line at a time, so that a long one needs no memory."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts.csv_export import CsvLines
from catalog.models import name_language
from orders.models import SOLD, Order, OrderQuerySet, Status
from upstream.money import text_from_micros

ROWS_AT_ONCE = 1000
ORDER_COLUMNS = (
    *("created_at", "status", "title", "link", "quantity", "remains", "price_micros", "refunded_micros"),
    *("finished_at", "user_id"),  # the customer's own manager puts the customer on each row, by this id
)


def csv_lines(orders: OrderQuerySet) -> Iterator[str]:
    """Return these orders as lines of CSV under a header, beginning with a byte order mark.

    Money is plain decimals of the shop's currency, times are ISO 8601 in the shop's time zone. The words are in the
    language of the moment this is called: while it streams, the request's language is gone.
    """
    header = [
        _("Order"),
        _("Ordered"),
        _("Status"),
        _("Title"),
        _("Link"),
        _("Quantity"),
        _("Not delivered"),
        _("Price"),
        _("Refunded"),
        _("Currency"),
        _("Finished"),
    ]
    words = {value: str(label) for value, label in Status.choices}
    return _lines(header, words, orders, get_language() if name_language() else None)


def _lines(header: list[str], words: dict[str, str], orders: OrderQuerySet, language: str | None) -> Iterator[str]:
    csv = CsvLines()
    yield csv.head(header)
    needed = orders.only(*ORDER_COLUMNS)
    if language is not None:  # in which what was sold has perhaps another name
        needed = needed.only(*ORDER_COLUMNS, "kind", "service_id").prefetch_related(*SOLD)
    for order in needed.iterator(chunk_size=ROWS_AT_ONCE):
        yield csv.line(_cells(order, words, language))


def _cells(order: Order, words: dict[str, str], language: str | None) -> list[str | int]:
    title = order.title
    if language is not None:
        with override(language):
            title = order.shown_title
    return [
        order.pk,
        _time(order.created_at),
        words.get(order.status, order.status),
        title,
        order.link,
        order.quantity,
        "" if order.remains is None else order.remains,
        text_from_micros(order.price_micros),
        text_from_micros(order.refunded_micros),
        settings.STORE_CURRENCY,
        _time(order.finished_at),
    ]


def _time(moment: datetime | None) -> str:
    return "" if moment is None else timezone.localtime(moment).isoformat(timespec="seconds")
