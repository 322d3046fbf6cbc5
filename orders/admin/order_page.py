"""The page of an order as staff sees it: what can be done, what happened, and what is known beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from accounts.admin.blocks import Block
from orders.admin.beside import blocks_of, similar_to
from orders.admin.choices import Choice, choices_of
from orders.admin.happened import Happening, happenings_of
from orders.models import Order


@dataclass(frozen=True)
class OrderPage:
    """What stands above the order's fields."""

    choices: list[Choice]
    happenings: list[Happening]
    blocks: list[Block]
    similar: list[Order]


def order_page(order: Order, request: HttpRequest, buttons: Iterable[dict[str, Any]]) -> OrderPage:
    """Put the page together for this member of staff; `buttons` are those that the theme shows above it."""
    return OrderPage(choices_of(order, buttons), happenings_of(order), blocks_of(order, request), similar_to(order))
