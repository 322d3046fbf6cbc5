"""What the shop adds to allauth's sign-in."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.models import User
from accounts.operations import remember_language


class AccountAdapter(DefaultAccountAdapter):
    """Whoever signs in is written to in the language they read then."""

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        remember_language(user, get_language() or "")
