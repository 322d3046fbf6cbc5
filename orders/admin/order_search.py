"""One box that knows what it was given: an order's number here or upstream, an address, a link, a phone, or words."""

import re
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.admin.list_search import referred_rows
from accounts.admin.short_count import LEAFED_THROUGH
from orders.models import Kind, Order
from upstream.reading.text import line

MOST_CUSTOMERS = 50
_NUMBER = re.compile(r"#?([0-9]{1,18})")  # as many digits as every column of numbers holds
_UPSTREAM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = re.compile(r"[^\s/:]+@[^\s/:]*|@[^\s/:]+\.[^\s/:]+")
# Apps above find orders by what they keep of them; each returns the ids it knows, a few at most.
Finder = Callable[[HttpRequest, str], list[int]]
_finders: list[Finder] = []


def also_found_by(finder: Finder) -> None:
    """Let an app above find orders by what is typed: `finder(request, typed)` returns their ids, a few at most."""
    if finder not in _finders:
        _finders.append(finder)


def find_orders(request: HttpRequest, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    """Return the rows, orders, that what was typed into the search box means.

    A number is one of ours or upstream's, "#5" only ours; with an "@" it is a customer's address; all else is looked
    for in links and titles, and by whatever apps above know. Numbers are looked for there, too, when no id is theirs.
    """
    words = line(typed)
    if not words:
        return rows
    if number := _NUMBER.fullmatch(words):
        named = Q(pk=int(number[1]))
        if words.startswith("#"):
            return rows.filter(named)
        known = of_upstream(words) | _others(request, words)
        if known or Order.objects.filter(named).exists():
            return rows.filter(named | Q(pk__in=known))
    elif _ADDRESS.fullmatch(words) and (found := _customers(words)):
        return rows.filter(user__in=found)
    known = _others(request, words) | (of_upstream(words) if _UPSTREAM_ID.fullmatch(words) else set())
    if known:
        return rows.filter(pk__in=known)
    matching = Order.objects.matching(words).order_by().values_list("pk", flat=True)
    found_once = list(matching[: LEAFED_THROUGH + 1])  # a list asks twice, for its rows and how many there are
    return rows.filter(pk__in=matching if len(found_once) > LEAFED_THROUGH else found_once)


def _customers(words: str) -> list[int]:
    return referred_rows(Order._meta.get_field("user"), ["email"], words, most=MOST_CUSTOMERS)


def of_upstream(typed: str) -> set[int]:
    """Return the orders with this id upstream; of each kind there is one at most."""
    return set(Order.objects.filter(kind__in=Kind.values, upstream_id=typed).values_list("pk", flat=True))


def _others(request: HttpRequest, typed: str) -> set[int]:
    return {pk for finder in _finders for pk in finder(request, typed)}
