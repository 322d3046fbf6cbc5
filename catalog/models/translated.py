"""Names in the reader's language: what upstream calls something besides its English name."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from upstream.reading.languages import code_among


def name_language() -> str:
    """Return the language, as upstream calls it, in which the reader is shown names; "" for English."""
    codes: tuple[str, ...] = settings.CATALOG_LANGUAGES
    return code_among(get_language() or "", codes) if codes else ""


def shown_name(translated: Mapping[str, str], english: str, *, own: str = "") -> str:
    """Return the name to show: the shop's `own` one, else the one in the reader's language, else the English one."""
    return own or (translated.get(name_language()) if translated else "") or english


def searched_names(translated: Mapping[str, str]) -> list[str]:
    """Return the names that something is found by beside the English one: in the languages of CATALOG_LANGUAGES."""
    if not translated:
        return []
    return [translated[code] for code in settings.CATALOG_LANGUAGES if code in translated]


class TranslatedName(models.Model):
    """Something whose name upstream has in several languages. What it has not, or has in English only, is left out."""

    name: Any
    # By upstream's codes of languages: {"ru": "Подписчики"}.
    translated_names = models.JSONField(_("translated names"), default=dict, db_default={}, blank=True, editable=False)

    class Meta:
        abstract = True

    def name_in(self, code: str) -> str:
        """Return upstream's name in a language by its code, or the English one; the shop's own name is not asked."""
        english: str = self.name
        return self.translated_names.get(code) or english if code else english
