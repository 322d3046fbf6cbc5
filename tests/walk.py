"""Opening every page there is by following its links, as a patient visitor would."""

import html
import re
from collections import Counter, deque
from collections.abc import Callable
from urllib.parse import urldefrag, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

_LINK = re.compile(r'(?:href|hx-get)="(/[^"]*)"')
_NOT_PAGES = ("/static/", "/media/", "/accounts/logout", "/language/", "/admin/logout", "/admin/jsi18n")


def walk(
    client: Client, *starts: str, of_a_kind: int = 4, look: Callable[[str, str], None] = lambda address, page: None
) -> dict[str, int]:
    """Open these pages and those they lead to, a few of each kind; return address → HTTP status.

    `look` is called with the address and the HTML of each page.

    An exception in a view goes on to the caller, as with any test client.
    """
    opened: dict[str, int] = {}
    kinds: Counter[str] = Counter()
    waiting = deque(starts)
    while waiting:
        address = waiting.popleft()
        if address in opened or address.startswith(_NOT_PAGES):
            continue
        kind = _kind(address)
        if kinds[kind] >= of_a_kind:
            continue
        kinds[kind] += 1
        answer = client.get(address)
        opened[address] = answer.status_code
        body = b"".join(answer) if answer.streaming else answer.content
        if answer.status_code in (301, 302):
            waiting.append(answer["Location"])
        elif "html" in answer.get("Content-Type", ""):
            look(address, body.decode())
            found = (html.unescape(link) for link in _LINK.findall(body.decode()))
            waiting.extend(urldefrag(link).url for link in found if not link.startswith("//"))
    return opened


def _kind(address: str) -> str:
    """Pages of one view are alike, but for what is asked of them."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return parts.path
    asked = re.sub(r"=[^&]*", "", parts.query)
    return f"{found.view_name or found.route}?{asked}"
