"""What other parts of the shop add to the wallet's pages; they register here, and the wallet knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import User
from wallet.models import MoneyRequest, TopUp


@dataclass(frozen=True)
class Purpose:
    """What a payment was made for, as its page says it: words, a link, and whether news are still to come.

    `level` is that of an alert: info, success, warning.
    """

    text: str
    level: str = "info"
    url: str = ""
    label: str = ""
    moving: bool = False


@dataclass(frozen=True)
class Reserved:
    """Money that has left the balance and could still come back: how many purchases, and how much in all."""

    count: int
    amount_micros: int
    url: str


@dataclass(frozen=True)
class Booked:
    """Ledger rows of one customer: their reference, or how it begins before a colon."""

    user_id: int
    reference: str


_purposes: list[Callable[[TopUp], Purpose | None]] = []
_reserves: list[Callable[[User], Reserved]] = []
_pages: dict[str, Callable[[MoneyRequest], str]] = {}
_bookings: list[Callable[[str], Booked | None]] = []


def tells_purpose(ask: Callable[[TopUp], Purpose | None]) -> None:
    """Let the page of a payment ask what it is for; `ask` may act on what has become of the payment."""
    _purposes.append(ask)


def tells_reserved(ask: Callable[[User], Reserved]) -> None:
    """Let the wallet's page ask what of a customer's money is reserved."""
    _reserves.append(ask)


def tells_page(kind: str, ask: Callable[[MoneyRequest], str]) -> None:
    """Let staff's page of a move by hand ask for the address of what a kind of them is about."""
    _pages[kind] = ask


def tells_booked(ask: Callable[[str], Booked | None]) -> None:
    """Let the ledger's search ask what is booked for what was typed, such as the number of an order."""
    _bookings.append(ask)


def booked_for(typed: str) -> list[Booked]:
    """Return whose rows are booked for what was typed."""
    return [booked for ask in _bookings if (booked := ask(typed)) is not None]


def page_about(asked: MoneyRequest) -> str:
    """Return the address of the staff's page of what a move by hand is about, "" where it has none."""
    ask = _pages.get(asked.kind)
    return ask(asked) if ask else ""


def purpose_of(top_up: TopUp) -> Purpose | None:
    """Return what this payment is for, if it is for anything but the wallet."""
    answers = (ask(top_up) for ask in _purposes)
    return next((answer for answer in answers if answer), None)


def reserved_of(user: User) -> list[Reserved]:
    """Return what is reserved, without what is nothing."""
    return [reserved for ask in _reserves if (reserved := ask(user)).count]
