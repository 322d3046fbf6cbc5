"""The address in every mail by which nobody has to sign in to get no more like it: for people, and for mail programs.

A look changes nothing: programs that check links open every one. What turns mails off is a POST, which a mail program
sends without cookies (RFC 8058), so there is no token of a form: the address itself is what nobody can guess.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.choices import turn_off_mails
from notifications.unsubscribing import NotOurLink, what_it_turns_off


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, and when told so turn off mails of the kinds that the address names; it says nothing of the account."""
    try:
        found = what_it_turns_off(token)
    except NotOurLink:
        return render(request, "notifications/unsubscribe.html", {"kinds": []}, status=404)
    if request.method == "POST" and found.user is not None:
        turn_off_mails(found.user, [kind.name for kind in found.kinds])
    context = {"kinds": found.kinds, "done": request.method == "POST"}
    return render(request, "notifications/unsubscribe.html", context)
