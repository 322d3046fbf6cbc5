"""What every gateway looks like to the shop: start a payment, read a callback, be asked again."""

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from babel.numbers import get_currency_precision
from django.conf import settings
from django.utils.functional import Promise

from upstream.money import MICROS, decimal_from_micros, micros_from_decimal
from upstream.reading.amounts import MAX_MONEY
from upstream.reading.identifiers import reference as kept
from upstream.reading.text import line
from wallet.models import LONGEST_ID, GatewayEvent, TopUp
from wallet.preferences import TERMS

T = TypeVar("T")
logger = logging.getLogger(__name__)
LONGEST_ADDRESS = 2000  # what the column of a payment holds
MAX_MICROS = int(MAX_MONEY * MICROS)
TRIED_SECONDS = 8  # somebody waits for the page


class InvalidCallback(Exception):
    """A callback that proves nothing: forged, too old, unreadable or meant for somebody else. The text says which."""


class Unreachable(Exception):
    """The gateway gave no usable answer; what was asked may be asked again later.

    The text may repeat what the gateway said, and is kept and logged: it is one line of what can be seen.
    """

    def __init__(self, text: str) -> None:
        super().__init__(line(text))


class State(StrEnum):
    """What a gateway says about a payment."""

    NOTHING = "nothing"  # not paid yet, or news that moves no money
    PENDING = "pending"
    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    WARNED = "warned"  # somebody expects that the payment will be taken back; no money has moved


@dataclass(frozen=True)
class PaymentUpdate:
    """One thing a gateway said, after its signature was found good.

    `amount_micros` is, by state: PAID what has been received in all, REFUNDED what has been paid back in all, DISPUTED
    what is disputed now; of no meaning otherwise. `gateway_id` or `reference` may be empty where a gateway names only
    the other; `event_id` is empty for an answer to a question of ours. Whether they name a payment of ours is asked of
    the database, and not of how they look: see `Gateway.knows`.

    `after_event` is set when the gateway was asked how it stands: the last event of the payment that had been taken
    then, by primary key, or 0. Such an update replaces what was said before, so a refund that failed comes back.
    Without it the update may be old: a refund only ever adds.

    `shares` is for gateways whose refunds have ids: what each of those that were asked about comes to. They replace
    what was said of the same ones alone, unless `every_share` says that there are no others.

    `payers` is what the gateway calls whoever paid, where it says: an e-mail address, a card, a wallet. They are only
    compared with the deny list, and kept nowhere else.

    Raises Unreachable for what is damaged or does not fit into columns: mended, it could say something else.
    """

    event_id: str
    kind: str
    gateway_id: str
    reference: str
    state: State
    amount_micros: int = 0
    currency: str = ""
    after_event: int | None = None
    shares: Mapping[str, int] = field(default_factory=dict)
    every_share: bool = True
    payers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        texts = (self.event_id, self.kind, self.currency, *self.shares)
        if not all(_is_kept(text, LONGEST_ID) for text in texts):
            raise Unreachable("unreadable answer: a name or an id that is none")
        if not all(0 <= micros <= MAX_MICROS for micros in (self.amount_micros, *self.shares.values())):
            raise Unreachable("unreadable answer: an amount beyond all use")

    @classmethod
    def of_nobody(cls, kind: str) -> "PaymentUpdate":
        """Return what is said of payments that are not ours, or of none: what it is about is forgotten here."""
        return cls("", kind if _is_kept(kind, LONGEST_ID) else "", "", "", State.NOTHING)


@dataclass(frozen=True)
class TakenEvents:
    """What had been told of a payment of ours when its gateway began to be asked about it.

    `last` is the last event of it, by primary key, or 0; `events` are those of them that are JSON, oldest first.
    """

    last: int
    events: list[dict[str, Any]]


@dataclass(frozen=True)
class Started:
    """A payment that exists at the gateway: where to send the customer, its id there, and until when it can be paid."""

    pay_url: str
    gateway_id: str
    expires_at: datetime

    def __post_init__(self) -> None:
        """Raise Unreachable for what is no page or no id, or longer than columns: mended, it would lead elsewhere."""
        if not _is_page(self.pay_url) or not _is_kept(self.gateway_id, LONGEST_ID):
            raise Unreachable("unreadable answer: no page to pay on, or an id that is none")


@dataclass(frozen=True)
class Price:
    """What a top-up costs and brings, in micros: `amount` + `fee` is paid, `amount` + `bonus` is credited."""

    amount_micros: int
    fee_micros: int
    bonus_micros: int

    @property
    def pay_micros(self) -> int:
        return self.amount_micros + self.fee_micros

    @property
    def credit_micros(self) -> int:
        return self.amount_micros + self.bonus_micros


@dataclass(frozen=True)
class Terms:
    """Fee, bonus and limits of one gateway, as the owner set them (`wallet/preferences.py`); limits in micros."""

    fee_percent: Decimal
    fee_fixed: Decimal
    min_micros: int
    max_micros: int
    bonus_percent: Decimal
    bonus_from_micros: int

    @classmethod
    def of(cls, gateway: str) -> "Terms":
        """Return the terms that hold now; a limit of 0 is none. Those of the demo's gateway are settings alone."""
        if (own := TERMS.get(gateway)) is not None:
            return cls(
                fee_percent=own.fee_percent.value,
                fee_fixed=decimal_from_micros(own.fee_fixed.value),
                min_micros=own.least.value,
                max_micros=own.most.value,
                bonus_percent=own.bonus_percent.value,
                bonus_from_micros=own.bonus_from.value,
            )
        terms = settings.PAYMENT_TERMS.get(gateway, {})
        return cls(
            fee_percent=terms.get("fee_percent", Decimal(0)),
            fee_fixed=terms.get("fee_fixed", Decimal(0)),
            min_micros=micros_from_decimal(terms.get("min", Decimal(0))),
            max_micros=micros_from_decimal(terms.get("max", Decimal(0))),
            bonus_percent=terms.get("bonus_percent", Decimal(0)),
            bonus_from_micros=micros_from_decimal(terms.get("bonus_from", Decimal(0))),
        )

    def price(self, amount_micros: int, currency: str) -> Price:
        """Return what `amount_micros` for the wallet costs here; the fee is rounded up to a cent, the bonus down."""
        cent = smallest_unit_micros(currency)
        share = Decimal(amount_micros) * self.fee_percent / 100
        fee_micros = -(-micros_from_decimal(share.scaleb(-6) + self.fee_fixed) // cent) * cent
        bonus_micros = 0
        if self.bonus_percent and amount_micros >= self.bonus_from_micros:
            bonus_micros = int(Decimal(amount_micros) * self.bonus_percent / 100) // cent * cent
        return Price(amount_micros, fee_micros, bonus_micros)


def smallest_unit_micros(currency: str) -> int:
    """Return the micros of a currency's smallest unit: 10_000 for USD (a cent), 1_000_000 for JPY, 1_000 for KWD."""
    decimals: int = get_currency_precision(currency)
    return int(10 ** max(0, 6 - decimals))


class Gateway(ABC):
    """One way to pay. It knows how its vendor speaks, and nothing of wallets: what it hears, `operations` judges."""

    name: ClassVar[str]
    title: ClassVar[str | Promise]
    hint: ClassVar[str | Promise]
    can_be_asked: ClassVar[bool] = True
    can_list: ClassVar[bool] = False  # whether it says what was paid since a moment
    variables: ClassVar[tuple[str, ...]] = ()  # settings that turn it on, all of them together

    @classmethod
    def missing(cls) -> list[str]:
        """Return which of its settings are empty."""
        return [name for name in cls.variables if not getattr(settings, name)]

    @property
    def terms(self) -> Terms:
        return Terms.of(self.name)

    def find(self, payment_id: str, reference: str = "") -> TopUp | None:
        """Return our payment that this gateway calls so, or the one of ours with that reference; None for neither."""
        return TopUp.objects.called_at(self.name, payment_id).first() or TopUp.objects.called(reference).first()

    def knows(self, payment_id: str, reference: str = "") -> bool:
        """Whether a payment is ours. Only the rows tell: others that share the account name theirs as they like."""
        return self.find(payment_id, reference) is not None

    @abstractmethod
    def start(self, top_up: "TopUp", return_url: str) -> Started:
        """Create the payment at the gateway. Called again for the same top-up it creates no second one where it can.

        Raises Unreachable; the payment may exist nevertheless, but nobody knows where it could be paid.
        """

    @abstractmethod
    def read_callback(self, headers: Mapping[str, str], body: bytes) -> list[PaymentUpdate]:
        """Return what a callback says. Header names are matched whatever their case. Of a payment that is not ours
        nothing is read: neither asked about, nor refused for what is odd in it.

        Raises InvalidCallback, or Unreachable where the gateway has to be asked first and does not answer.
        """

    @abstractmethod
    def ask(self, top_up: "TopUp") -> PaymentUpdate:
        """Return how the payment stands now. Raises Unreachable."""

    def paid_since(self, moment: datetime) -> list[PaymentUpdate]:
        """Return what was paid through us of payments that began since a moment, known here or not. Raises Unreachable.

        Only where `can_list`.
        """
        raise NotImplementedError

    @abstractmethod
    def try_out(self) -> str:
        """Prove, by a call that changes nothing, that the vendor takes our credentials; say so in a few words.

        Raises Unreachable, with what the vendor said.
        """


def understood(call: Callable[..., T], *args: Any) -> T:
    """Call a gateway; an answer that its reader stumbles over is as good as none.

    Raises Unreachable then, and whatever the call raises.
    """
    try:
        return call(*args)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        logger.exception("gateway_answer_not_understood")
        raise Unreachable(f"unreadable answer: {type(error).__name__}") from error


def taken_events(top_up: TopUp) -> TakenEvents:
    """Return what has been told of a payment until now; to be read before its gateway is asked."""
    taken, events = list(GatewayEvent.objects.taken_of(top_up).values_list("pk", "body")), []
    for _pk, body in taken:
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):  # an answer to a question of ours
            continue
        if isinstance(event, dict):
            events.append(event)
    return TakenEvents(taken[-1][0] if taken else 0, events)


# --- Reading JSON of strangers: nothing is taken for granted ---------------------------------------------------------
def text_in(source: Any, *path: str) -> str:
    """Return the text found by following `path` through objects, as it stands there; "" where there is none.

    Whether it can be kept is for `PaymentUpdate` and `Started` to say: all that becomes ours passes through them.
    """
    for name in path:
        source = source.get(name) if isinstance(source, dict) else None
    return source if isinstance(source, str) else ""


def object_in(source: Any, *path: str) -> dict[str, Any]:
    """Return the object found by following `path`; an empty one where there is none."""
    for name in path:
        source = source.get(name) if isinstance(source, dict) else None
    return source if isinstance(source, dict) else {}


def rows_in(source: Any) -> list[dict[str, Any]]:
    """Return a list of objects as it is. Raises Unreachable for anything else: guessing at it would be money."""
    if not isinstance(source, list) or not all(isinstance(row, dict) for row in source):
        raise Unreachable("unreadable answer: not a list of objects")
    return source


def _is_kept(text: Any, longest: int) -> bool:
    """Whether this is one line of text that can be stored and sent back as it came; an empty one is."""
    return isinstance(text, str) and kept(text, longest) == text


def _is_page(address: Any) -> bool:
    """Whether a browser may be sent there: a whole web address, or a path of this shop."""
    if not address or not _is_kept(address, LONGEST_ADDRESS) or " " in address:
        return False
    is_path: bool = address.startswith("/") and not address.startswith(("//", "/\\"))
    return is_path or address.startswith(("http://", "https://"))
