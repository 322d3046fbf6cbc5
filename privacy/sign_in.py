"""Where a sign-in leads while an account waits to be deleted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from notifications import sign_in_mail
from privacy.deletion.links import keep_path
from privacy.deletion.requests import pending_deletion_of


class AccountAdapter(sign_in_mail.AccountAdapter):
    """The shop's adapter; whoever knows the password of an account that is about to go may keep it."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        deletion = pending_deletion_of(user)
        if deletion is None:
            return super().respond_user_inactive(request, user)
        return redirect(keep_path(deletion))
