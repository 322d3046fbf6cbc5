"""Phone numbers as people type them into forms: with the country code, and without it."""

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from upstream.reading.text import digits, line


@dataclass(frozen=True)
class Phone:
    """A number in both forms; `*_plain` is what is copied: digits alone, with the plus sign where it is dialled.

    `national` is empty where it is not known which part of the number is the country's code.
    """

    international: str
    international_plain: str
    national: str = ""
    national_plain: str = ""


def phone_of(text: str, dial_code: str = "") -> Phone:
    """Return the forms of a number as upstream sent it, which may lack the country code; odd text stays as it is.

    `dial_code` is the country's, with or without its plus sign, and may be empty.
    """
    number = _parsed(text.strip(), digits(dial_code))
    if number is None:
        return Phone(text, text)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return Phone(
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        national,
        digits(national),
    )


def digits_of(text: str, dial_code: str = "") -> frozenset[str]:
    """Return the digits a number is compared by: as it is written, as it is dialled from abroad, and at home.

    `+1 (202) 555-0123`, `12025550123` and a national `2025550123` of a country with that dial code share some.
    """
    found = {digits(text)}
    number = _parsed(line(text), digits(dial_code)) if dial_code else _try(f"+{digits(text)}")
    if number is not None and phonenumbers.is_possible_number(number):
        national = phonenumbers.national_significant_number(number)
        found |= {national, f"{number.country_code}{national}"}
    return frozenset(found - {""})


def _parsed(text: str, dial_digits: str) -> phonenumbers.PhoneNumber | None:
    called = digits(text)
    if any(character.isalpha() for character in text):
        return None
    if text.startswith("+"):
        tries = [f"+{called}"]
    elif text.startswith("00"):
        tries = [f"+{called[2:]}"]
    elif called.startswith(dial_digits) and dial_digits:
        # Both readings are possible; a number that could be dialled decides.
        tries = [f"+{called}", f"+{dial_digits}{called}"]
    else:
        tries = [f"+{dial_digits}{called}"] if dial_digits else []
    numbers = [number for attempt in tries if (number := _try(attempt)) is not None]
    valid = [number for number in numbers if phonenumbers.is_valid_number(number)]
    possible = [number for number in numbers if phonenumbers.is_possible_number(number)]
    return next(iter([*valid, *possible]), None)


def _try(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, None)
    except NumberParseException:
        return None
