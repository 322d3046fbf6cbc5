"""Where a link begins and ends, and what in it nobody sees."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.reading.links import hidden_in, link

LINK = "https://instagram.com/ann"
SCOTLAND = quote("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f")


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
        (f"{LINK}/a%20 %20", f"{LINK}/a"),
        (f"{LINK}?q=%20", f"{LINK}?q=%20"),
        (f"{LINK}?q=a%E2%80%8B", f"{LINK}?q=a"),
        (f"{LINK}/%E2%9D%A4%EF%B8%8F", f"{LINK}/%E2%9D%A4%EF%B8%8F"),
        (f"{LINK}/\u2764%EF%B8%8F/", f"{LINK}/\u2764%EF%B8%8F/"),
        (f"{LINK}/{SCOTLAND}", f"{LINK}/{SCOTLAND}"),
        (f"{LINK}/1%EF%B8%8F%E2%83%A3", f"{LINK}/1%EF%B8%8F%E2%83%A3"),
        (f"{LINK}/a%EF%B8%8F", f"{LINK}/a"),
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
    [
        "?text=a%0D%0Ab",
        "%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88",
        "%E2%9D%A4%EF%B8%8F/x",
        "%C3%A9/",
        "%FF%FE/",
        "%2520/",
        "\u2665%EF%B8%8F\U0001f525",
    ],
)
def test_what_carries_a_meaning_inside_is_not_hidden(inside: str) -> None:
    assert hidden_in(f"{LINK}{inside}") == ""


@pytest.mark.parametrize("long", ["%E2%80%8B" * 200_000, "%41" * 300_000 + "x"])
def test_a_long_text_takes_no_longer_than_reading_it(long: str) -> None:
    began = time.monotonic()
    link(long)
    hidden_in(long)
    assert time.monotonic() - began < 10


@given(
    st.lists(st.sampled_from(["a", " ", "/", "?", "%20", "%E2%80%8B", "%EF%B8%8F", "\u2764", "\u200b", "%00", "%F0"]))
)
def test_a_link_that_was_read_is_read_as_itself(parts: list[str]) -> None:
    kept = link("".join(parts))

    assert link(kept) == kept
