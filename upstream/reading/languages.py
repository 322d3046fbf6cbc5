"""The languages in which upstream has names, and which of them somebody means.

Source: the supplier's newer API document, parameter `lang` of the reading actions.
"""

from collections.abc import Sequence
from functools import lru_cache

CODES = ("zh", "es", "fr", "de", "ja", "ko", "pt", "pt-BR", "ru", "ar", "hi", "vi", "ur", "bn-BD")


@lru_cache(maxsize=500)
def code_among(language: str, codes: Sequence[str] = CODES) -> str:
    """Return the one of these codes that a language like "ru", "pt-br" or "zh-hans" means; "" when it is none.

    The very one comes first, then the one of the language without a country, then one with some country.
    """
    asked = language.strip().replace("_", "-").lower()
    alone = asked.partition("-")[0]
    for fits in (asked, alone):
        for code in codes:
            if code.lower() == fits:
                return code
    return next((code for code in codes if alone and code.lower().partition("-")[0] == alone), "")
