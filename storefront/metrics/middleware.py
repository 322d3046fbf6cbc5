"""The address that Prometheus reads; who may.

A middleware and not a view, for the reason of storefront/monitoring/health.py.
"""

import hmac
import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from storefront.metrics import page

View = Callable[[HttpRequest], HttpResponse]


class MetricsMiddleware:
    """Serve /metrics to who shows METRICS_TOKEN or, without one, asks from this machine; 404 for all others."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path != "/metrics":
            return self.get_response(request)
        if not _may_read_metrics(request):
            return HttpResponseNotFound()
        return HttpResponse(page.written(), content_type=page.CONTENT_TYPE)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        shown = request.headers.get("Authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    # Behind a proxy on this machine every visitor has a loopback address, but the proxy says that it is one.
    proxied = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via"))
    try:
        return not proxied and ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a Unix socket has no address
        return False
