"""Where the terms have changed, a customer is asked to accept them before the next purchase, and only there.

What was about to be bought is not lost: the page that asks sends it on, with the same number of the request, so that
pressing twice still buys once. Reading one's orders, asking for help and being paid out go on as they are, and so do
programs: those who use the API are mailed (`support/documents/tell_resellers.py`).
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import address_of
from accounts.models import User
from support.documents import languages
from support.documents.accept_field import AcceptForm
from support.documents.acceptance import accept, has_to_accept, terms_now
from support.documents.known import KNOWN
from support.models import TermsAcceptance

View = Callable[[HttpRequest], HttpResponse]
PURCHASES = frozenset({"orders:place", "orders:quick", "orders:mass", "sms:buy", "sms:replace"})
# What the page adds to the form that it sends on.
ASKED, TERMS_FIELD = "terms_asked", "terms"


class TermsMiddleware:
    """Put the question between a purchase and its page."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Answer a purchase with the question while it is open; else let it pass, at no cost."""
        if request.method != "POST" or KNOWN.value.asks_again is None or not _buys(request):
            return None
        user = request.user
        if not isinstance(user, User) or not has_to_accept(user):
            return None
        return _ask(request, user)


def _buys(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.view_name in PURCHASES


def _ask(request: HttpRequest, user: User) -> HttpResponse | None:
    version = terms_now()
    if version is None:
        return None
    if "HX-Request" in request.headers:  # a button inside a list: the question is a page of its own
        here = request.headers.get("HX-Current-URL", "")
        return HttpResponseClientRedirect(f"{reverse('documents:accept')}?{urlencode({'next': here})}")
    form = AcceptForm(request.POST if ASKED in request.POST else None, version=version)
    if form.is_valid():
        door = TermsAcceptance.Door.PURCHASE
        accept(user.pk, version.pk, door=door, address=address_of(request), now=timezone.now())
        return None
    context = {
        "form": form,
        "summary": languages.chosen(version.summaries)[1],
        "kept": list(_kept(request)),
        "action": request.get_full_path(),
        "asked": ASKED,
    }
    response = render(request, "support/accept_terms.html", context)
    add_never_cache_headers(response)
    return response


def _kept(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """What was posted, to be posted again."""
    for name, values in request.POST.lists():
        if name not in ("csrfmiddlewaretoken", ASKED, TERMS_FIELD):
            yield from ((name, str(value)) for value in values)
