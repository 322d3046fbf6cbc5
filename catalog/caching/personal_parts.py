"""Pages of customers that are the same for many but for a few personal parts: cached once, with marks in their place.

Such a page is made without the request and without the customer, by templates that get marks instead. What is cached
can therefore hold nothing personal, and what is put in the place of the marks is made anew for each request.
"""

import re
import uuid
import zlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.contrib.messages import get_messages
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac
from django.utils.html import escape

from accounts.access import PageRequest, reader_mark
from accounts.fast_queries.reads import Prepared
from accounts.models import User
from accounts.templatetags.money import money
from catalog.caching.above import above
from catalog.caching.prerendered import prerendered
from catalog.operations.favorites import favorites_among
from preferences.face import STORE_NAME

HEADER, MESSAGES, FAVORITES_FORM, TOKEN = "header", "messages", "favorites_form", "token"
BALANCE, EMAIL, REQUEST_ID = "balance", "email", "request_id"
# As components/favorite_button.html writes a button that is not pressed, and one that is.
_PLACE = re.compile(rb'personal[0-9a-f]{32}|value="1" aria-pressed="false" data-favorite="(?P<service>\d+)"')
PRESSED = b'value="0" aria-pressed="true" data-favorite="%d"'
FAST = 1  # zlib's level: a page of fifty kilobytes takes half a millisecond to pack, and a tenth to unpack


@dataclass(frozen=True)
class SharedPage:
    """A page with marks, and where they are: (begins, ends, name of a mark, or the service of a favorite button)."""

    body: bytes
    places: tuple[tuple[int, int, str | int], ...]

    @classmethod
    def of(cls, text: str) -> "SharedPage":
        """Find the marks and the favorite buttons in a page."""
        names = _names(settings.SECRET_KEY)
        body = text.encode()
        places = []
        for found in _PLACE.finditer(body):
            name = names.get(found[0].decode())
            if found["service"] is not None or name is not None:
                places.append((found.start(), found.end(), name or int(found["service"])))
        return cls(body, tuple(places))

    @property
    def service_ids(self) -> list[int]:
        """The services whose favorite buttons are on the page."""
        return [name for _begins, _ends, name in self.places if isinstance(name, int)]

    def fill(self, personal: Mapping[str, str], pressed: Container[int]) -> bytes:
        """Return the page with these texts in the place of the marks, and these favorite buttons pressed."""
        pieces, done = [], 0
        for begins, ends, name in self.places:
            pieces.append(self.body[done:begins])
            if isinstance(name, str):
                pieces.append(personal[name].encode())
            else:
                pieces.append(PRESSED % name if name in pressed else self.body[begins:ends])
            done = ends
        return b"".join([*pieces, self.body[done:]])

    def __getstate__(self) -> tuple[bytes, tuple[tuple[int, int, str | int], ...]]:
        return zlib.compress(self.body, FAST), self.places  # in the cache it takes an eighth of the room

    def __setstate__(self, state: tuple[bytes, tuple[tuple[int, int, str | int], ...]]) -> None:
        object.__setattr__(self, "body", zlib.decompress(state[0]))
        object.__setattr__(self, "places", state[1])


def mark(name: str) -> str:
    """Return what stands in a page for one personal part.

    Nobody can guess it, so no name of a service and no search can put it on a page; and escaping leaves it alone.
    """
    return _mark(name, settings.SECRET_KEY)


def prices_of(user: User | None) -> tuple[bool, object]:
    """Return what tells readers apart whose pages differ by more than marks: signed in or not, a group's discount."""
    return user is not None, user.group.discount_percent if user is not None and user.group is not None else None


def fill_personal_parts(request: PageRequest, page: SharedPage, user: User | None, *, menu: str) -> bytes:
    """Return a page with the reader's personal parts in the place of the marks; `menu` is the address its menu is at.

    Two queries for a customer: the wallet, and which of the services on the page are favorites.
    """
    messages = get_messages(request)
    personal = {EMAIL: escape(user.email) if user else "", BALANCE: money(_balance_of(user))}
    header = prerendered(
        "components/header.html",
        "email",
        "balance",
        "reader",
        signed_in=user is not None,
        is_staff=user is not None and user.is_staff,
        store_name=STORE_NAME.value,
        path=menu,
    )
    own = {"email": user.email, "reader": reader_mark(user.pk)} if user else {"email": "", "reader": ""}
    personal[HEADER] = header.fill({**own, "balance": personal[BALANCE]}) + above(request).html
    if messages:
        personal[MESSAGES] = render_to_string("components/messages.html", {"messages": messages})
    else:
        personal[MESSAGES] = prerendered("components/messages.html").fill({})
    personal[REQUEST_ID], personal[TOKEN], personal[FAVORITES_FORM] = str(uuid.uuid4()), "", ""
    if user is not None:
        personal[TOKEN] = get_token(request)
        form = {"here": request.get_full_path(), "csrf_token": personal[TOKEN]}
        personal[FAVORITES_FORM] = prerendered("catalog/_favorites_form.html", "here", "csrf_token").fill(form)
    return page.fill(personal, favorites_among(user, page.service_ids) if user else ())


# Through the relation: the wallet is an app beside this one.
_balance = Prepared(lambda: User.objects.filter(pk=0).order_by().values_list("wallet__balance_micros"), example=(0,))


def _balance_of(user: User | None) -> int:
    if user is None:
        return 0
    return next((balance_micros or 0 for (balance_micros,) in _balance.rows(user.pk)), 0)


@lru_cache(maxsize=50)
def _mark(name: str, secret: str) -> str:
    return f"personal{salted_hmac('catalog.caching.personal_parts', name, secret=secret).hexdigest()[:32]}"


@lru_cache(maxsize=5)
def _names(secret: str) -> dict[str, str]:
    return {_mark(name, secret): name for name in (HEADER, MESSAGES, FAVORITES_FORM, TOKEN, BALANCE, EMAIL, REQUEST_ID)}
