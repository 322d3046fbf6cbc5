"""Pages about accounts that are not allauth's."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.sign_up.referrals import remember_referrer


@never_cache
@require_safe
def follow_referral(request: HttpRequest, code: str) -> HttpResponse:
    """Lead a visitor to the front page, remembering for their sign-up who sent them; an unknown code does no harm."""
    response = redirect("home")
    if settings.REFERRAL_PERCENT and not request.user.is_authenticated:
        remember_referrer(response, code)
    return response
