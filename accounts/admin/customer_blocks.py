"""The blocks on a customer's page. Each app shows what it has of them: it registers here, and accounts knows none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest

from accounts.admin.blocks import Block
from accounts.admin.widgets import may_see
from accounts.models import User

NEWEST = 5  # rows of a kind that a block lists
Reads = Callable[[User, HttpRequest], Block | None]
R = TypeVar("R", bound=Reads)


@dataclass(frozen=True)
class _Source:
    place: int
    model: str
    read: Reads


_sources: list[_Source] = []


def shows_of_customers(model: str, *, place: int) -> Callable[[R], R]:
    """Let the page of a customer ask for a block, for whoever may see rows of `model` ("app.model", in lower case).

    Blocks stand in the order of their places. Each asks a fixed number of things, however much the customer has;
    a block that is None is left out.
    """

    def declare(read: R) -> R:
        _sources.append(_Source(place, model, read))
        _sources.sort(key=lambda source: source.place)
        return read

    return declare


def blocks_of(user: User, request: HttpRequest) -> list[Block]:
    """Return what this member of staff may see of a customer."""
    read = (source.read(user, request) for source in _sources if may_see(request.user, source.model))
    return [block.without_empty() for block in read if block is not None]
