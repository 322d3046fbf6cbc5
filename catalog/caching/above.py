"""What an app above this one puts at the head of a page for one reader: bars with news.

The catalog knows no such app: it asks whoever has registered. A page that visitors share is kept once for each `key`;
into a page that customers share the `html` goes with the header.
"""

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest


class Above(NamedTuple):
    """What is put there, and what tells it apart from anything else; both are "" for nothing."""

    key: str
    html: str


Writer = Callable[[HttpRequest], Above]
_writers: list[Writer] = []


def put_above(writer: Writer) -> None:
    """Let this function say what stands at the head of pages."""
    if writer not in _writers:
        _writers.append(writer)


def above(request: HttpRequest) -> Above:
    """Return what stands at the head of the page for who asks; made once a request."""
    found: Above | None = getattr(request, "_above", None)
    if found is None:
        made = [writer(request) for writer in _writers]
        found = Above("".join(one.key for one in made), "".join(one.html for one in made))
        request._above = found  # type: ignore[attr-defined]  # ours
    return found
