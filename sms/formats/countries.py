"""What is known of a country from its code: which one it is, its name in every language, its dial code."""

from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from django.conf import settings
from django.utils.translation import get_language, to_locale
from phonenumbers import country_code_for_region, region_codes_for_country_code

# Codes that are in use and are not ISO 3166's, and what people type instead of a name.
OTHER_CODES = {"UK": "GB"}
NICKNAMES = {
    "AE": "uae оаэ",
    "CZ": "czech republic",
    "GB": "uk england britain англия",
    "MM": "burma",
    "NL": "holland голландия",
    "TR": "turkey",
    "US": "usa america сша америка",
}
LONGEST_SEARCH_TEXT = 400


@lru_cache(maxsize=4096)
def region_of(code: str, name: str = "") -> str:
    """Return the two-letter code of ISO 3166, in capitals, of a country that upstream calls `code`; "" if unknown.

    A code may also be a dial code, "+44" or "44": of the countries that share it the one called `name` in English,
    else the one that comes first in its numbering plan. Source: the tables of libphonenumber and of CLDR.
    """
    plain = code.strip().upper()
    plain = OTHER_CODES.get(plain, plain)
    digits = plain.removeprefix("+")
    if digits.isascii() and digits.isdigit() and len(digits) <= 6:
        regions = [region for region in region_codes_for_country_code(int(digits)) if region.isalpha()]
        called = [region for region in regions if _names("en").get(region, "").lower() == name.strip().lower()]
        return next(iter(called or regions), "")
    return plain if len(plain) == 2 and plain in _names("en") else ""


def dial_code_of(code: str, name: str = "") -> str:
    """Return the dial code with its plus sign, or "" where none is known."""
    digits = code.strip().removeprefix("+")
    if digits.isascii() and digits.isdigit():
        return f"+{digits}"[:8]
    number = country_code_for_region(region_of(code, name))
    return f"+{number}" if number else ""


def display_name(code: str, name: str) -> str:
    """Return the country's name in the reader's language; `name` is upstream's, for a country that CLDR has not."""
    return _names(get_language() or settings.LANGUAGE_CODE).get(region_of(code, name), name)


def search_text(code: str, name: str, dial_code: str, *translated: str) -> str:
    """Return everything a country is found by, in lower case: codes, and the names in all languages of the shop.

    `translated` are upstream's own names in other languages.
    """
    region = region_of(code, name)
    names = [_names(language).get(region, "") for language, _title in settings.LANGUAGES]
    found = [code, region, dial_code, dial_code.removeprefix("+"), name, *translated, *names, NICKNAMES.get(region, "")]
    words = dict.fromkeys(text.lower() for text in found if text)
    return " ".join(words)[:LONGEST_SEARCH_TEXT]


def with_capitals(name: str, language: str) -> str:
    """Return a name, with capitals where it has none: as CLDR spells it in that language, else one in each word."""
    if not name.islower():
        return name
    spelt = (known for known in _names(language).values() if known.casefold() == name.casefold())
    return next(spelt, " ".join(word[:1].upper() + word[1:] for word in name.split(" ")))


@lru_cache(maxsize=64)
def _names(language: str) -> dict[str, str]:
    """Return the names of all territories by their codes; none in a language that CLDR has not."""
    try:
        return {code: str(name) for code, name in Locale.parse(to_locale(language)).territories.items()}
    except (UnknownLocaleError, ValueError):
        return {}
