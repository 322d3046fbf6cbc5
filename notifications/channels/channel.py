"""What a channel is: a way by which news reach a customer. docs/notices.md tells how another one is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.functional import Promise

from accounts.models import User
from notifications.models import Notice


class Line(Protocol):
    """An open connection by which notices leave, as it were a telephone line."""

    def send(self, user: User | None, notices: Sequence[Notice]) -> None:
        """Send all of these to one reader (None: the admins) in one message. Raises whatever goes wrong."""

    def close(self) -> None:
        """Close it; a message after that opens it again."""


@dataclass(frozen=True)
class Channel:
    """A channel; `name` is what rows and choices call it.

    `open_line` connects, and raises whatever goes wrong where nobody answers; None where nothing leaves, because its
    news are read here. `works_for` says whether it can reach somebody, whatever they chose.
    """

    name: str
    title: Promise
    help: Promise
    works_for: Callable[[User], bool]
    open_line: Callable[[], Line] | None = None
