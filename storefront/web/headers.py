"""What every answer says to browsers, whoever made it: what a page may do, and who may use it from elsewhere.

Outermost, so that refusals and health checks say it, too. Where a page has said something of its own, that stays.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.http.request import split_domain_port

View = Callable[[HttpRequest], HttpResponse]

# What no page of the shop needs. Copying is not among it, nor are passkeys.
_UNUSED = (
    *("accelerometer", "ambient-light-sensor", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture"),
    *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts"),
    *("magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "usb"),
    *("xr-spatial-tracking",),
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Of answers that are no pages, should a browser ever show one: it runs and loads nothing.
NO_PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
CSP = "Content-Security-Policy"


class HeadersMiddleware:
    """Add what is missing of ALWAYS, and a content policy to whatever has none and is no static file."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        # Django's own pages of errors need their scripts; only developers see those.
        made_for_developers = settings.DEBUG and response.status_code in (400, 404, 500)
        if not made_for_developers and not request.path_info.startswith(settings.STATIC_URL):
            response.headers.setdefault(CSP, NO_PAGE_POLICY)
        return response


# What staff needs at ADMIN_HOST besides the admin: to sign in, and how it looks.
_BESIDE_THE_ADMIN = ("/accounts/", "/language/", "/face/")


class AdminHostMiddleware:
    """With ADMIN_HOST: serve the admin at that host alone, and nothing else there.

    The admin's theme needs `unsafe-eval`; at a host of its own, with cookies of its own, nothing that goes wrong on a
    page of the shop reaches it, nor the other way round.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.ADMIN_HOST:
            return self.get_response(request)
        host, _port = split_domain_port(request.get_host())  # raises DisallowedHost
        path, is_admin = request.path_info, request.path_info.startswith("/admin/")
        if host == settings.ADMIN_HOST:
            if path == "/":
                return HttpResponseRedirect("/admin/")
            served = is_admin or path.startswith((*_BESIDE_THE_ADMIN, settings.STATIC_URL))
        else:
            served = not is_admin and path != "/admin"
        return self.get_response(request) if served else HttpResponseNotFound()
