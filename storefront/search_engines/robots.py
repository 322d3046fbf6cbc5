"""robots.txt: what programs may read, and where the list of all pages is."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

# What belongs to one customer or to staff, does something, or is one of endless combinations of words and filters.
CLOSED = (
    *("/admin/", "/account/", "/accounts/", "/api/v2", "/catalog/favorites/", "/catalog/search/", "/language/"),
    *("/orders/", "/quick/services/", "/ref/", "/referrals/", "/sms/numbers/", "/wallet/"),
)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Answer with the rules for all programs."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    lines += ["", f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
