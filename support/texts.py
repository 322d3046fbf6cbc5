"""Texts that staff writes once for each language, kept as {language: text}."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import get_language


def in_readers_language(texts: Mapping[str, str], language: str | None = None) -> str:
    """Return the text in this language (the reader's by default), else in the shop's own, else in any; "" for none."""
    wanted = language or get_language() or settings.LANGUAGE_CODE
    for code in (wanted, wanted.partition("-")[0], settings.LANGUAGE_CODE):
        if texts.get(code):
            return texts[code]
    return next((text for text in texts.values() if text), "")
