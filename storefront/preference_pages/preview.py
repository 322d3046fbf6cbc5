"""The home page as visitors would see it with values that nobody has saved yet."""

import copy
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from preferences.stored import trying
from storefront.views import home


def preview(request: HttpRequest, rows: Mapping[str, Any], *, language: str, said: list[str]) -> HttpResponse:
    """Return the home page with these rows in place of those that are stored, and these words above it."""
    visitor = copy.copy(request)
    visitor.method, visitor.path, visitor.path_info = "GET", "/", "/"
    visitor.user = AnonymousUser()
    visitor._messages = [Message(constants.WARNING, text) for text in said]  # type: ignore[attr-defined]  # of Django
    spoken = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with trying(rows), translation.override(spoken):
        # Not the view that is cached for everybody.
        response: HttpResponse = home.__wrapped__(visitor)  # type: ignore[attr-defined]  # functools.wraps
    response["Cache-Control"] = "no-store"
    return response
