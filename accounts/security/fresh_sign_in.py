"""What a stolen session must not do alone: whoever asks for it confirms who they are, unless they did a moment ago.

The library asks and remembers (allauth's reauthentication); how long that counts is ACCOUNT_REAUTHENTICATION_TIMEOUT.
A form that was posted is kept in the session meanwhile and carried out afterwards, so that nothing is typed twice: for
the browser alone that posted it, which got a cookie of its own for that. Who has stolen the session could otherwise
post a form and wait until its owner confirms something. For the same reason a confirmation gives the session another
key: the stolen one ends, and does not share the ten minutes.
"""

import json
import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY, did_recently_reauthenticate
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import resolve, reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import CustomerRequest
from accounts.security.notices import last_confirmed_at
from accounts.security.sessions import another_session_key

KEPT_SECONDS = 900
KEPT_COOKIE = "kept_form"
LONGEST = 50_000  # of a form in the session; a longer one is typed again
View = Callable[..., HttpResponseBase]


class FreshSignInMiddleware:
    """Ask again in the one way for the library's pages, too; give the session another key once somebody has confirmed.

    Stands below allauth's own middleware, which would keep the form for whoever has the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        before = last_confirmed_at(request)
        response = self.get_response(request)
        if before != last_confirmed_at(request):
            with another_session_key(request):
                request.session.cycle_key()
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, ReauthenticationRequired) and request.user.is_authenticated:
            return ask_again(cast(CustomerRequest, request))
        return None


def is_fresh(request: HttpRequest) -> bool:
    """Whether whoever is signed in has confirmed who they are a moment ago."""
    # The library first asks which ways the account has, in three queries; they only matter where nothing was confirmed.
    if time.time() - last_confirmed_at(request) < app_settings.REAUTHENTICATION_TIMEOUT:
        return True
    return bool(did_recently_reauthenticate(request))


def needs_fresh_sign_in(view: View) -> View:
    """Let a customer's view be posted to only after a fresh sign-in; it may be looked at without."""

    @wraps(view)
    def handler(request: CustomerRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") or is_fresh(request):
            return view(request, *args, **kwargs)
        return ask_again(request)

    return handler


def confirm_url(back: str) -> str:
    """Return the address of the page that asks who it is, and leads back then."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"


def page_that_asks(user: Any, *, back: str) -> str:
    """Return the page of the first way in which this account confirms who it is; it leads back then."""
    methods = get_adapter().get_reauthentication_methods(user)
    asks = methods[0]["url"] if methods else reverse("account_login")
    return f"{asks}?{urlencode({'next': back})}"


def ask_again(request: CustomerRequest) -> HttpResponse:
    """Send the customer to confirm who they are, and then back to what they were about."""
    request.session.pop(STATE_SESSION_KEY, None)
    if request.htmx:
        # A part of a page: what was pressed is pressed again there afterwards.
        page = urlsplit(request.htmx.current_url or "")
        return HttpResponseClientRedirect(confirm_url(page.path or "/"))
    answer = HttpResponseRedirect(page_that_asks(request.user, back=request.get_full_path()))
    if request.method == "POST" and not any("password" in name for name in request.POST):
        _keep_the_form(request, answer)
    elif request.method == "POST":
        # No session keeps one, not even for a minute: its rows are read by whoever reads the database.
        messages.info(request, _("Passwords aren't kept: please type yours again once you have confirmed who you are."))
    return answer


def carry_out(request: HttpRequest, state: str) -> HttpResponseBase:
    """Carry out what this browser asked for before the sign-in, if that is still what this page is about."""
    kept = json.loads(state)
    url = get_next_redirect_url(request)
    if url != kept["full_path"] or not is_from_this_browser(request, kept):
        return HttpResponseRedirect(url or reverse("account"))
    request.GET = cast(Any, QueryDict(kept["GET"]))
    request.POST = cast(Any, QueryDict(kept["POST"]))
    request.path = request.path_info = kept["path"]
    request.method = "POST"
    match = resolve(kept["path"])
    request.resolver_match = match
    return cast(HttpResponseBase, match.func(request, *match.args, **match.kwargs))


def keep_for_this_browser(request: HttpRequest, answer: HttpResponse, kept: dict[str, Any], *, callback: str) -> None:
    """Keep what was posted until somebody confirms who they are; `answer` tells the browser how it is known by then.

    `callback` is the path of what the library calls afterwards, with the request and `kept` as JSON.
    """
    browser = secrets.token_urlsafe()
    state = json.dumps({**kept, "at": time.time(), "browser": browser})
    request.session[STATE_SESSION_KEY] = {"state": state, "callback": callback}
    answer.set_cookie(
        KEPT_COOKIE,
        browser,
        max_age=KEPT_SECONDS,
        path=reverse("account_reauthenticate").removesuffix("reauthenticate/"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def is_from_this_browser(request: HttpRequest, kept: dict[str, Any]) -> bool:
    """Whether what was kept was posted by this browser, and not too long ago."""
    is_from_here = constant_time_compare(request.COOKIES.get(KEPT_COOKIE, ""), kept["browser"])
    return is_from_here and time.time() - kept["at"] <= KEPT_SECONDS


def _keep_the_form(request: HttpRequest, answer: HttpResponse) -> None:
    kept = {
        "full_path": request.get_full_path(),
        "path": request.path,
        "GET": request.GET.urlencode(),
        "POST": request.POST.urlencode(),
    }
    if len(kept["POST"]) > LONGEST:
        return
    keep_for_this_browser(request, answer, kept, callback=f"{__name__}.carry_out")
