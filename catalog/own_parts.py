"""Pages of customers whose larger part is the same for many: kept once, with marks in the place of what is their own.

Such a page is made without the request and without the customer, by templates that get marks instead. What is kept can
therefore hold nothing personal, and what is put in the place of the marks is made anew for each request.
"""

import re
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.contrib.messages import get_messages
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac
from django.utils.html import escape

from accounts.models import User
from accounts.pages import PageRequest
from accounts.templatetags.money import money
from catalog.favourites import favourites_among
from catalog.moulds import mould

HEADER, MESSAGES, HEARTS, TOKEN = "header", "messages", "hearts", "token"
BALANCE, EMAIL, REQUEST_ID = "balance", "email", "request_id"
FAST = 1  # zlib's level: a page of fifty kilobytes takes half a millisecond to pack, and a tenth to unpack


@dataclass(frozen=True)
class SharedPage:
    """A page with marks, and the services whose hearts are on it."""

    packed: bytes
    service_ids: tuple[int, ...]

    @classmethod
    def of(cls, text: str, service_ids: Sequence[int]) -> "SharedPage":
        return cls(zlib.compress(text.encode(), FAST), tuple(service_ids))

    @property
    def text(self) -> str:
        return zlib.decompress(self.packed).decode()


def mark(name: str) -> str:
    """Return what stands in a page for one thing of the reader's own.

    Nobody can guess it, so no name of a service and no search can put it on a page; and escaping leaves it alone.
    """
    return _mark(name, settings.SECRET_KEY)


def prices_of(user: User | None) -> tuple[bool, object]:
    """Return what tells readers apart whose pages differ by more than marks: the hearts, and a group's discount."""
    return user is not None, user.group.discount_percent if user is not None and user.group is not None else None


def put_own(request: PageRequest, text: str, user: User | None, *, service_ids: Sequence[int], menu: str) -> str:
    """Return a page with what is the reader's own in the place of the marks; `menu` is the address its menu is at.

    Two queries for a customer: the wallet, and which of the services on the page are favourites.
    """
    told = get_messages(request)
    wallet = getattr(user, "wallet", None)
    own = {EMAIL: escape(user.email) if user else "", BALANCE: money(wallet.balance_micros if wallet else 0)}
    header = mould(
        "components/header.html",
        "email",
        "balance",
        signed_in=user is not None,
        is_staff=user is not None and user.is_staff,
        store_name=settings.STORE_NAME,
        path=menu,
    )
    own[HEADER] = header.fill({"email": user.email if user else "", "balance": own[BALANCE]})
    if told:
        own[MESSAGES] = render_to_string("components/messages.html", {"messages": told})
    else:
        own[MESSAGES] = mould("components/messages.html").fill({})
    own[REQUEST_ID], own[TOKEN], own[HEARTS] = str(uuid.uuid4()), "", ""
    if user is not None:
        own[TOKEN] = get_token(request)
        form = {"here": request.get_full_path(), "csrf_token": own[TOKEN]}
        own[HEARTS] = mould("catalog/_hearts.html", "here", "csrf_token").fill(form)
    names = _names(settings.SECRET_KEY)
    return re.sub("|".join(names), lambda found: own[names[found[0]]], press_hearts(text, user, service_ids))


def press_hearts(text: str, user: User | None, service_ids: Sequence[int]) -> str:
    """Return a page with the hearts of this customer's favourites pressed; it is made with all of them unpressed."""
    if user is None or not service_ids:
        return text
    for pk in favourites_among(user, service_ids):
        unpressed = f'value="1" aria-pressed="false" data-heart="{pk}"'
        text = text.replace(unpressed, f'value="0" aria-pressed="true" data-heart="{pk}"')
    return text


@lru_cache(maxsize=50)
def _mark(name: str, secret: str) -> str:
    return f"own{salted_hmac('catalog.own_parts', name, secret=secret).hexdigest()[:32]}"


@lru_cache(maxsize=5)
def _names(secret: str) -> dict[str, str]:
    return {_mark(name, secret): name for name in (HEADER, MESSAGES, HEARTS, TOKEN, BALANCE, EMAIL, REQUEST_ID)}
