"""Pages that must not be cached, though their views ask for it."""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path

from catalog.caching.page_cache import cached_page


@cached_page()
def token(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_token(request))


@cached_page()
def nonce(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.csp_nonce))


@cached_page()
def cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("with a cookie")
    response.set_cookie("who", "you")
    return response


@cached_page()
def missing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("gone", status=404)


@cached_page()
def session(request: HttpRequest) -> HttpResponse:
    request.session["seen"] = True
    return HttpResponse("noted")


urlpatterns = [
    path("token/", token),
    path("nonce/", nonce),
    path("cookie/", cookie),
    path("missing/", missing),
    path("session/", session),
    path("", include("storefront.urls")),
]
