"""Where a link begins and ends, and what in it nobody sees."""

import time

import pytest

from upstream.reading.links import hidden_in, link

LINK = "https://instagram.com/ann"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (f"{LINK}%E2%80%8B", LINK),
        (f"{LINK}%e2%80%8b%EF%BB%BF", LINK),
        (f"{LINK}%E2%80%8B/", f"{LINK}/"),
        (f"{LINK}/%E2%80%8B", f"{LINK}/"),
        (f"{LINK}%20%0A", LINK),
        (f"{LINK}%E2%80%8B\u200b ", LINK),
        (f" \ufeff{LINK}\ufe0f", LINK),
        (f"{LINK}%C2%AD%F3%A0%84%80", LINK),
        (f"{LINK}?q=%2B", f"{LINK}?q=%2B"),
        (f"{LINK}%8B", f"{LINK}%8B"),  # no text at all: the server may know what it is
        (f"{LINK}%C3%A9", f"{LINK}%C3%A9"),
        (f"{LINK}%00", f"{LINK}%00"),
        ("%E2%80%8B", ""),
        ("", ""),
    ],
)
def test_a_link_ends_where_somebody_sees_its_end(typed: str, kept: str) -> None:
    assert link(typed) == kept


@pytest.mark.parametrize("typed", ["https://a.example/e\u0301", "https://a.example/\u00e9", "HTTPS://A.example/\u212b"])
def test_a_link_is_kept_byte_for_byte(typed: str) -> None:
    assert link(typed) == typed


def test_what_is_hidden_inside_is_named() -> None:
    assert hidden_in(f"{LINK}%e2%80%8b?x=1") == "%E2%80%8B"
    assert hidden_in("https://insta%C2%ADgram.com/ann") == "%C2%AD"


@pytest.mark.parametrize(
    "inside",
    ["?text=a%0D%0Ab", "%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88", "%E2%9D%A4%EF%B8%8F/x", "%C3%A9/", "%FF%FE/", "%2520/"],
)
def test_what_carries_a_meaning_inside_is_not_hidden(inside: str) -> None:
    assert hidden_in(f"{LINK}{inside}") == ""


@pytest.mark.parametrize("long", ["%E2%80%8B" * 200_000, "%41" * 300_000 + "x"])
def test_a_long_text_takes_no_longer_than_reading_it(long: str) -> None:
    began = time.monotonic()
    link(long)
    hidden_in(long)
    assert time.monotonic() - began < 10
