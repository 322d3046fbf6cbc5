"""Phone numbers as people type them into forms: with the country code, and without it."""

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat


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
    number = _parsed(text.strip(), "".join(filter(str.isdigit, dial_code)))
    if number is None:
        return Phone(text, text)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return Phone(
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        national,
        "".join(filter(str.isdigit, national)),
    )


def _parsed(text: str, dial_digits: str) -> phonenumbers.PhoneNumber | None:
    digits = "".join(character for character in text if character.isdigit())
    if not digits.isascii() or any(character.isalpha() for character in text):
        return None
    if text.startswith("+"):
        tries = [f"+{digits}"]
    elif text.startswith("00"):
        tries = [f"+{digits[2:]}"]
    elif digits.startswith(dial_digits) and dial_digits:
        # Both readings are possible; a number that could be dialled decides.
        tries = [f"+{digits}", f"+{dial_digits}{digits}"]
    else:
        tries = [f"+{dial_digits}{digits}"] if dial_digits else []
    numbers = [number for attempt in tries if (number := _try(attempt)) is not None]
    valid = [number for number in numbers if phonenumbers.is_valid_number(number)]
    possible = [number for number in numbers if phonenumbers.is_possible_number(number)]
    return next(iter([*valid, *possible]), None)


def _try(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, None)
    except NumberParseException:
        return None
