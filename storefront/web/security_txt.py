"""Where whoever finds a hole in the shop reports it: /.well-known/security.txt, as RFC 9116 has it."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from preferences.face import LANGUAGES, SUPPORT_EMAIL

# The RFC wants less than a year; whoever keeps a copy asks again before it ends.
VALID_FOR = timedelta(days=180)


@require_safe
@cache_control(max_age=86_400, public=True)
def security_txt(request: HttpRequest) -> HttpResponse:
    """Say whom to write to; 404 where the settings name nobody."""
    text = security_text(now=timezone.now())
    if not text:
        raise Http404
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def security_text(*, now: datetime) -> str:
    """Return the file, which says the same all day; "" while SECURITY_CONTACT and SUPPORT_EMAIL are not set."""
    contact = settings.SECURITY_CONTACT or f"mailto:{SUPPORT_EMAIL.value}"
    if contact.endswith("@example.com"):
        return ""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: {contact}",
        f"Expires: {day + VALID_FOR:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(LANGUAGES.value)}",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    )
    return "".join(f"{line}\n" for line in lines)
