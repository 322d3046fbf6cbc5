"""What is known of a country from its title and its code: which one it is, its name in every language, its dial code.

What upstream calls a country in words counts. A code is read as well as can be, as one of ISO 3166 in letters or digits
or as a dial code, and only where it agrees with the words, or where there are none.
"""

import re
from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError, get_global
from django.conf import settings
from django.utils.translation import get_language, to_locale
from phonenumbers import country_code_for_region, region_codes_for_country_code

from sms.formats.country_names import FURTHER_NAMES, NICKNAMES
from sms.formats.search_texts import fitting_text
from upstream.reading.text import comparable, names_nothing

# Of no importance to which country is meant.
_SMALL_WORDS = {"the", "of", "and"}
_ENGLISH = "en"
# CLDR has names for these, too.
_NO_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


@lru_cache(maxsize=4096)
def region_of(code: str, name: str = "") -> str:
    """Return the two-letter code of ISO 3166, in capitals, of the country that upstream calls so; "" if unknown.

    `name` counts; `code` decides where there is no name, and between countries that a name fits.
    Source: the tables of libphonenumber and of CLDR.
    """
    coded = _regions_of_code(code)
    if not _says_more(name, code):
        return next(iter(coded), "")
    called = _by_name().get(_words(name)) or (_regions_of_code(name) if len(name.strip()) <= 3 else ())
    if called:
        return next((region for region in coded if region in called), called[0])
    return next((region for region in coded if _agrees(region, name)), "")


def same_country(code: str, name: str = "") -> str:
    """Return what two rows of upstream share that mean one country, however each spells it."""
    return region_of(code, name) or " ".join(_words(name if _says_more(name, code) else code))


def dial_code_of(code: str, name: str = "") -> str:
    """Return the dial code with its plus sign, or "" where none is known."""
    region = region_of(code, name)
    number = country_code_for_region(region) if region else 0
    digits = code.strip().removeprefix("+")
    if digits.isascii() and digits.isdigit():
        told = code.strip().startswith("+") or not region
        # Digits without a plus sign may be a country's number in ISO 3166.
        if int(digits) == number or (told and (not number or digits.startswith(str(number)))):
            return f"+{digits}"[:8]
    return f"+{number}" if number else ""


def display_name(code: str, name: str) -> str:
    """Return the country's name in the reader's language; what upstream calls it in English stays as it is."""
    region = region_of(code, name)
    language = get_language() or settings.LANGUAGE_CODE
    own = _own_name(region, name)
    if own and _language_code(language) == _ENGLISH:
        return own
    return _names(language).get(region, name)


def written_name(code: str, name: str) -> str:
    """Return a country's title as it is kept: as upstream writes it, with capitals where it has none at all.

    Without a title it is the country's English name, or its code.
    """
    region = region_of(code, name)
    if not _says_more(name, code):
        return _names(_ENGLISH).get(region, code if names_nothing(name) else name)
    return (_own_name(region, name) or name) if name.islower() else name


def search_text(code: str, name: str, dial_code: str, *translated: str) -> str:
    """Return everything a country is found by: codes, and the names in all languages of the shop.

    `translated` are upstream's own names in other languages.
    """
    region = region_of(code, name)
    names = [_names(language).get(region, "") for language, _title in settings.LANGUAGES]
    further = (NICKNAMES.get(region, ""), *FURTHER_NAMES.get(region, ()))
    found = [region, dial_code, name, *names, *further, *translated]
    return fitting_text(code, found)


def _own_name(region: str, name: str) -> str:
    """Return a name of the country in English that is the given one but for capitals; "" for a nickname."""
    english = (_names(_ENGLISH).get(region, ""), *FURTHER_NAMES.get(region, ()))
    spelt = next((known for known in english if known and comparable(known) == comparable(name)), "")
    if spelt and not name.islower():
        return name
    return spelt


def _regions_of_code(code: str) -> tuple[str, ...]:
    """Return the countries that a code may mean, the likeliest first."""
    plain = code.strip().upper()
    digits = plain.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 6):
        return tuple(region for region in (plain, *_aliases(plain)) if _is_country(region))
    dialled = [region for region in region_codes_for_country_code(int(digits)) if region.isalpha()]
    if not dialled and digits.startswith("1"):  # +1876 is Jamaica's part of +1
        dialled = [region for region in region_codes_for_country_code(1) if plain.startswith("+")]
    numbered = () if plain.startswith("+") else _aliases(digits.zfill(3))
    return tuple(dict.fromkeys((*dialled, *filter(_is_country, numbered))))


def _aliases(code: str) -> tuple[str, ...]:
    """Return the two-letter codes of what CLDR knows as another code of them: USA, 840, UK."""
    return tuple(get_global("territory_aliases").get(code, ()))


def _is_country(region: str) -> bool:
    return len(region) == 2 and region.isalpha() and region in _names(_ENGLISH) and region not in _NO_COUNTRIES


def _words(text: str) -> tuple[str, ...]:
    words = re.findall(r"\w+", re.sub(r"['’`.]", "", comparable(text)).replace("&", " "))
    return tuple(word for word in words if word not in _SMALL_WORDS)


def _says_more(name: str, code: str) -> bool:
    """Whether a country's title says what its code does not."""
    return bool(_words(name)) and _words(name) != _words(code) and not names_nothing(name)


def _agrees(region: str, name: str) -> bool:
    """Whether one of the country's names and the given one are the same words, some of them left out in one."""
    given = set(_words(name))
    names = [_names(language).get(region, "") for language in _languages()]
    known = [set(_words(text)) for text in (*names, *FURTHER_NAMES.get(region, ())) if text]
    return any(given <= words or words <= given for words in known)


@lru_cache(maxsize=1)
def _by_name() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the countries by what they are called in any language of the shop, as `_words` has it."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    named = [item for language in _languages() for item in _names(language).items()]
    further = [(region, name) for region, names in FURTHER_NAMES.items() for name in names]
    nicknames = [(region, name) for region, names in NICKNAMES.items() for name in names.split()]
    for region, name in (*named, *further, *nicknames):
        if _is_country(region) and (words := _words(name)):
            found[words] = tuple(dict.fromkeys((*found.get(words, ()), region)))
    return found


def _languages() -> list[str]:
    return list(dict.fromkeys((_ENGLISH, *(language for language, _title in settings.LANGUAGES))))


def _language_code(language: str) -> str:
    return language.partition("-")[0]


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
