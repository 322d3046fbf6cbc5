"""What a visitor reads when something broke: a page in words, whatever it was."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error

AGAIN_SECONDS = 10


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500; 503 where the database is away, too busy, or held by others for too long: that passes.

    Django logs the error, and the transaction it came from is rolled back by then.
    """
    if not isinstance(sys.exception(), (OperationalError, InterfaceError)):
        return server_error(request)
    response = HttpResponse(loader.get_template("503.html").render(), status=503)
    response["Retry-After"] = str(AGAIN_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
