"""Where gateways call. Anybody can reach it: nothing here trusts a word before its signature has been found good."""

from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import address_of
from wallet.gateways import find_gateway
from wallet.operations import handle_callback
from wallet.operations.callbacks import MAX_BYTES, REFUSED

# Invalid callbacks fill the event log: one address gets so many a minute; valid ones do not count.
MAX_REFUSED = 30
REFUSED_SECONDS = 60


@csrf_exempt
@require_POST
def callback(request: HttpRequest, name: str) -> HttpResponse:
    """Take a gateway's callback; the answer has no content."""
    gateway = find_gateway(name)
    if gateway is None:
        return HttpResponse(status=404)
    address = address_of(request)
    refused = f"callbacks-refused:{address}"
    if (cache.get(refused) or 0) >= MAX_REFUSED:
        return HttpResponse(status=429, headers={"Retry-After": str(REFUSED_SECONDS)})
    body = _body(request)
    if body is None:
        _count(refused)
        return HttpResponse(status=413)
    status = handle_callback(gateway, headers=request.headers, body=body, address=address)
    if status == REFUSED:
        _count(refused)
    return HttpResponse(status=status)


def _body(request: HttpRequest) -> bytes | None:
    """Return the body, or None when it is too long; a stated length is trusted before anything is read."""
    try:
        if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
            return None
        body = request.body
    except (RequestDataTooBig, ValueError):
        return None
    return body if len(body) <= MAX_BYTES else None


def _count(key: str) -> None:
    if not cache.add(key, 1, REFUSED_SECONDS):
        try:
            cache.incr(key)
        except ValueError:  # it ran out just now
            cache.add(key, 1, REFUSED_SECONDS)
