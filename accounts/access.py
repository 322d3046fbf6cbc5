"""What the customers' pages of every app share: who may come in, and which part of a page a request asks for."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from allauth.account.adapter import get_adapter
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.crypto import salted_hmac
from django_htmx.http import HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails

from accounts.models import User

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request as django-htmx extends it."""

    htmx: HtmxDetails


class CustomerRequest(PageRequest):
    """A request of somebody who is signed in."""

    user: User


def personal_page(view: Callable[Concatenate[PageRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep the page out of every cache: it shows a balance or a token, and htmx gets only a part of it."""

    @wraps(view)
    def handler(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(cast(PageRequest, request), *args, **kwargs)
        add_never_cache_headers(response)
        patch_vary_headers(response, ["HX-Request"])
        return response

    return handler


def customers_only(
    view: Callable[Concatenate[CustomerRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let signed-in customers in; send others to sign in and then back."""

    @wraps(view)
    def handler(request: PageRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(cast(CustomerRequest, request), *args, **kwargs)
        return ask_to_sign_in(request)

    return personal_page(handler)


def ask_to_sign_in(request: PageRequest) -> HttpResponse:
    """Send a visitor to sign in and then back here."""
    if request.htmx:
        # A list that refreshes itself must not be replaced by the sign-in page: load the whole page anew.
        return HttpResponseClientRefresh()
    return redirect_to_login(request.get_full_path())


def address_of(request: HttpRequest) -> str | None:
    """Return the address the request came from, as far as the proxies in front let us know it."""
    try:
        return str(get_adapter().get_client_ip(request))
    # There is none, as behind a socket; or the call came past the proxies that should stand in front.
    except (PermissionDenied, ImproperlyConfigured):
        return None


def is_looked_at(request: HttpRequest) -> bool:
    """Whether support looks at this page in the customer's place: it shows neither goods nor codes then.

    See `accounts/sign_in_as/`.
    """
    return getattr(request, "looked_at_by", None) is not None


def reader_mark(user_id: int | None) -> str:
    """Return what tells readers apart in one browser without saying who they are; "" for a visitor.

    By it static/js/live.js knows that what it has kept was another's.
    """
    return salted_hmac("accounts.access.reader_mark", str(user_id)).hexdigest()[:12] if user_id else ""


def wants_part(request: PageRequest) -> bool:
    """Whether htmx asks for a part of the page; a page restored from history is needed whole."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def asks_for_news(request: HttpRequest) -> bool:
    """Whether a page that lies open asks by itself whether anything has changed: nobody has done anything.

    Whoever says so of a press only shortens their own session.
    """
    return request.method in ("GET", "HEAD") and "HX-Request" in request.headers and "seen" in request.GET


def render_live(
    request: PageRequest, template: str, part: str, context: dict, *, state: object, path: str = ""
) -> HttpResponse:
    """Render a page, or for htmx its part, that asks again every few seconds.

    `state` stands for everything the part shows. The part carries a digest of it as `seen` and sends it back with
    the next request; while nothing has changed the answer is an empty 204, which htmx does not swap in, so that
    the reader's selection, focus and screen reader are left alone. `path` is where the page lives, if not where a form
    of it was sent. Adds `seen`, `params` (the page's own query) and
    `address` (where to ask again) to the context.
    """
    seen = hashlib.sha256(repr(state).encode()).hexdigest()[:16]
    if wants_part(request) and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    params = request.GET.copy()
    params.pop("seen", None)
    path = path or request.path
    address = f"{path}?{params.urlencode()}" if params else path
    context = {**context, "seen": seen, "params": params, "address": address}
    return render(request, f"{template}#{part}" if wants_part(request) else template, context)
