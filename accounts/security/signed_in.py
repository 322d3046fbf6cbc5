"""What holds for every page of somebody who is signed in: no cache keeps it, and staff's sessions are short."""

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from accounts.access import ask_to_sign_in, asks_for_news
from accounts.models import User

SINCE, SEEN = "signed_in_at", "seen_at"
# The list of sessions says when each was seen last; to note it with every page would be a write with every page.
NOTED_EVERY_SECONDS = 300
STAFF_NOTED_EVERY_SECONDS = 60
View = Callable[[HttpRequest], HttpResponse]


def begin_session(request: HttpRequest) -> None:
    """Note in a new session when it began."""
    request.session[SINCE] = request.session[SEEN] = time.time()


class SignedInMiddleware:
    """Keep pages of signed-in people out of caches, note that their session is in use, end staff's in time."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Whoever has no session is asked nothing more: the page could not be shared otherwise.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            response = self.get_response(request)
            if request.session.modified and request.user.is_authenticated:  # the answer to a sign-in is theirs already
                add_never_cache_headers(response)
            return response
        if request.user.is_staff and _is_over(request, request.user):
            logout(request)
            response = ask_to_sign_in(request)  # type: ignore[arg-type]  # htmx has been here
        else:
            if not asks_for_news(request):  # a page that lies open must not keep its session open
                _note(request)
            response = self.get_response(request)
        add_never_cache_headers(response)
        return response


def _is_over(request: HttpRequest, user: User) -> bool:
    # A session from before these were noted began at the last sign-in, at the latest.
    last_login = user.last_login.timestamp() if user.last_login else 0.0
    since = request.session.get(SINCE, last_login)
    seen = request.session.get(SEEN, last_login)
    now = time.time()
    return now - since > settings.STAFF_SESSION_SECONDS or now - seen > settings.STAFF_SESSION_IDLE_SECONDS


def _note(request: HttpRequest) -> None:
    seen = request.session.get(SEEN)
    every = STAFF_NOTED_EVERY_SECONDS if request.user.is_staff else NOTED_EVERY_SECONDS
    if seen is None and not request.user.is_staff:
        return
    if seen is None or time.time() - seen > every:
        request.session[SEEN] = time.time()
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())
