"""Pages about accounts that are not allauth's."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.preferences import REFERRAL_SHARE
from accounts.sign_up.referrals import remember_referrer


@never_cache
@require_safe
def follow_referral(request: HttpRequest, code: str) -> HttpResponse:
    """Lead a visitor to the front page, remembering for their sign-up who sent them; an unknown code does no harm."""
    response = redirect("home")
    if REFERRAL_SHARE.value and not request.user.is_authenticated:
        remember_referrer(response, code)
    return response
