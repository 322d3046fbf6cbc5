"""The price a page promised for a while: signed, so that the form can bring it back, and weighed against today's.

Pure: no database. A quote is a price, not a purchase: it may be used again, with another request id, until it expires,
just as the page could be opened again. What must not happen twice is the business of the request id.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.conf import settings
from django.core.signing import BadSignature, Signer

SALT = "orders.placing.quotes"
LONG_AGO = datetime.fromtimestamp(0, UTC)


class QuoteNotOurs(Exception):
    """This text is no quote that this shop has signed."""


@dataclass(frozen=True)
class PriceQuote:
    """So many pieces of a service for this price, for one customer, until `expires_at`.

    `rate_micros` buys `rate_per` pieces.
    """

    user_id: int
    service_id: int
    quantity: int
    price_micros: int
    rate_micros: int
    rate_per: int
    expires_at: datetime


@dataclass(frozen=True)
class Today:
    """What the same pieces cost now, in store micros: the customer, by this rate, and the shop itself."""

    price_micros: int
    rate_micros: int
    rate_per: int
    cost_micros: int


@dataclass(frozen=True)
class Agreed:
    """What the customer pays, and what the shop knowingly loses by having promised it."""

    price_micros: int
    rate_micros: int
    accepted_loss_micros: int = 0


def sign_quote(quote: PriceQuote) -> str:
    """Return the quote as text for a form, signed with the newest SECRET_KEY."""
    values = [
        quote.user_id,
        quote.service_id,
        quote.quantity,
        quote.price_micros,
        quote.rate_micros,
        quote.rate_per,
        int(quote.expires_at.timestamp()),
    ]
    return Signer(salt=SALT, fallback_keys=[]).sign_object(values)


def read_quote(text: str) -> PriceQuote:
    """Return the quote that a form brought back; one signed before SECRET_KEY was changed has expired.

    Raises QuoteNotOurs for everything else.
    """
    try:
        return _read(text, settings.SECRET_KEY)
    except BadSignature:
        pass
    for old_key in settings.SECRET_KEY_FALLBACKS:
        try:
            return replace(_read(text, old_key), expires_at=LONG_AGO)
        except BadSignature:
            continue
    raise QuoteNotOurs


def _read(text: str, key: str) -> PriceQuote:
    values: list[int] = Signer(key=key, salt=SALT, fallback_keys=[]).unsign_object(text)
    user_id, service_id, quantity, price_micros, rate_micros, rate_per, expires_at = values
    return PriceQuote(
        user_id=user_id,
        service_id=service_id,
        quantity=quantity,
        price_micros=price_micros,
        rate_micros=rate_micros,
        rate_per=rate_per,
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


def agree(quote: PriceQuote, today: Today, *, now: datetime, max_loss_micros: int) -> Agreed | None:
    """Return what the customer pays; None: the price has risen and the promise does not cover it, so ask them.

    A price that fell is passed on, also by an expired quote. One that rose is honoured until the quote expires, unless
    the shop would lose more by it than `max_loss_micros`, which is what its promises may still cost it, or the rate
    buys another number of pieces by now.
    """
    if today.price_micros <= quote.price_micros:
        return Agreed(today.price_micros, today.rate_micros)
    if now >= quote.expires_at or today.rate_per != quote.rate_per:
        return None
    loss_micros = max(0, today.cost_micros - quote.price_micros)
    if loss_micros > max_loss_micros:
        return None
    return Agreed(quote.price_micros, quote.rate_micros, loss_micros)
