"""Which of several languages a reader gets."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import get_language


def chosen(by_language: Mapping[str, str]) -> tuple[str, str]:
    """Return (language, text): the reader's, else the shop's own, else whichever there is; ("", "") for none."""
    for code in (get_language() or "", settings.LANGUAGE_CODE, *by_language):
        if by_language.get(code):
            return code, by_language[code]
    return "", ""
