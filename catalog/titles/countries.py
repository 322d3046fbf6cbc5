"""Countries and regions as titles name them, in English and Russian: a code of ISO 3166 in lower case, or a region."""

from functools import cache

from babel import Locale
from django.utils.translation import get_language, gettext, gettext_noop, to_locale

from upstream.reading.text import comparable

# Regions by the code that the shop gives them.
REGIONS = {
    "ww": gettext_noop("Worldwide"),
    "eu": gettext_noop("Europe"),
    "arab": gettext_noop("Arab countries"),
    "asia": gettext_noop("Asia"),
    "africa": gettext_noop("Africa"),
    "latam": gettext_noop("Latin America"),
    "cis": gettext_noop("CIS"),
}
_FURTHER = {
    "worldwide": "ww", "world wide": "ww", "global": "ww", "international": "ww", "all countries": "ww",
    "весь мир": "ww", "мир": "ww", "все страны": "ww",
    "europe": "eu", "european": "eu", "eu": "eu", "европа": "eu",
    "arab": "arab", "arabic": "arab", "arab countries": "arab", "арабские страны": "arab", "арабы": "arab",
    "asia": "asia", "asian": "asia", "азия": "asia", "africa": "africa", "african": "africa", "африка": "africa",
    "latam": "latam", "latin america": "latam", "латинская америка": "latam", "cis": "cis", "снг": "cis",
    "usa": "us", "u.s.a": "us", "u.s.": "us", "america": "us", "american": "us", "сша": "us", "америка": "us",
    "соединенные штаты америки": "us",
    "uk": "gb", "u.k": "gb", "england": "gb", "british": "gb", "great britain": "gb", "англия": "gb",
    "великобритания": "gb", "uae": "ae", "emirates": "ae", "оаэ": "ae", "korea": "kr", "south korea": "kr",
    "корея": "kr", "южная корея": "kr", "russian": "ru", "рф": "ru", "brazilian": "br", "turkish": "tr",
    "turkey": "tr", "indian": "in", "german": "de", "french": "fr", "italian": "it", "spanish": "es",
    "indonesian": "id", "ukrainian": "ua", "czech republic": "cz", "czech": "cz", "vietnam": "vn", "вьетнам": "vn",
    "hong kong": "hk", "гонконг": "hk", "macau": "mo", "moldova": "md", "юар": "za", "голландия": "nl",
    "holland": "nl", "беларусь": "by", "белоруссия": "by", "молдова": "md", "киргизия": "kg",
}  # fmt: skip
# Codes that stand in titles by themselves; others, like IT and ID, are words and names as well.
_CODES = {
    "US", "UK", "GB", "DE", "FR", "RU", "UA", "KZ", "PL", "NL", "BR", "TR", "AE", "EU", "CA", "AU", "JP", "KR", "CN",
    "MX", "VN", "BD", "PK", "SA", "NG", "EG", "CZ", "RO",
}  # fmt: skip
# Names that are more often something else; only "Country: Jordan" means the country.
_AMBIGUOUS = {"jordan", "chad", "mali", "guernsey", "jersey", "niger", "oman", "cuba", "world"}


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in ("en", "ru"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"):
                found.setdefault(comparable(name), code.lower())
    return found | _FURTHER


def code_of(text: str, *, coded: bool = False) -> str:
    """Return the code of the country or region that a text names, or "".

    `coded`: it is said to be one, so that every code of two letters and every name counts.
    """
    looked = comparable(text).strip(" .")
    if not coded and looked in _AMBIGUOUS:
        return ""
    if len(looked) == 2 and looked.isalpha():
        if not coded and text.strip() not in _CODES:
            return ""
        code = _FURTHER.get(looked, looked)
        return code if code in REGIONS or code.upper() in Locale("en").territories else ""
    return looked if coded and looked in REGIONS else _names().get(looked, "")


@cache
def _known_codes() -> frozenset[str]:
    codes = {str(code).lower() for code in Locale("en").territories}
    return frozenset(REGIONS) | {code for code in codes if len(code) == 2 and code.isalpha()}


def is_country(code: str) -> bool:
    """Return whether this is a code that `Service.country` may have."""
    return code in _known_codes()


def country_name(code: str) -> str:
    """Return what a country or a region is called in the reader's language."""
    if code in REGIONS:
        return gettext(REGIONS[code])
    return _territory(code.upper(), get_language() or "en")


@cache
def _territory(code: str, language: str) -> str:
    if code == "US":
        code_name = {"en": "USA", "ru": "США"}.get(language[:2])
        if code_name:
            return code_name
    names = Locale.parse(to_locale(language)).territories
    return str(names.get(code) or Locale("en").territories.get(code) or code)
