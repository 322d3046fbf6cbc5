"""What the shop adds to allauth's sign-in."""

from allauth.account.adapter import DefaultAccountAdapter
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.models import User
from accounts.operations import remember_language
from accounts.sign_up.referrals import referrer_in


class AccountAdapter(DefaultAccountAdapter):
    """Keeps the language that whoever signs in reads, and by whose link whoever signs up has come."""

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        user.referred_by = referrer_in(request)
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        remember_language(user, get_language() or "")
