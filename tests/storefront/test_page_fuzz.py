"""Whatever an address or a form of a page says, the answer is no failure of the server's.

The pages, what may stand in their addresses and the fields of their forms are found by following links, as staff and as
a customer. What is written there are the kinds of values that break databases, dates and numbers.
"""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from tests.storefront.admin_rows import make_rows
from tests.walk import walk

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it refuses what SQLite takes"),
]
IN_THE_SUITE, FOR_LONG = 120, 20_000
ODD = [
    *(
        "",
        " ",
        "0",
        "1",
        "-1",
        "on",
        "null",
        "None",
        "undefined",
        "%",
        "\\",
        "'",
        '"',
        "<b>",
        "[]",
        "{}",
        "a/b",
        "../..",
        "~",
    ),
    *(
        "9" * 9,
        "9" * 19,
        "9" * 400,
        "-" + "9" * 30,
        "1e9",
        "1e999",
        "NaN",
        "Infinity",
        "0.1",
        "10,50",
        "1 000",
        "٣",
        "x" * 10_000,
    ),
    *("\x00", "a\x00b", "\u200b", "\u202e", "\ud800", "\U0001f600", "İ", "ß" * 300, "\r\nSet-Cookie: a=b"),
    *(
        "999999999-01-01",
        "0000-00-00",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "2026-02-30",
        "-0001-01-01",
        "2026-11-29",
    ),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31 23:59:59", "24:60", "2026-11-29T99:99"),
    *("1,2,3", "1~2", "pk__in", "-pk", "1.-2.99", "http://[::1", "https://example.com/\x00", "x@" + "y" * 300 + ".com"),
]
# What pages read that no link of theirs may show.
ANYWHERE = [
    "q",
    "page",
    "p",
    "o",
    "after",
    "before",
    "all",
    "e",
    "next",
    "sort",
    "since",
    "until",
    "month",
    "year",
    "seen",
]


@dataclass
class Form:
    """A form that is posted: where to, and what its fields hold."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Reader(HTMLParser):
    """Finds the forms of a page, and the names that its links and searches put into addresses."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.posted: list[Form] = []
        self.asked: set[str] = set()
        self._address, self._form, self._search = address, Form(""), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.asked |= {
                name for name, _value in parse_qsl(urlsplit(given.get("href", "")).query, keep_blank_values=True)
            }
        elif tag == "form":
            self._search = given.get("method", "get").lower() != "post"
            self._form = Form(given.get("action") or self._address)
            if not self._search:
                self.posted.append(self._form)
        elif tag in ("input", "textarea", "select", "button") and (name := given.get("name")):
            self._form.fields.setdefault(name, given.get("value", ""))
            if self._search:
                self.asked.add(name)


@dataclass
class Found:
    """Pages of one visitor, each with the names its address may have, and the forms on them."""

    client: Client
    pages: dict[str, list[str]]
    forms: list[Form]


@pytest.fixture
def shop(ann: User, sam: User) -> None:
    for number in (1, 2):
        make_rows(number)


def find(user: User | None, *starts: str) -> Found:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    pages: dict[str, list[str]] = {}
    forms: dict[str, Form] = {}

    def look(address: str, page: str) -> None:
        reader = Reader(address)
        reader.feed(page)
        pages[urlsplit(address).path] = sorted({*reader.asked, *ANYWHERE})
        forms.update({re.sub(r"\d+", "0", form.action): form for form in reader.posted if "logout" not in form.action})

    walk(client, *starts, of_a_kind=1, look=look)
    return Found(client, pages, list(forms.values()))


@contextmanager
def undone() -> Iterator[None]:
    """What a page writes in here is gone afterwards, so that every try meets the same shop."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def encoded(values: dict[str, str]) -> bytes:
    return urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in values.items()}).encode()


@pytest.fixture(params=[IN_THE_SUITE, pytest.param(FOR_LONG, marks=pytest.mark.long)])
def tries(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_any_page_with_any_address_and_any_form_with_any_values_is_answered(
    shop: None, ann: User, sam: User, tries: int
) -> None:
    chance = random.Random(tries)
    visitors = [find(None, "/"), find(ann, "/", "/orders/", "/wallet/", "/sms/", "/account/"), find(sam, "/admin/")]
    assert sum(len(visitor.pages) for visitor in visitors) > 100
    assert sum(len(visitor.forms) for visitor in visitors) > 40
    failed: list[str] = []

    for _try in range(tries):
        visitor = chance.choice(visitors)
        with undone():
            if chance.random() < 0.6 or not visitor.forms:
                path, names = chance.choice(list(visitor.pages.items()))
                asked = {
                    name: chance.choice(ODD) for name in chance.sample(names, k=min(len(names), chance.randint(1, 4)))
                }
                query = encoded(asked).decode()
                answer, what = visitor.client.get(f"{path}?{query}"), f"GET {path}?{query}"
            else:
                form = chance.choice(visitor.forms)
                typed = {
                    name: chance.choice(ODD) if chance.random() < 0.4 else value for name, value in form.fields.items()
                }
                content = "application/x-www-form-urlencoded"
                answer = visitor.client.post(form.action, encoded(typed), content_type=content)
                what = f"POST {form.action} {typed}"
            if answer.streaming:
                b"".join(answer)
        if answer.status_code >= 500:
            failed.append(f"{answer.status_code} {what}"[:400])

    assert failed == []
