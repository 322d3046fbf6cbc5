"""Addresses of a shop in which two pages break: for tests of what becomes of errors."""

from typing import NoReturn

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

urlpatterns = [
    path("broken/", lambda request: _break(request)),
    path("broken-otherwise/", lambda request: _break_otherwise(request)),
    path("hung-up/", lambda request: _hang_up(request)),
    path("posted/", csrf_exempt(lambda request: HttpResponse(repr(sorted(request.POST)), content_type="text/plain"))),
    path("", include("storefront.urls")),
]


def _break(request: HttpRequest) -> NoReturn:
    raise RuntimeError(f"broken by {request.GET.get('word')}")


def _break_otherwise(request: HttpRequest) -> NoReturn:
    raise LookupError("broken otherwise")


def _hang_up(request: HttpRequest) -> NoReturn:
    raise UnreadablePostError("connection reset")
