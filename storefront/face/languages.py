"""The reader's language is one of those that the owner offers."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from preferences.face import LANGUAGES


class OfferedLanguageMiddleware(LocaleMiddleware):
    """As Django's; a language that is translated and not offered is the shop's own instead."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if request.LANGUAGE_CODE not in LANGUAGES.value:
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
