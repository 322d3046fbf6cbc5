"""The words that texts are searched by."""

import pytest

from upstream.reading.text import searchable, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Followers | Real-HQ (1-2 h), 100%", ["followers", "real", "hq", "1", "2", "h", "100"]),
        ("Réels_INSTAGRAM»ёлка", ["reels", "instagram", "елка"]),
        ("🔥Likes🔥", ["🔥", "likes", "🔥"]),
        ("हिन्दी चैनल", ["हिन्दी", "चैनल"]),
        ("C++ / tik\u200btok", ["c", "tiktok"]),
        ("…", ["..."]),
        ("%", ["%"]),
        ("  ", []),
    ],
)
def test_words_are_parted_by_signs_and_signs_alone_are_a_word(text: str, words: list[str]) -> None:
    assert words_of(text) == words
    assert searchable(text) == " ".join(words)
    assert searchable(searchable(text)) == searchable(text)
