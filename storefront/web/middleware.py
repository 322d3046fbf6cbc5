"""Middleware of the whole shop: request ids in the logs, a short way for programs, the admin's own content policy."""

import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django_prometheus.middleware import PrometheusAfterMiddleware

from storefront.configuration.csp import ADMIN_POLICY

View = Callable[[HttpRequest], HttpResponse]


class RequestLogMiddleware:
    """Give every request an id that all its log lines and its response carry."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex[:16]
        with structlog.contextvars.bound_contextvars(request_id=request_id, path=request.path):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class ApiMiddleware:
    """Answer the API's calls at once: the middleware below it is for browsers and costs as much as a short answer.

    A call has neither session nor language nor form token. Its host is checked and its metrics are counted as a page's.
    """

    paths = frozenset({"/api/v2", "/api/v2/"})

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self._matches: dict[str, ResolverMatch] = {}
        self._counted = PrometheusAfterMiddleware(lambda request: request.resolver_match.func(request))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in self.paths:
            return self.get_response(request)
        request.get_host()  # raises DisallowedHost, as for a page
        match = self._matches.get(request.path_info)
        if match is None:
            match = self._matches[request.path_info] = resolve(request.path_info)
        request.resolver_match = match
        self._counted.process_view(request, match.func)
        response: HttpResponse = self._counted(request)
        return response


class AdminPolicyMiddleware:
    """Let the admin's pages run inline script and eval, which its theme (django-unfold) needs; no other page may."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_update = ADMIN_POLICY  # type: ignore[attr-defined]  # django-csp's own per-response hook
        return response
