"""Which error texts surely mean that upstream bought nothing, and what each means for the order and the shop."""

import re

from django.db.models import Q

from orders.models import KnownRefusal
from upstream.errors import plain_text

Meaning = KnownRefusal.Meaning

# The document's own texts, then the trade's usual ones for quantity, link, stock and project.
BUILT_IN: dict[str, str] = {
    "Invalid API key": Meaning.KEY,
    "Invalid action": Meaning.FLAG,
    "Service ID is required": Meaning.FLAG,
    "Insufficient balance": Meaning.BALANCE,
    "Order not found": Meaning.ORDER,
    "Service not found": Meaning.SERVICE,
    "Quantity is less than minimum": Meaning.FLAG,
    "Quantity is more than maximum": Meaning.FLAG,
    "Link is required": Meaning.ORDER,
    "Invalid link": Meaning.ORDER,
    "Not enough stock": Meaning.FLAG,
    "Project not found": Meaning.FLAG,
    "No numbers available": Meaning.ORDER,
    # Another shop like this one, whose key we buy with.
    "Daily spending limit of this key is reached": Meaning.BALANCE,
    "This key may not be used from this address": Meaning.KEY,
    "This key may not order services": Meaning.KEY,
    "This key may not buy SMS numbers": Meaning.KEY,
    "Drip-feed is not available, runs must be 1": Meaning.FLAG,
    "Too many requests, rate limit exceeded": Meaning.LATER,
    "Too many requests at once, rate limit exceeded": Meaning.LATER,
}
_BY_PLAIN_TEXT = {plain_text(text): meaning for text, meaning in BUILT_IN.items()}
QUANTITY = re.compile(r"quantity must be between \d{1,18} and \d{1,18}")


def meaning_of(text: str, http_status: int | None) -> str | None:
    """Return what a refusal means, or None when the text is on no list and may hide a placed order.

    The whole text has to match, as `plain_text` reads it: "Insufficient balance, order 5 placed" is not
    "Insufficient balance", but "insufficient balance." is.
    """
    if http_status is not None and http_status >= 500:
        return None
    plain = plain_text(text)
    known = Q(plain_text=plain) | Q(plain_text=None, text=text)  # the latter by an older version, during an upgrade
    listed = KnownRefusal.objects.filter(known).values_list("meaning", flat=True).first()
    return listed or _BY_PLAIN_TEXT.get(plain) or (Meaning.FLAG if QUANTITY.fullmatch(plain) else None)
