"""The kinds of news a customer may get: what each is about, whether it can be turned off, how it comes at first.

What somebody chose is in `NoticeChoice`; a kind that nobody said anything about comes as it says here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

MAIL, BELL = "mail", "bell"  # the names of channels that kinds know of; see notifications/channels/
# Keys that begin so are news a customer asked for one by one: a digest tells those in full first.
ASKED_FOR = "asked:"


@dataclass(frozen=True)
class Kind:
    """A kind of news, and by which channels it comes while its reader has chosen nothing.

    One that cannot be turned off comes by these channels and by no other.
    """

    name: str
    title: Promise
    help: Promise
    by_default: frozenset[str] = frozenset({MAIL, BELL})
    can_be_turned_off: bool = True


ORDERS = "orders"
PAYMENTS = "payments"
GOODS = "goods"
ANSWERS = "answers"
STOCK = "stock"
PRICES = "prices"
API = "api"
TERMS = "terms"
SECURITY = "security"

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            ORDERS,
            pgettext_lazy("notices", "Orders"),
            _("When an order is completed, partially completed, canceled or refunded."),
        ),
        Kind(
            PAYMENTS,
            pgettext_lazy("notices", "Payments and balance"),
            _("When a payment of yours did not lead to the order it was for."),
        ),
        Kind(
            GOODS,
            pgettext_lazy("notices", "Goods"),
            _("When we answer a report about goods that don't work."),
        ),
        Kind(
            ANSWERS,
            pgettext_lazy("notices", "Answers from support"),
            _("When we answer something you asked, or a request for a refill or a cancellation."),
        ),
        Kind(
            STOCK,
            pgettext_lazy("notices", "Back in stock"),
            _("When a service you asked us to watch can be ordered again."),
        ),
        Kind(
            PRICES,
            pgettext_lazy("notices", "Prices"),
            _("When prices change for your favorites or for anything you bought in the past month."),
            by_default=frozenset(),
        ),
        Kind(
            API,
            pgettext_lazy("notices", "API and webhooks"),
            _("When one of your webhooks has been switched off."),
        ),
        Kind(
            TERMS,
            pgettext_lazy("notices", "Terms"),
            _("When our terms change and you have an API key. These always come."),
            can_be_turned_off=False,
        ),
        Kind(
            SECURITY,
            pgettext_lazy("notices", "Account security"),
            _("Links to confirm, new passwords, sign-ins and changes to your account. These always come."),
            by_default=frozenset({MAIL}),
            can_be_turned_off=False,
        ),
    )
}


def kind_named(name: str) -> Kind:
    """Return the kind of this name; of an unknown one, which an older or newer version wrote, that of orders."""
    return KINDS.get(name, KINDS[ORDERS])


def to_turn_off(names: Iterable[str]) -> list[Kind]:
    """Return those of these kinds that can be turned off, each once, in the order they are declared."""
    wanted = set(names)
    return [kind for kind in KINDS.values() if kind.name in wanted and kind.can_be_turned_off]
