"""Numbers as readers write them."""

from functools import lru_cache

from django.utils.formats import number_format
from django.utils.translation import get_language


def write_number(number: int) -> str:
    """Return a whole number with its digits grouped as the reader's language does."""
    return _grouped(number, get_language() or "en")


@lru_cache(maxsize=20_000)  # the same round numbers again and again, and each takes thirty microseconds
def _grouped(number: int, _language: str) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
