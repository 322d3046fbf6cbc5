"""What the words of a number's status say."""

import pytest

from sms.formats.status_words import still_waits


@pytest.mark.parametrize(
    "word",
    [
        "awaiting",
        "Awaiting code",
        "WaitingForCode",
        "not_received",
        "not received yet",
        "no_code",
        "queued",
        "no sms received",
    ],
)
def test_words_that_deny_a_code_say_so_whatever_stands_beside_them(word: str) -> None:
    assert still_waits(word)


@pytest.mark.parametrize("word", ["received", "code_received", "completed", "not_refunded", "expired"])
def test_words_that_do_not_deny_a_code(word: str) -> None:
    assert not still_waits(word)
