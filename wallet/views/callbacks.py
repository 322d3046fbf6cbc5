"""Where gateways call. Anybody can reach it: nothing here trusts a word before its signature has been found good."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import address_of
from wallet.gateways import find_gateway
from wallet.operations import handle_callback
from wallet.operations.callbacks import MAX_BYTES, REFUSED, REFUSED_PERIOD, TOO_OFTEN


@csrf_exempt
@require_POST
def callback(request: HttpRequest, name: str) -> HttpResponse:
    """Take a gateway's callback; the answer has no content."""
    gateway = find_gateway(name)
    if gateway is None:
        return HttpResponse(status=404)
    try:
        body = _body(request)
    except UnreadablePostError:  # the sender went away in the middle of it
        return HttpResponse(status=REFUSED)
    if body is None:
        return HttpResponse(status=413)
    status = handle_callback(gateway, headers=request.headers, body=body, address=address_of(request))
    if status == TOO_OFTEN:
        return HttpResponse(status=status, headers={"Retry-After": str(int(REFUSED_PERIOD.total_seconds()))})
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
