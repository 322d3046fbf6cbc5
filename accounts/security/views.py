"""The account's page of security, and the page that puts an old e-mail address back."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import CustomerRequest, PageRequest, customers_only, personal_page
from accounts.keys.api_keys import revoke_all_api_keys
from accounts.security.email_changes import CannotUndo, change_of, undo_email_change
from accounts.security.notices import tell_of_change
from accounts.security.sessions import end_all_sessions, end_other_sessions, end_session, places_of

GONE = 410
VISITS_SHOWN = 20


@customers_only
@require_safe
def security(request: CustomerRequest) -> HttpResponse:
    """Show where the customer is signed in and when support looked; offer to end sessions and to revoke all keys."""
    keys = request.user.api_keys.alive(timezone.now()).count()
    visits = request.user.support_visits.all()[:VISITS_SHOWN]
    return render(request, "accounts/security.html", {"places": places_of(request), "keys": keys, "visits": visits})


@customers_only
@require_POST
def end_one_session(request: CustomerRequest, pk: int) -> HttpResponse:
    """Sign the customer out in one place."""
    if end_session(request.user, pk):
        messages.success(request, _("That session has ended."))
    else:
        messages.info(request, _("That session had already ended."))
    return redirect("account_security")


@customers_only
@require_POST
def sign_out_everywhere(request: CustomerRequest) -> HttpResponse:
    """Sign the customer out in every other place, or here as well."""
    tell_of_change(request.user, _("You were signed out everywhere."))
    if request.POST.get("here") == "too":
        end_all_sessions(request.user)
        logout(request)
        messages.success(request, _("You have been signed out everywhere."))
        return redirect("account_login")
    end_other_sessions(request, request.user)
    messages.success(request, _("You have been signed out everywhere else."))
    return redirect("account_security")


@customers_only
@require_POST
def revoke_all_keys(request: CustomerRequest) -> HttpResponse:
    """Stop every key of the customer."""
    count = revoke_all_api_keys(request.user)
    if count:
        tell_of_change(request.user, _("All API keys were revoked."))
    words = ngettext("%(count)d key has been revoked.", "%(count)d keys have been revoked.", count)
    messages.success(request, words % {"count": count})
    return redirect("account_security")


@personal_page
@require_http_methods(["GET", "HEAD", "POST"])
def undo_change(request: PageRequest, token: str) -> HttpResponse:
    """Put the old address back, for whoever got the link in it, and lead on to a new password."""
    now = timezone.now()
    try:
        if request.method != "POST":
            change = change_of(token, now=now)
            return render(request, "accounts/undo_email_change.html", {"change": change})
        user = undo_email_change(token, now=now)
    except CannotUndo:
        return render(request, "accounts/undo_email_change.html", {"change": None}, status=GONE)
    if request.user.is_authenticated:
        logout(request)
    tell_of_change(user, _("Your old email address was put back, and everybody was signed out."))
    key = EmailAwarePasswordResetTokenGenerator().make_token(user)
    return redirect(get_adapter().get_reset_password_from_key_url(f"{user_pk_to_url_str(user)}-{key}"))
