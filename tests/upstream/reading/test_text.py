"""What of a text can be seen, where its lines end, what two texts that look alike share."""

import re
from pathlib import Path

import pytest

from upstream.reading.text import (
    _FILLERS,
    comparable,
    digits,
    line,
    lines,
    means_nothing,
    named,
    names_nothing,
    paragraphs,
    said,
)


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u3164", "\x00", "\x1b"]
)
def test_what_nobody_sees_is_taken_out(unseen: str) -> None:
    assert line(f"{unseen}https://t.me/an{unseen}n{unseen}") == "https://t.me/ann"


def test_a_joiner_stays_where_it_carries_a_meaning() -> None:
    assert line("👩\u200d💻") == "👩\u200d💻"
    assert line("می\u200cخواهم") == "می\u200cخواهم"
    assert line("Ba\u200dnk") == "Bank"


def test_spaces_of_any_kind_are_one_space() -> None:
    assert line("  Instagram \u00a0\u2009 Likes\t") == "Instagram Likes"
    assert line("e\u0301") == "\u00e9"


def test_lines_end_as_in_a_browser() -> None:
    assert lines("one\u2028still one\r\ntwo\rthree\x0bstill three\n\u200b\n \n\u0085\nfour") == [
        *("one still one", "two", "three still three", "four"),
    ]
    assert paragraphs("a\r\n\r\nb\u200b ") == "a\n\nb"


def test_entities_are_decoded_once() -> None:
    assert named("author&#039;s &amp;lt; Likes&nbsp;") == "author's &lt; Likes"
    assert said("&lt;#&gt; 123456 is\nyour code") == "<#> 123456 is\nyour code"


@pytest.mark.parametrize(
    "seen", ["𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺", "Ｉｎｓｔａｇｒａｍ", "Insta\u00adgram", "İnstagram", "ınstagram", "INSTA&#71;RAM"]
)
def test_what_looks_alike_compares_alike(seen: str) -> None:
    assert comparable(seen) == "instagram"


def test_marks_matter_where_they_make_a_letter() -> None:
    assert comparable("Takipçi") == "takipci"
    assert comparable("Re\u0301els") == comparable("R\u00e9els") == "reels"
    assert comparable("Чай") == "чай"
    assert comparable("Ёлка") == comparable("е\u0308лка") == "елка"


def test_digits_of_a_telephone_number() -> None:
    assert digits(" +1 (202) 555-01٢٣") == "120255501" + "23"


def test_what_looks_like_an_old_entity_in_an_address_is_left_alone() -> None:
    link = "Tap https://a.example/v?id=1&timestamp=2&copy=3&region=eu&lt=4"
    assert said(link) == link
    assert named("Fish &amp; Chips &copy; &eacute;") == "Fish & Chips © é"


@pytest.mark.parametrize("unseen", ["\ufe00", "\ufe0e", "\ufe0f", "\U000e0100", "\U000e01ef", "\u180b", "\u180f"])
def test_a_variation_selector_is_not_seen(unseen: str) -> None:
    assert line(f"https://t.me/a{unseen}nn1{unseen}") == "https://t.me/ann1"
    assert comparable(f"B{unseen}ank{unseen}") == "bank"
    assert lines(f"{unseen}\n \u200d{unseen}\u200d{unseen}\n") == []


@pytest.mark.parametrize("emoji", ["❤️", "☎︎", "1️⃣", "#️⃣", "❤️\u200d🔥", "🏳️\u200d🌈", "▶️", "©️", "‼️", "ℹ️", "👩🏽\u200d💻"])
def test_an_emoji_keeps_what_says_how_it_is_drawn(emoji: str) -> None:
    assert line(f"Likes {emoji} 5") == f"Likes {emoji} 5"
    assert comparable(emoji) == comparable(emoji.replace("\ufe0f", "").replace("\ufe0e", ""))


@pytest.mark.parametrize("mark", ["\u20e3", "\u20dd", "\u20e4", "\u0489", "\u0336", "\u0900", "\u0302"])
def test_a_mark_that_only_decorates_hides_no_letter(mark: str) -> None:
    assert comparable("".join(f"{letter}{mark}" for letter in "bank")) == "bank"
    assert comparable("".join(f"{letter}{mark}" for letter in "банк")) == "банк"


@pytest.mark.parametrize("word", ["хай", "हिन्दी", "ไทย", "ά", "パ", "עִבְרִית"])
def test_marks_that_belong_to_their_letter_stay(word: str) -> None:
    assert comparable(word) == word


@pytest.mark.parametrize(
    "name", ["null", "NULL", "(None)", "n/a", "N.A.", "<nil>", "undefined", "NaN", "-", "—", "?", "…", "nu\u200bll"]
)
def test_a_name_that_only_says_there_is_none(name: str) -> None:
    assert named(name) == ""
    assert names_nothing(name)
    assert means_nothing(name)


@pytest.mark.parametrize(
    "name", ["NA", "Unknown", "Empty", "Null Sector", "None of the above", "0", "$", "🔥", "C++", "Nanna"]
)
def test_what_somebody_may_call_a_thing_is_a_name(name: str) -> None:
    assert named(name) == name


def test_browser_and_server_count_the_same_characters_as_unseen() -> None:
    script = Path("static/js/comment_lines.js").read_text()
    [written] = re.findall(r'^const FILLERS = "(.+)";$', script, re.MULTILINE)
    in_python = re.sub(r"\\u\{?([0-9A-F]+)\}?", lambda found: f"\\U{found[1]:0>8}", written)

    browser = re.compile(f"[{in_python}]")

    differ = [
        hex(code) for code in range(0x110000) if bool(browser.match(chr(code))) != bool(_FILLERS.match(chr(code)))
    ]
    assert differ == []
