"""Phone numbers in both forms, and odd ones as they are."""

import pytest

from sms.formats.phones import Phone, phone_of

BRITISH = Phone("+44 7400 123456", "+447400123456", "07400 123456", "07400123456")


@pytest.mark.parametrize(
    ("text", "dial_code"),
    [
        ("+447400123456", ""),
        ("447400123456", "+44"),
        ("7400123456", "+44"),
        ("07400123456", "44"),
        ("00447400123456", ""),
        ("+44 (7400) 123-456", "+1"),
    ],
)
def test_phone_of_gives_both_forms_with_or_without_the_country_code(text, dial_code):
    assert phone_of(text, dial_code) == BRITISH


def test_phone_of_a_national_number_that_begins_like_its_country_code_is_read_as_national():
    assert phone_of("7712345678", "+7").international == "+7 771 234 5678"


@pytest.mark.parametrize(
    "text", ["", "x", "+", "12", "hidden", "٣٣٣", "+999999999999999999999", "7400123456", "+44 abc"]
)
def test_phone_of_odd_text_without_a_country_leaves_it_as_it_is(text):
    phone = phone_of(text)

    assert (phone.international, phone.international_plain, phone.national) == (text, text, "")


@pytest.mark.parametrize("dial_code", ["x", "+0", "999", "+44444444"])
def test_phone_of_with_an_odd_dial_code_does_not_fail(dial_code):
    assert phone_of("7400123456", dial_code).international_plain.endswith("7400123456")
