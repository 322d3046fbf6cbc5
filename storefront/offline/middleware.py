"""The worker and its page are the same for everybody, so their addresses are told nothing of who asks.

Browsers send cookies with the request for a worker, and answers to somebody signed in are kept by no cache: every page
would be followed by a request for the worker.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from storefront.offline.views import FOR_EVERYBODY


class WithoutCookiesMiddleware:
    """Take the cookies out of requests for the worker and its page; above whatever reads them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(FOR_EVERYBODY):
            request.META.pop("HTTP_COOKIE", None)
            request.COOKIES = {}
        return self.get_response(request)
