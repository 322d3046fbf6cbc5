"""While the owner has closed the whole shop: what everybody finds, and what stays open.

Staff goes everywhere, so that they see what customers will. Programs are answered by the API itself, and every
operation that begins something refuses on its own (`preferences/doors.py`): this is for who reads pages.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from accounts.access import is_looked_at
from accounts.models import User
from preferences.doors import BACK_AFTER, WHOLE_SHOP

View = Callable[[HttpRequest], HttpResponse]
OPEN = frozenset(
    {
        # Staff signs in where everybody does, with whatever they sign in by.
        *("account_login", "account_logout", "account_inactive", "account_reauthenticate", "account_confirm_email"),
        *("account_confirm_login_code", "account_email_verification_sent"),
        *("mfa_authenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_login_webauthn"),
        *("account_reset_password", "account_reset_password_done"),
        *("account_reset_password_from_key", "account_reset_password_from_key_done"),
        # Links in mails that are good for a time only.
        *("undo_email_change", "privacy:keep", "notices:unsubscribe"),
        # What payment providers report; the demo's own stands in for one.
        *("wallet:callback", "wallet:demo"),
        *("support:status", "support:status_feed", "set_language"),
        # Files that every page has, and what machines ask for.
        *("face_styles", "face_picture", "manifest", "service_worker", "offline", "favicon", "robots", "security_txt"),
    }
)


class ClosedShopMiddleware:
    """Answer with 503 and the owner's words in place of every page that is not open; free while the shop is open."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        if not WHOLE_SHOP.is_closed or _is_open(request) or _is_staff(request):
            return None
        response = _answer(request)
        response["Retry-After"] = f"{BACK_AFTER.value.total_seconds():.0f}"
        add_never_cache_headers(response)
        # Django would report each of them as an error, by e-mail too.
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
        return response


def _is_open(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and (match.view_name in OPEN or "admin" in match.namespaces)


def _is_staff(request: HttpRequest) -> bool:
    user = request.user
    return (isinstance(user, User) and user.is_active and user.is_staff) or is_looked_at(request)


def _answer(request: HttpRequest) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": WHOLE_SHOP.message}, status=503)
    return render(request, "storefront/closed.html", {"text": WHOLE_SHOP.message}, status=503)
