"""Bringing customers: the link somebody hands on, the cookie that remembers it, and who brought whom.

Who brought a customer is settled at sign-up, once: never later, and nobody brings themselves.
"""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import User, new_referral_code

COOKIE = "brought_by"
SALT = "accounts.sign_up.referrals"
KEPT = timedelta(days=30)


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


def keep_referrer(response: HttpResponse, code: str) -> None:
    """Remember in the visitor's browser, signed, whose link they followed; of several the last one counts."""
    if _owner_of(code) is not None:
        response.set_signed_cookie(
            COOKIE,
            code.upper(),
            salt=SALT,
            max_age=int(KEPT.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def referrer_in(request: HttpRequest) -> User | None:
    """Return whose link brought this browser, for somebody who signs up now; None when nobody's, or it is too old."""
    code = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=int(KEPT.total_seconds()))
    return _owner_of(code) if code else None


def _owner_of(code: str) -> User | None:
    if not (code.isascii() and code.isalnum()):
        return None
    return User.objects.filter(referral_code=code.upper(), is_active=True).first()
