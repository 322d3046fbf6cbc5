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
        "NotReceived",
        "not yet received",
        "no sms has been received",
        "NOSMS",
        "not yet",
    ],
)
def test_words_that_deny_a_code_say_so_whatever_stands_beside_them(word: str) -> None:
    assert still_waits(word)


@pytest.mark.parametrize(
    "word",
    [
        "received",
        "code_received",
        "completed",
        "not_refunded",
        "expired",
        "no_error",
        "Code received, not confirmed",
        "SMS received, no further codes",
        "Completed (no errors)",
    ],
)
def test_words_that_do_not_deny_a_code(word: str) -> None:
    assert not still_waits(word)
