"""Staff signs in with two factors, always. Who has no second one sets it up before any page of the admin opens, and who
signed in without it confirms it.

What is asked is whether this session has shown a factor that the account still has: one that was taken away counts for
nothing, whoever signed in with it. Only the demo, which nobody else can reach, is spared (DEMO).
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import PageRequest
from accounts.security.fresh_sign_in import is_fresh, page_that_asks

# Recovery codes stand in for one of these, and are none without it.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What stands below it is staff's, also where it is no page of the admin site's own.
OF_STAFF = "/admin/"
OPEN = frozenset(("admin:logout",))
View = Callable[[HttpRequest], HttpResponse]


def has_second_factor(user: Any) -> bool:
    """Whether the account has an app or a passkey beside its password."""
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def needs_second_factor(user: Any) -> bool:
    """Whether this is somebody of staff, and of a shop that is no demo."""
    return bool(user.is_authenticated and user.is_staff and not settings.DEMO)


def has_shown_factor(request: HttpRequest) -> bool:
    """Whether this session has shown a second factor that the account still has."""
    return bool(_shown(request))


def is_fresh_for_staff(request: HttpRequest) -> bool:
    """Whether whoever sits at the admin has shown a second factor a moment ago, to sign in or to confirm who they are.

    A code counts once: whoever has just signed in with it could not confirm anything with it for half a minute.
    """
    if not needs_second_factor(request.user):
        return is_fresh(request)
    newest = max((record["at"] for record in _shown(request)), default=0.0)
    return bool(time.time() - newest < app_settings.REAUTHENTICATION_TIMEOUT)


def confirm_page(request: HttpRequest, *, back: str) -> HttpResponse:
    """Send somebody of staff to confirm who they are, with a factor if they have one, and then to `back`."""
    return lead_to(request, page_that_asks(request.user, back=back))


def lead_to(request: HttpRequest, address: str) -> HttpResponse:
    """Lead to a whole page, also whoever asked for a part of one."""
    htmx = cast(PageRequest, request).htmx
    return HttpResponseClientRedirect(address) if htmx else HttpResponseRedirect(address)


def needs_factor_if_there_is_one(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let whoever has a second factor come to this page, of staff or not, only after a fresh sign-in with it."""

    @wraps(view)
    def handler(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if user.is_authenticated and not is_fresh(request) and has_second_factor(user):
            return confirm_page(request, back=request.get_full_path())
        return view(request, *args, **kwargs)

    return handler


class StaffFactorsMiddleware:
    """Open no page of staff to a session that has shown a password alone, whoever made the page.

    Nothing of such a request is carried out or kept. Customers' pages stay open: they are not what staff is for.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not _is_of_staff(request) or not needs_second_factor(request.user) or has_shown_factor(request):
            return None
        if not has_second_factor(request.user):
            text = _(
                "Staff signs in with two factors. Set one up here and keep the recovery codes: then the admin opens."
            )
            messages.warning(request, text)
            return lead_to(request, reverse("mfa_index"))
        return confirm_page(request, back=request.get_full_path())


def _is_of_staff(request: HttpRequest) -> bool:
    match = request.resolver_match
    of_the_admin = match is not None and "admin" in match.app_names
    if match is not None and match.view_name in OPEN:
        return False
    return of_the_admin or request.path_info.startswith(OF_STAFF)


def _shown(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what this session's notes say of factors that the account still has."""
    shown = [record for record in get_authentication_records(request, request.user) if record.get("method") == "mfa"]
    if not shown or not request.user.is_authenticated:
        return []
    rows = Authenticator.objects.filter(user=request.user).values_list("pk", "type")
    kept = dict(rows)
    # Codes that were left over when the factor went are no factor.
    if not set(kept.values()) & set(FACTORS):
        return []
    return [record for record in shown if record.get("id") in kept]
