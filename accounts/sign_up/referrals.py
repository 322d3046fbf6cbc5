"""Referrals: the link somebody shares, the cookie that remembers it, and who referred whom.

Who referred a customer is settled at sign-up, once: never later, and nobody refers themselves.
"""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import User, new_referral_code

COOKIE = "referred_by"
SALT = "accounts.sign_up.referrals"
REMEMBERED_FOR = timedelta(days=30)


def referral_code_of(user: User) -> str:
    """Return the customer's code, making one at the first need."""
    while user.referral_code is None:
        try:
            with transaction.atomic():
                User.objects.filter(pk=user.pk, referral_code=None).update(referral_code=new_referral_code())
        except IntegrityError:  # somebody has this very code
            continue
        user.refresh_from_db(fields=["referral_code"])
    return str(user.referral_code)


def remember_referrer(response: HttpResponse, code: str) -> None:
    """Remember in the visitor's browser, signed, whose link they followed; of several the last one counts."""
    if _owner_of(code) is not None:
        response.set_signed_cookie(
            COOKIE,
            code.upper(),
            salt=SALT,
            max_age=int(REMEMBERED_FOR.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def referrer_in(request: HttpRequest) -> User | None:
    """Return whose link this browser followed, for somebody who signs up now; None when nobody's, or too long ago."""
    code = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=int(REMEMBERED_FOR.total_seconds()))
    return _owner_of(code) if code else None


def _owner_of(code: str) -> User | None:
    if not (code.isascii() and code.isalnum()):
        return None
    return User.objects.filter(referral_code=code.upper(), is_active=True).first()
